// Every figure that the edge shows, declared once: docs/metrics.md lists them, and t/docs.t
// compares that page with what is rendered.
//
// A new one takes an enumerator and its row in table.cpp, in the same order. Rows of one name stand
// next to each other; they differ in their labels.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/event/reason.h"
#include "core/http/endpoint.h"

namespace weir {

// What only grows.
enum class Metric : std::uint8_t {
  requests,              // by endpoint and status: Metrics::answered()
  body_bytes,            // of bodies as sent
  accepted_events,       //
  refused_events,        // by reason: Metrics::refused()
  unknown_fields,        //
  acknowledged_records,  // Redis has it
  refused_records,       // Redis answered with an error
  late_records,          // no answer soon enough: they went elsewhere, and may be in Redis as well
  timed_out_records,     // no answer at all
  lost_records,          // the connection ended before the answer
  full_records,          // not handed to Redis: too much in flight
  lost_connections,      // to Redis
  breaker_openings,      //
  spooled_records,       // synced, so acknowledged to a client
  spooled_bytes,         // of those
  drained_records,       // of the spool's, that Redis has now
  unspooled_records,     // that the spool could not take: full, or the disk failed
  spool_syncs,           // fdatasync() calls
  spool_failures,        // file operations that failed
  damaged_records,       // of the spool's, set aside
  unfit_records,         // of the spool's, that Redis never takes, set aside
  torn_segments,         // whose end was cut off
};

// What one live worker says of itself. Times are microseconds since 1970, 0: none.
enum class Gauge : std::uint8_t {
  workers,           // 1, by itself
  redis_ready,       // 1 or 0
  in_flight,         // records that wait for Redis' answer
  breaker,           // 0 closed, 1 half open, 2 open
  spool_bytes,       // on the disk, of all workers
  spool_records,     // that wait to be drained, of all workers
  spool_oldest_at,   // when the oldest of them was spooled
  stream_entries,    // in the stream in Redis, as last looked at
  stream_bytes,      // of memory, which MEMORY USAGE estimates
  stream_oldest_at,  // when its oldest entry was added
};

constexpr std::size_t kBreakerStates = 3;

// How what several workers say becomes one figure.
enum class Merge : std::uint8_t {
  sum,
  most,   // they look at the same thing, at different moments
  age,    // seconds since the oldest of their times; 0 where there is none
  count,  // how many workers are in each state
};

struct MetricRow {
  Metric metric;
  std::string_view name;
  std::string_view help;    // one sentence without a full stop
  std::string_view labels;  // as rendered: outcome="lost"
};

struct GaugeRow {
  Gauge gauge;
  Merge merge;
  std::string_view name;
  std::string_view help;
};

// The statuses that are told apart; all others count as the last, "other".
constexpr int kStatuses[] = {200, 400, 401, 405, 413, 415, 429, 500, 503};
constexpr std::size_t kStatusCount = sizeof kStatuses / sizeof kStatuses[0] + 1;

// Upper ends of the time that a client waits for its record to be kept, in microseconds.
constexpr std::uint64_t kLatencyBounds[] = {100,     250,     500,       1'000,    2'500,
                                            5'000,   10'000,  25'000,    50'000,   100'000,
                                            250'000, 500'000, 1'000'000, 2'500'000};
constexpr std::size_t kLatencyBuckets = sizeof kLatencyBounds / sizeof kLatencyBounds[0] + 1;
constexpr std::string_view kLatencyName = "weir_keep_seconds";
constexpr std::string_view kLatencyHelp = "Time until a record was safe in Redis or in the spool";

constexpr std::size_t kMetricCount = static_cast<std::size_t>(Metric::torn_segments) + 1;
constexpr std::size_t kGaugeCount = static_cast<std::size_t>(Gauge::stream_oldest_at) + 1;

// Every metric has one cell, or as many as its labels have values together.
constexpr std::size_t cells_of(Metric metric) {
  if (metric == Metric::requests) return kEndpointCount * kStatusCount;
  return metric == Metric::refused_events ? kReasonCount : 1;
}

// Where each metric's cells begin among all cells; the last is how many there are.
constexpr auto kFirstCells = [] {
  std::array<std::size_t, kMetricCount + 1> firsts{};
  for (std::size_t i = 0; i < kMetricCount; ++i) {
    firsts[i + 1] = firsts[i] + cells_of(static_cast<Metric>(i));
  }
  return firsts;
}();
constexpr std::size_t kCellCount = kFirstCells[kMetricCount];

constexpr std::size_t first_cell(Metric metric) {
  return kFirstCells[static_cast<std::size_t>(metric)];
}

const MetricRow& metric_row(Metric metric);
const GaugeRow& gauge_row(Gauge gauge);

// The labels of one of a metric's cells, as rendered: endpoint="track",status="200". None need
// escaping: they are words of Weir's own.
std::string cell_labels(Metric metric, std::size_t cell);

}  // namespace weir
