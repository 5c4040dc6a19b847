// Who has the worker's one timer.
#pragma once

namespace weir {

class TimeKeeper {
 public:
  // Something is due at another time than before, or somebody waits for it who did not, or no
  // longer.
  virtual void watch() noexcept = 0;

 protected:
  ~TimeKeeper() = default;
};

}  // namespace weir
