// Why the spool cannot do what it should, for the status (a clause that lives for ever) and the
// log.
//
//   Fault fault = Fault::of(ENOSPC);
//   status.why = fault.why();               // "its disk is full"
//   log.warn(... + fault.sentence());       // "its disk is full (No space left on device)"
#pragma once

#include <string>

namespace weir {

// Where the threads that wait for disks are busy with other things, or hang.
inline constexpr char kNoThread[] = "none of the web server's threads has had time for it";

class Fault {
 public:
  Fault() = default;
  explicit Fault(const char* why) : why_(why) {}

  // `error` is an errno; of 0, no fault.
  static Fault of(int error);

  explicit operator bool() const { return why_ != nullptr; }
  const char* why() const { return why_ == nullptr ? "" : why_; }
  std::string sentence() const;

 private:
  const char* why_ = nullptr;
  int error_ = 0;
};

}  // namespace weir
