// What the edge counts, in memory that all workers of a server share and that outlives them, so
// that a total survives a reload and a worker that is killed. The server provides the memory;
// everything else is here.
//
//   MetricsMemory* memory = open_metrics(zone);            // kMetricsBytes, zeroed or used before
//   Metrics metrics(memory, getpid(), is_alive);           // one a worker
//   metrics.add(Metric::spooled_records);
//   metrics.set(Gauge::in_flight, 12);
//   render_metrics(*memory, is_alive, now)                 // core/metrics/render.h
//
// Each worker has a slot for itself, so that no two write to one cache line; calls cost one relaxed
// addition and may come from any thread. Counters of a slot are never cleared: whoever has it next
// adds to them. Gauges are those of the slot's owner: cleared when it goes, left out when it died.
//
// Past kMetricsSlots - 1 live workers the rest share the last slot, where they count but whose
// gauges nobody sees.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "core/metrics/table.h"

namespace weir {

constexpr std::size_t kMetricsSlots = 128;

using MetricsCell = std::atomic<std::uint64_t>;
static_assert(MetricsCell::is_always_lock_free, "a lock would not survive a worker that is killed");

struct alignas(64) MetricsSlot {
  MetricsCell owner;  // a process; 0: nobody
  std::array<MetricsCell, kCellCount> counters;
  std::array<MetricsCell, kGaugeCount> gauges;
  std::array<MetricsCell, kLatencyBuckets> latencies;
  MetricsCell latency_micros;  // all of them together
};

struct MetricsMemory {
  MetricsCell layout;  // kMetricsLayout
  std::array<MetricsSlot, kMetricsSlots> slots;
};
static_assert(std::is_trivially_destructible_v<MetricsMemory> &&
                  std::is_trivially_default_constructible_v<MetricsMemory>,
              "zeroed bytes are one, and nothing has to end it");

constexpr std::size_t kMetricsBytes = sizeof(MetricsMemory);

// Raise the first number when cells change their meaning but not their number.
constexpr std::uint64_t kMetricsLayout = std::uint64_t{2} << 32 | sizeof(MetricsSlot);

// `bytes` are kMetricsBytes, aligned to a cache line. Those of another layout start over at zero.
MetricsMemory* open_metrics(void* bytes) noexcept;

// Whether a process lives; asked about other owners of slots only.
using IsAlive = bool (*)(std::uint64_t process);

// One process' way to count.
class Metrics {
 public:
  // Counts nowhere.
  Metrics() = default;

  // Takes a slot that nobody has, or whose owner is dead.
  Metrics(MetricsMemory* memory, std::uint64_t process, IsAlive is_alive) noexcept;

  // Gives the slot back. What was counted stays.
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  void add(Metric metric, std::uint64_t count = 1) noexcept { add_to(first_cell(metric), count); }

  // For a part of the worker that counts for itself: the most that it has come to by now.
  void reached(Metric metric, std::uint64_t total) noexcept;

  void answered(Endpoint endpoint, int status) noexcept;
  void refused(Reason reason, std::uint64_t count = 1) noexcept;

  void set(Gauge gauge, std::uint64_t value) noexcept {
    if (owner_) slot_->gauges[static_cast<std::size_t>(gauge)].store(value, kRelaxed);
  }

  // How long it took to keep a record.
  void kept_after(std::chrono::steady_clock::duration time) noexcept;

 private:
  static constexpr auto kRelaxed = std::memory_order_relaxed;

  void add_to(std::size_t cell, std::uint64_t count) noexcept {
    if (slot_ != nullptr) slot_->counters[cell].fetch_add(count, kRelaxed);
  }
  bool claim(MetricsSlot& slot, std::uint64_t process, IsAlive is_alive) noexcept;
  void clear_gauges() noexcept;

  MetricsSlot* slot_ = nullptr;
  bool owner_ = false;
  std::array<std::uint64_t, kMetricCount> reached_{};
};

}  // namespace weir
