#include "flusher/metrics.h"

#include <functional>
#include <utility>
#include <vector>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include "flusher/health.h"
#include "flusher/stream_id.h"

namespace weir::flusher {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

struct Moment {
  const Status& status;
  SteadyTime steady;
  std::chrono::system_clock::time_point wall;
  std::chrono::seconds limit;

  // Seconds since 1970; 0 for never.
  double stamp(std::optional<SteadyTime> time) const {
    if (!time) return 0;
    return std::chrono::duration<double>(wall.time_since_epoch() - (steady - *time)).count();
  }
};

using Fill = std::function<void(const Moment&, MetricFamily&)>;

struct Metric {
  const char *name, *help;
  MetricType type;
  Fill fill;
};

ClientMetric& add(MetricFamily& family, double figure) {
  ClientMetric metric;
  if (family.type == MetricType::Counter) {
    metric.counter.value = figure;
  } else {
    metric.gauge.value = figure;
  }
  return family.metric.emplace_back(std::move(metric));
}

template <typename Figure>
Fill one(Figure figure) {
  return [figure](const Moment& now, MetricFamily& family) {
    add(family, static_cast<double>(figure(now)));
  };
}

Fill counted(std::uint64_t Status::*member) {
  return one([member](const Moment& now) { return now.status.*member; });
}

Fill histogram(ClientMetric::Histogram Status::*member) {
  return [member](const Moment& now, MetricFamily& family) {
    family.metric.emplace_back().histogram = now.status.*member;
  };
}

template <typename Figure>
Fill each_server(Figure figure) {
  return [figure](const Moment& now, MetricFamily& family) {
    add(family, static_cast<double>(figure(now.status.postgres))).label = {{"server", "postgres"}};
    add(family, static_cast<double>(figure(now.status.redis))).label = {{"server", "redis"}};
  };
}

template <typename Figure>
Fill each_stream(Figure figure) {
  return [figure](const Moment& now, MetricFamily& family) {
    for (const ShardStatus& shard : now.status.shards) {
      add(family, static_cast<double>(figure(now, shard))).label = {{"stream", shard.stream}};
    }
  };
}

bool is_healthy(const Moment& now) {
  return judge(now.status, now.steady, now.limit).reason == Reason::none;
}

double position_stamp(const Moment&, const ShardStatus& shard) {
  const auto id = parse_stream_id(shard.position);
  return id ? static_cast<double>(id->milliseconds) / 1000 : 0;
}

// Here `one` reads a moment, the others a server or a stream of it.
constexpr auto kCounter = MetricType::Counter, kGauge = MetricType::Gauge,
               kHistogram = MetricType::Histogram;
using Shard = const ShardStatus&;
using Server = const ServerStatus&;
using Now = const Moment&;

std::vector<Metric> of_what_is_stored() {
  return {
      {"weir_flusher_stored_rows_total", "Rows stored", kCounter, counted(&Status::stored)},
      {"weir_flusher_duplicate_rows_total", "Rows left out since they were stored already",
       kCounter, counted(&Status::duplicates)},
      {"weir_flusher_dead_rows_total", "Rows and records put into dead_letters", kCounter,
       counted(&Status::dead)},
      {"weir_flusher_stored_entries_total", "Entries of streams stored", kCounter,
       counted(&Status::entries)},
      {"weir_flusher_batches_total", "Batches committed", kCounter, counted(&Status::batches)},
      {"weir_flusher_batch_rows", "Rows of a batch, duplicates and dead ones included", kHistogram,
       histogram(&Status::batch_rows)},
      {"weir_flusher_batch_seconds", "Time that storing a batch took, from BEGIN to COMMIT",
       kHistogram, histogram(&Status::batch_seconds)},
  };
}

std::vector<Metric> of_the_flusher() {
  return {
      {"weir_flusher_outages_total", "Times that a server went away or refused", kCounter,
       each_server([](Server server) { return server.outages; })},
      {"weir_flusher_failures_total", "Failures of a server, each followed by a wait", kCounter,
       each_server([](Server server) { return server.failures; })},
      {"weir_flusher_server_up", "1 while a server is connected and takes what it is told", kGauge,
       each_server([](Server server) { return server.is_up; })},
      {"weir_flusher_healthy", "1 while /health answers 200", kGauge, one(is_healthy)},
      {"weir_flusher_standing_by", "1 while others hold the leases on all streams", kGauge,
       one([](Now now) { return now.status.stands_by; })},
      {"weir_flusher_unread_streams",
       "Streams that hold entries and that no living flusher reads, beside those of this one",
       kGauge, one([](Now now) { return now.status.unread.size(); })},
      {"weir_flusher_start_timestamp_seconds", "When this flusher started", kGauge,
       one([](Now now) { return now.stamp(now.status.started); })},
  };
}

std::vector<Metric> of_roll_ups() {
  return {
      {"weir_flusher_roll_up_steps_total", "Days of a tenant whose roll-ups this flusher built",
       kCounter, one([](Now now) { return now.status.roll_ups.steps; })},
      {"weir_flusher_roll_up_seconds_total", "Time that it took", kCounter,
       one([](Now now) { return now.status.roll_ups.seconds; })},
      {"weir_flusher_roll_up_failures_total", "Steps of it that failed, each tried again", kCounter,
       one([](Now now) { return now.status.roll_ups.failures; })},
      {"weir_flusher_roll_up_waiting_days", "Days of a tenant whose roll-ups are to be built",
       kGauge, one([](Now now) { return now.status.roll_ups.days; })},
      {"weir_flusher_roll_up_age_seconds",
       "Age of the oldest rows that roll-ups do not count yet, 0 while there are none", kGauge,
       one([](Now now) { return now.status.roll_ups.oldest_seconds; })},
  };
}

std::vector<Metric> of_streams() {
  return {
      {"weir_flusher_lease_held", "1 while this flusher reads the stream", kGauge,
       each_stream([](Now, Shard shard) { return shard.is_held; })},
      {"weir_flusher_lag_entries", "Entries in the stream when Redis was last asked", kGauge,
       each_stream([](Now, Shard shard) { return shard.backlog; })},
      {"weir_flusher_lag_events",
       "Events in them: exact where none waits or all are read; entries not read yet count as the"
       " mean of those read lately",
       kGauge, each_stream([](Now, Shard shard) { return shard.backlog_events; })},
      {"weir_flusher_lag_seconds", "Age of the oldest of them, 0 while there is none", kGauge,
       each_stream([](Now, Shard shard) { return shard.backlog_seconds; })},
      {"weir_flusher_lag_timestamp_seconds", "When Redis was last asked for them, 0 for never",
       kGauge, each_stream([](Now now, Shard shard) { return now.stamp(shard.backlog_at); })},
      {"weir_flusher_position_timestamp_seconds",
       "When the entry that this flusher stored last came into Redis, 0 while it is not known",
       kGauge, each_stream(position_stamp)},
      {"weir_flusher_progress_timestamp_seconds",
       "When this flusher last stored a batch of the stream or found it empty, 0 for never", kGauge,
       each_stream([](Now now, Shard shard) { return now.stamp(shard.last_progress); })},
  };
}

std::vector<Metric> make_table() {
  std::vector<Metric> table;
  for (const auto part : {of_what_is_stored, of_the_flusher, of_roll_ups, of_streams}) {
    for (Metric& metric : part()) table.push_back(std::move(metric));
  }
  return table;
}

}  // namespace

std::string metrics_page(const Status& status, std::chrono::seconds limit) {
  static const std::vector<Metric> kTable = make_table();
  const Moment now{status, std::chrono::steady_clock::now(), std::chrono::system_clock::now(),
                   limit};
  std::vector<MetricFamily> families;
  for (const Metric& metric : kTable) {
    families.push_back({metric.name, metric.help, metric.type, {}});
    metric.fill(now, families.back());
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace weir::flusher
