// What a connection does while its server keeps it waiting. Without one it waits for ever.
//
//   class TenSeconds : public pg::Patience {
//     bool go_on(std::chrono::milliseconds silent) override { return silent < 10s; }
//   };
//   auto db = pg::Connection::open(conninfo, error, "weir", &ten_seconds);
#pragma once

#include <chrono>

namespace weir::pg {

class Patience {
 public:
  // How often go_on() is called during a statement, at least.
  static constexpr std::chrono::milliseconds kSlice{100};

  // `silent` is for how long no byte has come or gone. False: the connection is given up, and is
  // then a broken one. May do other work in between, but nothing with this connection.
  virtual bool go_on(std::chrono::milliseconds silent) = 0;

 protected:
  ~Patience() = default;
};

}  // namespace weir::pg
