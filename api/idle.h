// How much of this machine's CPU time nobody had, as the kernel counts it in /proc/stat (proc(5)).
//
//   Idle idle;
//   if (const auto part = idle.since_last()) …             // 0 to 1, of all its cores
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace weir::api {

struct CpuTicks {
  std::uint64_t all = 0, idle = 0;
};

// Of the first line of /proc/stat. Waiting for a disk is idle; what a host took away is not.
std::optional<CpuTicks> read_cpu_ticks(std::string_view line);

class Idle {
 public:
  // None at the first call, and where the kernel does not say.
  std::optional<double> since_last();

 private:
  CpuTicks last_;
};

}  // namespace weir::api
