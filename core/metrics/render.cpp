#include "core/metrics/render.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "core/metrics/page.h"

namespace weir {
namespace {

constexpr std::string_view kBreakerLabels[kBreakerStates] = {
    R"(state="closed")", R"(state="half_open")", R"(state="open")"};

// 2500 becomes "0.0025".
std::string seconds(std::uint64_t micros) {
  std::string text = std::to_string(micros / 1'000'000);
  const std::uint64_t rest = micros % 1'000'000;
  if (rest == 0) return text;
  const std::string digits = std::to_string(1'000'000 + rest);
  text.append(".").append(digits, 1);
  return text.erase(text.find_last_not_of('0') + 1);
}

template <typename CellOf>
std::uint64_t sum(const MetricsMemory& memory, CellOf cell_of) {
  std::uint64_t total = 0;
  for (const MetricsSlot& slot : memory.slots) {
    total += cell_of(slot).load(std::memory_order_relaxed);
  }
  return total;
}

void add_metric(MetricsPage& page, const MetricsMemory& memory, Metric metric) {
  const std::size_t first = first_cell(metric);
  for (std::size_t i = 0; i < cells_of(metric); ++i) {
    const auto total = sum(memory, [=](const MetricsSlot& slot) -> const MetricsCell& {
      return slot.counters[first + i];
    });
    page.line(metric_row(metric).name, cell_labels(metric, i), total);
  }
}

void add_metrics(MetricsPage& page, const MetricsMemory& memory) {
  std::string_view name;
  for (std::size_t i = 0; i < kMetricCount; ++i) {
    const MetricRow& row = metric_row(static_cast<Metric>(i));
    if (row.name != name) page.head(row.name, row.help, "counter");
    name = row.name;
    add_metric(page, memory, row.metric);
  }
}

// Buckets are cumulative: each holds those before it.
void add_latencies(MetricsPage& page, const MetricsMemory& memory) {
  page.head(kLatencyName, kLatencyHelp, "histogram");
  const std::string name(kLatencyName);
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < kLatencyBuckets; ++i) {
    total += sum(memory,
                 [=](const MetricsSlot& slot) -> const MetricsCell& { return slot.latencies[i]; });
    const bool last = i == std::size(kLatencyBounds);
    const std::string bound = last ? "+Inf" : seconds(kLatencyBounds[i]);
    page.line(name + "_bucket", "le=\"" + bound + '"', total);
  }
  const auto micros = sum(
      memory, [](const MetricsSlot& slot) -> const MetricsCell& { return slot.latency_micros; });
  page.line(name + "_sum", "", seconds(micros));
  page.line(name + "_count", "", total);
}

using Values = std::vector<std::uint64_t>;  // one a live worker

std::vector<const MetricsSlot*> live_slots(const MetricsMemory& memory, IsAlive is_alive) {
  std::vector<const MetricsSlot*> live;
  for (const MetricsSlot& slot : memory.slots) {
    const std::uint64_t owner = slot.owner.load();
    if (owner != 0 && is_alive(owner)) live.push_back(&slot);
  }
  return live;
}

std::uint64_t earliest_of(const Values& times) {
  std::uint64_t earliest = 0;
  for (const std::uint64_t time : times) {
    if (time != 0 && (earliest == 0 || time < earliest)) earliest = time;
  }
  return earliest;
}

std::uint64_t age_of_oldest(const Values& times, Timestamp now) {
  const std::uint64_t oldest = earliest_of(times);
  const auto present = static_cast<std::uint64_t>(std::max<Timestamp>(now, 0));
  return oldest == 0 || oldest > present ? 0 : present - oldest;
}

Values values_of(Gauge gauge, const std::vector<const MetricsSlot*>& live) {
  Values values;
  for (const MetricsSlot* slot : live) {
    values.push_back(slot->gauges[static_cast<std::size_t>(gauge)].load(std::memory_order_relaxed));
  }
  return values;
}

void add_gauge(MetricsPage& page, const GaugeRow& row, const Values& values, Timestamp now) {
  std::uint64_t total = 0, most = 0;
  for (const std::uint64_t value : values) {
    total += value;
    most = std::max(most, value);
  }
  switch (row.merge) {
    case Merge::sum:
      return page.line(row.name, "", total);
    case Merge::most:
      return page.line(row.name, "", most);
    case Merge::age:
      return page.line(row.name, "", seconds(age_of_oldest(values, now)));
    case Merge::count:
      break;
  }
  for (std::size_t state = 0; state < kBreakerStates; ++state) {
    const auto count = std::count(values.begin(), values.end(), state);
    page.line(row.name, kBreakerLabels[state], static_cast<std::uint64_t>(count));
  }
}

void add_gauges(MetricsPage& page, const MetricsMemory& memory, IsAlive is_alive, Timestamp now) {
  const auto live = live_slots(memory, is_alive);
  for (std::size_t i = 0; i < kGaugeCount; ++i) {
    const GaugeRow& row = gauge_row(static_cast<Gauge>(i));
    page.head(row.name, row.help, "gauge");
    add_gauge(page, row, values_of(row.gauge, live), now);
  }
}

}  // namespace

std::string render_metrics(const MetricsMemory& memory, IsAlive is_alive, Timestamp now) {
  MetricsPage page;
  page.reserve(16 << 10);
  add_metrics(page, memory);
  add_latencies(page, memory);
  add_gauges(page, memory, is_alive, now);
  return page.take();
}

std::uint64_t earliest(const MetricsMemory& memory, Gauge gauge, IsAlive is_alive) {
  return earliest_of(values_of(gauge, live_slots(memory, is_alive)));
}

}  // namespace weir
