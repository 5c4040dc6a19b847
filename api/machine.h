// What the kernel says of this machine's CPU time: how much of it nobody had, and how much the web
// server took that hands requests over and takes events in.
//
//   Idle idle;
//   if (const auto part = idle.since_last()) …             // 0 to 1, of all cores
//   WebServer web;
//   web.is(process_at(descriptor));                        // the other end of this unix socket
//   const double seconds = web.worked_since_last();        // of all its processes together
//
// Source: proc(5), of /proc/stat, /proc/PID/stat and /proc/PID/task/TID/children.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::api {

struct CpuTicks {
  std::uint64_t all = 0, idle = 0;
};

// Of the first line of /proc/stat. Waiting for a disk is idle; what a host took away is not.
std::optional<CpuTicks> read_cpu_ticks(std::string_view line);

class Idle {
 public:
  explicit Idle(std::string proc = "/proc") : proc_(std::move(proc)) {}

  // None at the first call, and where the kernel does not say.
  std::optional<double> since_last();

  // Whether it did not say at the last call.
  bool is_hidden() const { return hidden_; }

 private:
  const std::string proc_;
  bool hidden_ = false;
  CpuTicks last_;
};

struct ProcessTicks {
  std::string name;
  pid_t parent = 0;
  std::uint64_t worked = 0;
};

// Of /proc/PID/stat. A name may hold blanks and brackets.
std::optional<ProcessTicks> read_process_ticks(std::string_view text);

// Who is at the other end of a connected unix socket; 0: not known.
pid_t process_at(int descriptor);

class WebServer {
 public:
  explicit WebServer(std::string proc = "/proc") : proc_(std::move(proc)) {}

  void is(pid_t process) { asked_ = process; }

  // Whether the kernel lets us see nothing of it (hidepid= of /proc, or it has process ids of its
  // own). One that has ended, and one that nobody named, are not hidden.
  bool is_hidden() const;

  // CPU time in seconds; of a process that was not known before, nothing.
  double worked_since_last();

 private:
  std::optional<ProcessTicks> ticks_of(pid_t process) const;
  std::vector<pid_t> processes() const;

  const std::string proc_;
  std::optional<pid_t> asked_;
  std::map<pid_t, std::uint64_t> last_;
};

}  // namespace weir::api
