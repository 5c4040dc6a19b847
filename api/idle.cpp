#include "api/idle.h"

#include <charconv>
#include <fstream>
#include <string>
#include <utility>

namespace weir::api {
namespace {

// user nice system idle iowait irq softirq steal; guests' time that follows is in user's already.
constexpr int kFields = 8, kIdleField = 3, kWaitField = 4;

}  // namespace

std::optional<CpuTicks> read_cpu_ticks(std::string_view line) {
  if (line.substr(0, 4) != "cpu ") return std::nullopt;
  CpuTicks ticks;
  const char* at = line.data() + 4;
  const char* const end = line.data() + line.size();
  for (int field = 0; field < kFields; ++field) {
    while (at != end && *at == ' ') ++at;
    std::uint64_t value = 0;
    const auto [past, error] = std::from_chars(at, end, value);
    if (error != std::errc()) return std::nullopt;
    at = past;
    ticks.all += value;
    if (field == kIdleField || field == kWaitField) ticks.idle += value;
  }
  return ticks;
}

std::optional<double> Idle::since_last() {
  std::ifstream file("/proc/stat");
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  const auto now = read_cpu_ticks(line);
  if (!now) return std::nullopt;
  const CpuTicks before = std::exchange(last_, *now);
  // The kernel's count of idle time may go back a little.
  if (before.all == 0 || now->all <= before.all || now->idle < before.idle) return std::nullopt;
  return static_cast<double>(now->idle - before.idle) / static_cast<double>(now->all - before.all);
}

}  // namespace weir::api
