#include "core/metrics/table.h"

#include <iterator>

namespace weir {
namespace {

constexpr std::string_view kOutcomes = "What became of records that were handed to Redis";

constexpr MetricRow kMetrics[] = {
    {Metric::requests, "weir_requests_total", "Requests answered by Weir", ""},
    {Metric::body_bytes, "weir_body_bytes_total", "Bytes of bodies as they were sent", ""},
    {Metric::accepted_events, "weir_events_accepted_total",
     "Events found valid, whether or not their record could be kept", ""},
    {Metric::refused_events, "weir_events_refused_total", "Events refused", ""},
    {Metric::unknown_fields, "weir_unknown_fields_total",
     "Members that Weir does not know and did not store", ""},
    {Metric::acknowledged_records, "weir_redis_records_total", kOutcomes,
     R"(outcome="acknowledged")"},
    {Metric::refused_records, "weir_redis_records_total", kOutcomes, R"(outcome="refused")"},
    {Metric::late_records, "weir_redis_records_total", kOutcomes, R"(outcome="late")"},
    {Metric::timed_out_records, "weir_redis_records_total", kOutcomes, R"(outcome="timed_out")"},
    {Metric::lost_records, "weir_redis_records_total", kOutcomes, R"(outcome="lost")"},
    {Metric::full_records, "weir_redis_full_total",
     "Records not handed to Redis since too many were in flight", ""},
    {Metric::lost_connections, "weir_redis_connections_lost_total",
     "Connections to Redis lost or not made", ""},
    {Metric::breaker_openings, "weir_breaker_openings_total",
     "Times that the circuit breaker gave Redis up", ""},
    {Metric::spooled_records, "weir_spool_records_total", "Records synced to the spool", ""},
    {Metric::spooled_bytes, "weir_spool_bytes_total", "Bytes of records synced to the spool", ""},
    {Metric::drained_records, "weir_spool_drained_records_total",
     "Records of the spool that Redis has acknowledged", ""},
    {Metric::unspooled_records, "weir_spool_refused_records_total",
     "Records that the spool could not take", ""},
    {Metric::spool_syncs, "weir_spool_syncs_total", "Syncs of spool files", ""},
    {Metric::spool_failures, "weir_spool_failures_total", "Operations on spool files that failed",
     ""},
    {Metric::damaged_records, "weir_spool_damaged_records_total",
     "Damaged pieces of spool files set aside", ""},
    {Metric::unfit_records, "weir_spool_unfit_records_total",
     "Records of the spool that are too long for Redis, set aside", ""},
    {Metric::torn_segments, "weir_spool_torn_segments_total",
     "Spool files whose unfinished end was cut off", ""},
};

constexpr GaugeRow kGauges[] = {
    {Gauge::workers, Merge::sum, "weir_workers", "Workers that live"},
    {Gauge::redis_ready, Merge::sum, "weir_redis_ready_workers",
     "Workers whose connection to Redis is ready"},
    {Gauge::in_flight, Merge::sum, "weir_redis_in_flight", "Records that wait for Redis to answer"},
    {Gauge::breaker, Merge::count, "weir_breaker_workers",
     "Workers by the state of their circuit breaker"},
    {Gauge::spool_bytes, Merge::most, "weir_spool_bytes", "Bytes in the spool"},
    {Gauge::spool_records, Merge::most, "weir_spool_records", "Records in the spool"},
    {Gauge::spool_oldest_at, Merge::age, "weir_spool_oldest_age_seconds",
     "Age of the oldest record in the spool, 0 while it is empty"},
    {Gauge::stream_entries, Merge::sum, "weir_stream_entries",
     "Entries in the streams that the flusher has not stored yet"},
    {Gauge::stream_bytes, Merge::sum, "weir_stream_bytes", "Memory that the streams take in Redis"},
    {Gauge::stream_oldest_at, Merge::age, "weir_stream_oldest_age_seconds",
     "Age of the oldest entry in the stream, 0 while it is empty"},
};

// A row is found by its index.
constexpr bool is_in_order() {
  for (std::size_t i = 0; i < kMetricCount; ++i) {
    if (kMetrics[i].metric != static_cast<Metric>(i)) return false;
  }
  for (std::size_t i = 0; i < kGaugeCount; ++i) {
    if (kGauges[i].gauge != static_cast<Gauge>(i)) return false;
  }
  return true;
}

static_assert(std::size(kMetrics) == kMetricCount && std::size(kGauges) == kGaugeCount,
              "every figure has its row");
static_assert(is_in_order(), "rows stand in the order of the enumerations");

std::string label(std::string_view name, std::string_view value) {
  return std::string(name).append("=\"").append(value).append("\"");
}

std::string request_labels(std::size_t cell) {
  const auto endpoint = static_cast<Endpoint>(cell / kStatusCount);
  const std::size_t status = cell % kStatusCount;
  const bool named = status < std::size(kStatuses);
  return label("endpoint", endpoint_word(endpoint)) + ',' +
         label("status", named ? std::to_string(kStatuses[status]) : "other");
}

}  // namespace

const MetricRow& metric_row(Metric metric) { return kMetrics[static_cast<std::size_t>(metric)]; }
const GaugeRow& gauge_row(Gauge gauge) { return kGauges[static_cast<std::size_t>(gauge)]; }

std::string cell_labels(Metric metric, std::size_t cell) {
  if (metric == Metric::requests) return request_labels(cell);
  if (metric == Metric::refused_events) {
    return label("reason", reason_word(static_cast<Reason>(cell + 1)));
  }
  return std::string(metric_row(metric).labels);
}

}  // namespace weir
