// Memory as a server shares it, and the figures that somebody reads from it.
//
//   Zone zone;
//   Metrics metrics(zone.memory(), 1, always_alive);
//   ck_assert_view_eq(zone.figure("weir_events_accepted_total"), "0");
#pragma once

#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "core/metrics/metrics.h"
#include "core/metrics/render.h"

namespace weir_test {

inline bool always_alive(std::uint64_t) { return true; }

class Zone {
 public:
  static constexpr weir::Timestamp kNow = 1'795'262'400'000'000;

  explicit Zone(weir::IsAlive is_alive = always_alive)
      : is_alive_(is_alive), bytes_(std::aligned_alloc(64, weir::kMetricsBytes)) {
    std::memset(bytes_.get(), 0, weir::kMetricsBytes);
  }

  void* bytes() { return bytes_.get(); }
  weir::MetricsMemory* memory() { return weir::open_metrics(bytes()); }
  std::string page() { return weir::render_metrics(*memory(), is_alive_, kNow); }

  // The figure of a series, or "none".
  std::string figure(std::string_view series) {
    const std::string text = '\n' + page();
    const std::size_t found = text.find('\n' + std::string(series) + ' ');
    if (found == text.npos) return "none";
    const std::size_t begin = found + series.size() + 2;
    return text.substr(begin, text.find('\n', begin) - begin);
  }

 private:
  struct Free {
    void operator()(void* bytes) const { std::free(bytes); }
  };
  weir::IsAlive is_alive_;
  std::unique_ptr<void, Free> bytes_;
};

}  // namespace weir_test
