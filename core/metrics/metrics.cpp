#include "core/metrics/metrics.h"

#include <algorithm>
#include <cstring>
#include <iterator>

namespace weir {
namespace {

std::size_t status_index(int status) {
  return static_cast<std::size_t>(std::find(std::begin(kStatuses), std::end(kStatuses), status) -
                                  std::begin(kStatuses));
}

std::size_t latency_index(std::uint64_t micros) {
  return static_cast<std::size_t>(
      std::lower_bound(std::begin(kLatencyBounds), std::end(kLatencyBounds), micros) -
      std::begin(kLatencyBounds));
}

}  // namespace

MetricsMemory* open_metrics(void* bytes) noexcept {
  auto* memory = static_cast<MetricsMemory*>(bytes);
  if (memory->layout.load() != kMetricsLayout) {
    std::memset(bytes, 0, kMetricsBytes);
    memory->layout.store(kMetricsLayout);
  }
  return memory;
}

Metrics::Metrics(MetricsMemory* memory, std::uint64_t process, IsAlive is_alive) noexcept {
  if (memory == nullptr) return;
  for (std::size_t i = 0; i + 1 < kMetricsSlots && !owner_; ++i) {
    owner_ = claim(memory->slots[i], process, is_alive);
  }
  if (!owner_) slot_ = &memory->slots.back();
  if (owner_) clear_gauges();
  set(Gauge::workers, 1);
}

// A process that finds its own number in a slot has it from one that is dead.
bool Metrics::claim(MetricsSlot& slot, std::uint64_t process, IsAlive is_alive) noexcept {
  std::uint64_t owner = slot.owner.load();
  if (owner != 0 && owner != process && is_alive(owner)) return false;
  if (!slot.owner.compare_exchange_strong(owner, process)) return false;
  slot_ = &slot;
  return true;
}

Metrics::~Metrics() {
  if (!owner_) return;
  clear_gauges();
  slot_->owner.store(0);
}

void Metrics::clear_gauges() noexcept {
  for (MetricsCell& gauge : slot_->gauges) gauge.store(0, kRelaxed);
}

void Metrics::reached(Metric metric, std::uint64_t total) noexcept {
  std::uint64_t& before = reached_[static_cast<std::size_t>(metric)];
  if (total <= before) return;
  add(metric, total - before);
  before = total;
}

void Metrics::answered(Endpoint endpoint, int status) noexcept {
  add_to(first_cell(Metric::requests) + static_cast<std::size_t>(endpoint) * kStatusCount +
             status_index(status),
         1);
}

void Metrics::refused(Reason reason, std::uint64_t count) noexcept {
  if (reason == Reason::none) return;
  add_to(first_cell(Metric::refused_events) + static_cast<std::size_t>(reason) - 1, count);
}

void Metrics::kept_after(std::chrono::steady_clock::duration time) noexcept {
  using std::chrono::microseconds;
  const auto micros =
      static_cast<std::uint64_t>(std::chrono::duration_cast<microseconds>(time).count());
  if (slot_ == nullptr) return;
  slot_->latencies[latency_index(micros)].fetch_add(1, kRelaxed);
  slot_->latency_micros.fetch_add(micros, kRelaxed);
}

}  // namespace weir
