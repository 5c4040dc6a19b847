// What an operator should hear of the spool. Sentences are complete, name the directory, hold
// nothing of a record and nothing unprintable, and end without a full stop or a newline. Warnings
// come at most once a second, progress at most each ten seconds beside a drain's start and end.
#pragma once

#include <string_view>

namespace weir {

class SpoolLog {
 public:
  virtual void note(std::string_view sentence) noexcept = 0;
  virtual void warn(std::string_view sentence) noexcept = 0;

 protected:
  ~SpoolLog() = default;
};

}  // namespace weir
