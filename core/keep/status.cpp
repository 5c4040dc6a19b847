#include "core/keep/status.h"

namespace weir {
namespace {

std::uint64_t moment(Timestamp time) { return time > 0 ? static_cast<std::uint64_t>(time) : 0; }

void publish_spool(const SpoolStatus& spool, Timestamp now, Metrics& metrics) {
  metrics.set(Gauge::spool_bytes, spool.bytes);
  metrics.set(Gauge::spool_records, spool.records);
  const bool empty = spool.segments == 0;
  const auto age = static_cast<Timestamp>(spool.oldest_age) * kMicrosPerSecond;
  metrics.set(Gauge::spool_oldest_at, empty ? 0 : moment(now - age));

  metrics.reached(Metric::spooled_records, spool.spooled);
  metrics.reached(Metric::spooled_bytes, spool.spooled_bytes);
  metrics.reached(Metric::spool_syncs, spool.syncs);
  metrics.reached(Metric::unspooled_records, spool.refused);
  metrics.reached(Metric::drained_records, spool.drained);
  metrics.reached(Metric::torn_segments, spool.torn_tails);
  metrics.reached(Metric::damaged_records, spool.corrupt);
  metrics.reached(Metric::unfit_records, spool.unfit);
  metrics.reached(Metric::spool_failures, spool.failures);
}

}  // namespace

void publish(const KeepStatus& status, Timestamp now, Metrics& metrics) noexcept {
  metrics.set(Gauge::redis_ready, status.redis == Courier::State::ready ? 1 : 0);
  metrics.set(Gauge::breaker, static_cast<std::uint64_t>(status.breaker));
  metrics.set(Gauge::in_flight, status.in_flight);
  const bool tells = status.tells_of_stream;
  metrics.set(Gauge::stream_entries, tells ? status.stream.entries.value_or(0) : 0);
  metrics.set(Gauge::stream_bytes, tells ? status.stream.bytes.value_or(0) : 0);
  metrics.set(Gauge::stream_oldest_at, moment(status.stream.oldest_at.value_or(0)));
  publish_spool(status.spool, now, metrics);
}

}  // namespace weir
