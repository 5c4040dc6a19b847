// What workers count in memory that they share, and the page that Prometheus reads.
#include "core/metrics/metrics.h"

#include <algorithm>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "t/unit/metrics_zone.h"
#include "t/unit/suite.h"

namespace {

using weir::Endpoint;
using weir::Gauge;
using weir::Metric;
using weir::Metrics;
using weir::MetricsMemory;
using weir::Reason;
using weir_test::Zone;

constexpr auto kNow = Zone::kNow;

std::set<std::uint64_t> dead;  // all other processes live
bool is_alive(std::uint64_t process) { return dead.count(process) == 0; }

void assert_figure(Zone& zone, std::string_view series, std::string_view value) {
  ck_assert_view_eq(zone.figure(series), value);
}

START_TEST(what_is_counted_is_added_up_over_workers) {
  Zone zone(is_alive);
  Metrics one(zone.memory(), 1, is_alive), two(zone.memory(), 2, is_alive);
  one.add(Metric::spooled_records);
  two.add(Metric::spooled_records, 4);
  assert_figure(zone, "weir_spool_records_total", "5");
  assert_figure(zone, "weir_spool_bytes_total", "0");
}
END_TEST

START_TEST(requests_are_told_apart_by_endpoint_and_status) {
  Zone zone(is_alive);
  Metrics metrics(zone.memory(), 1, is_alive);
  metrics.answered(Endpoint::track, 200);
  metrics.answered(Endpoint::track, 200);
  metrics.answered(Endpoint::crash, 503);
  metrics.answered(Endpoint::crash, 418);
  assert_figure(zone, R"(weir_requests_total{endpoint="track",status="200"})", "2");
  assert_figure(zone, R"(weir_requests_total{endpoint="crash",status="503"})", "1");
  assert_figure(zone, R"(weir_requests_total{endpoint="crash",status="other"})", "1");
  assert_figure(zone, R"(weir_requests_total{endpoint="cli",status="200"})", "0");
}
END_TEST

START_TEST(refusals_are_told_apart_by_reason) {
  Zone zone(is_alive);
  Metrics metrics(zone.memory(), 1, is_alive);
  for (std::size_t i = 0; i <= weir::kReasonCount; ++i) metrics.refused(static_cast<Reason>(i), i);
  for (std::size_t i = 1; i <= weir::kReasonCount; ++i) {
    const std::string word(weir::reason_word(static_cast<Reason>(i)));
    assert_figure(zone, "weir_events_refused_total{reason=\"" + word + "\"}", std::to_string(i));
  }
}
END_TEST

START_TEST(every_metric_has_a_series_of_its_own) {
  for (std::size_t i = 0; i < weir::kMetricCount; ++i) {
    Zone zone(is_alive);
    const std::string before = zone.page();
    Metrics(zone.memory(), 1, is_alive).add(static_cast<Metric>(i), 7);
    std::istringstream old_lines(before), new_lines(zone.page());
    int changed = 0;
    for (std::string a, b; std::getline(old_lines, a) && std::getline(new_lines, b);) {
      changed += a != b;
      if (a != b) ck_assert_view_eq(b.substr(b.rfind(' ')), " 7");
    }
    ck_assert_int_eq(changed, 1);
  }
}
END_TEST

START_TEST(counters_outlive_their_worker_and_gauges_do_not) {
  Zone zone(is_alive);
  {
    Metrics metrics(zone.memory(), 1, is_alive);
    metrics.add(Metric::accepted_events, 3);
    metrics.set(Gauge::in_flight, 9);
    assert_figure(zone, "weir_redis_in_flight", "9");
    assert_figure(zone, "weir_workers", "1");
  }
  assert_figure(zone, "weir_redis_in_flight", "0");
  assert_figure(zone, "weir_workers", "0");
  Metrics next(zone.memory(), 2, is_alive);
  next.add(Metric::accepted_events);
  assert_figure(zone, "weir_events_accepted_total", "4");
}
END_TEST

START_TEST(a_killed_worker_leaves_its_counters_and_none_of_its_gauges) {
  Zone zone(is_alive);
  auto* killed = new Metrics(zone.memory(), 1, is_alive);
  killed->add(Metric::accepted_events, 3);
  killed->set(Gauge::in_flight, 9);
  ::operator delete(killed);  // as if killed: no destructor
  dead = {1};
  assert_figure(zone, "weir_redis_in_flight", "0");
  assert_figure(zone, "weir_events_accepted_total", "3");
  Metrics next(zone.memory(), 2, is_alive);
  ck_assert_uint_eq(zone.memory()->slots[0].owner.load(), 2);
  assert_figure(zone, "weir_redis_in_flight", "0");
  assert_figure(zone, "weir_workers", "1");
  dead.clear();
}
END_TEST

START_TEST(a_worker_with_the_number_of_a_dead_one_takes_its_slot) {
  Zone zone(is_alive);
  auto* killed = new Metrics(zone.memory(), 5, is_alive);
  killed->set(Gauge::in_flight, 9);
  ::operator delete(killed);
  const Metrics next(zone.memory(), 5, is_alive);
  assert_figure(zone, "weir_workers", "1");
  assert_figure(zone, "weir_redis_in_flight", "0");
}
END_TEST

START_TEST(more_workers_than_slots_still_count) {
  Zone zone(is_alive);
  std::vector<std::unique_ptr<Metrics>> workers;
  for (std::size_t i = 1; i <= weir::kMetricsSlots + 5; ++i) {
    workers.push_back(std::make_unique<Metrics>(zone.memory(), i, is_alive));
    workers.back()->add(Metric::accepted_events);
    workers.back()->set(Gauge::in_flight, 1);
  }
  assert_figure(zone, "weir_events_accepted_total", std::to_string(weir::kMetricsSlots + 5));
  assert_figure(zone, "weir_redis_in_flight", std::to_string(weir::kMetricsSlots - 1));
}
END_TEST

START_TEST(a_worker_without_memory_counts_nowhere) {
  Metrics none, null(nullptr, 1, is_alive);
  for (Metrics* metrics : {&none, &null}) {
    metrics->add(Metric::accepted_events);
    metrics->answered(Endpoint::track, 200);
    metrics->refused(Reason::missing);
    metrics->set(Gauge::in_flight, 1);
    metrics->kept_after(std::chrono::microseconds(1));
  }
}
END_TEST

START_TEST(memory_of_another_layout_starts_over) {
  Zone zone(is_alive);
  Metrics(zone.memory(), 1, is_alive).add(Metric::accepted_events, 3);
  assert_figure(zone, "weir_events_accepted_total", "3");
  static_cast<MetricsMemory*>(zone.bytes())->layout.store(weir::kMetricsLayout + 1);
  assert_figure(zone, "weir_events_accepted_total", "0");
}
END_TEST

START_TEST(gauges_are_merged_as_their_meaning_wants) {
  Zone zone(is_alive);
  Metrics one(zone.memory(), 1, is_alive), two(zone.memory(), 2, is_alive);
  Metrics three(zone.memory(), 3, is_alive);
  one.set(Gauge::spool_bytes, 100);
  two.set(Gauge::spool_bytes, 20);
  one.set(Gauge::stream_entries, 7);
  two.set(Gauge::stream_entries, 9);  // of another stream
  one.set(Gauge::breaker, 2);
  one.set(Gauge::spool_oldest_at, static_cast<std::uint64_t>(kNow - 1'500'000));
  two.set(Gauge::spool_oldest_at, static_cast<std::uint64_t>(kNow - 90'000'000));
  two.set(Gauge::stream_oldest_at, static_cast<std::uint64_t>(kNow + 1));
  assert_figure(zone, "weir_spool_bytes", "100");
  assert_figure(zone, "weir_stream_entries", "16");
  assert_figure(zone, R"(weir_breaker_workers{state="closed"})", "2");
  assert_figure(zone, R"(weir_breaker_workers{state="half_open"})", "0");
  assert_figure(zone, R"(weir_breaker_workers{state="open"})", "1");
  assert_figure(zone, "weir_spool_oldest_age_seconds", "90");
  assert_figure(zone, "weir_stream_oldest_age_seconds", "0");
  const auto earliest = [&](Gauge gauge) {
    return weir::earliest(*zone.memory(), gauge, is_alive);
  };
  ck_assert_uint_eq(earliest(Gauge::spool_oldest_at), kNow - 90'000'000);
  one.set(Gauge::stream_oldest_at, 0);
  two.set(Gauge::stream_oldest_at, 0);
  ck_assert_uint_eq(earliest(Gauge::stream_oldest_at), 0);
}
END_TEST

START_TEST(a_part_that_counts_for_itself_tells_its_total) {
  Zone zone(is_alive);
  Metrics(zone.memory(), 1, is_alive).reached(Metric::spool_syncs, 5);
  Metrics metrics(zone.memory(), 1, is_alive);
  metrics.reached(Metric::spool_syncs, 2);
  metrics.reached(Metric::spool_syncs, 2);
  metrics.reached(Metric::spool_syncs, 3);
  metrics.reached(Metric::spool_syncs, 1);
  assert_figure(zone, "weir_spool_syncs_total", "8");
}
END_TEST

START_TEST(times_fall_into_the_bucket_that_they_do_not_exceed) {
  Zone zone(is_alive);
  Metrics metrics(zone.memory(), 1, is_alive);
  for (const std::uint64_t micros : {0, 100, 101, 2'500'000, 2'500'001}) {
    metrics.kept_after(std::chrono::microseconds(micros));
  }
  const auto bucket = [&](std::string_view le, std::string_view count) {
    assert_figure(zone, "weir_keep_seconds_bucket{le=\"" + std::string(le) + "\"}", count);
  };
  bucket("0.0001", "2");
  bucket("0.00025", "3");
  bucket("1", "3");
  bucket("2.5", "4");
  bucket("+Inf", "5");
  assert_figure(zone, "weir_keep_seconds_count", "5");
  assert_figure(zone, "weir_keep_seconds_sum", "5.000202");
}
END_TEST

bool consists_of(std::string_view text, std::string_view allowed) {
  return !text.empty() && text.find_first_not_of(allowed) == text.npos;
}

constexpr std::string_view kNameLetters = "abcdefghijklmnopqrstuvwxyz_";

bool is_name(std::string_view text) {
  return text.substr(0, 5) == "weir_" && consists_of(text, kNameLetters);
}

// name="value",name="value", where no value needs to be escaped.
bool are_labels(std::string_view text) {
  while (!text.empty()) {
    const std::size_t equals = text.find("=\""), end = text.find('"', equals + 2);
    if (equals == text.npos || end == text.npos) return false;
    if (!consists_of(text.substr(0, equals), kNameLetters)) return false;
    if (!consists_of(text.substr(equals + 2, end - equals - 2),
                     "abcdefghijklmnopqrstuvwxyz_0123456789.+I")) {
      return false;
    }
    text.remove_prefix(end + 1);
    if (!text.empty() && text.front() != ',') return false;
    if (!text.empty()) text.remove_prefix(1);
  }
  return true;
}

bool is_sample(std::string_view line) {
  const std::size_t space = line.rfind(' ');
  if (space == line.npos || !consists_of(line.substr(space + 1), "0123456789.")) return false;
  const std::string_view series = line.substr(0, space), name = series.substr(0, series.find('{'));
  if (name.size() == series.size()) return is_name(name);
  const std::string_view labels = series.substr(name.size() + 1);
  return is_name(name) && labels.back() == '}' && are_labels(labels.substr(0, labels.size() - 1));
}

bool is_comment(std::string_view line) {
  const std::string_view kind = line.substr(0, 7),
                         rest = line.substr(std::min<std::size_t>(7, line.size()));
  const std::string_view name = rest.substr(0, rest.find(' '));
  const std::string_view text = rest.substr(std::min(rest.size(), name.size() + 1));
  if (!is_name(name)) return false;
  if (kind == "# TYPE ") return text == "counter" || text == "gauge" || text == "histogram";
  return kind == "# HELP " && !text.empty() && text.back() != '.';
}

// The grammar of Prometheus' text format, and its customs for names.
START_TEST(each_line_is_one_that_prometheus_reads) {
  const std::string page = Zone(is_alive).page();
  ck_assert(page.back() == '\n');
  std::set<std::string_view> series, families;
  for (std::string_view rest = page; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(line.size() + 1);
    const bool comment = line.front() == '#';
    ck_assert_msg(comment ? is_comment(line) : is_sample(line), "%s", std::string(line).c_str());
    if (!comment) ck_assert(series.insert(line.substr(0, line.rfind(' '))).second);
    if (line.substr(0, 7) != "# TYPE ") continue;
    ck_assert(families.insert(line).second);
    const bool is_counter = line.find(" counter") != line.npos;
    ck_assert(is_counter == (line.find("_total ") != line.npos));
  }
}
END_TEST

START_TEST(workers_may_count_at_once) {
  Zone zone(is_alive);
  Metrics shared(zone.memory(), 1, is_alive);
  const auto count = [&] {
    for (int i = 0; i < 10'000; ++i) shared.add(Metric::accepted_events);
  };
  std::thread other(count);
  count();
  other.join();
  assert_figure(zone, "weir_events_accepted_total", "20000");
}
END_TEST

const weir_test::Register kRegistered(
    "metrics",
    {a_part_that_counts_for_itself_tells_its_total, what_is_counted_is_added_up_over_workers,
     requests_are_told_apart_by_endpoint_and_status, refusals_are_told_apart_by_reason,
     every_metric_has_a_series_of_its_own, counters_outlive_their_worker_and_gauges_do_not,
     a_killed_worker_leaves_its_counters_and_none_of_its_gauges,
     a_worker_with_the_number_of_a_dead_one_takes_its_slot, more_workers_than_slots_still_count,
     a_worker_without_memory_counts_nowhere, memory_of_another_layout_starts_over,
     gauges_are_merged_as_their_meaning_wants, times_fall_into_the_bucket_that_they_do_not_exceed,
     each_line_is_one_that_prometheus_reads, workers_may_count_at_once});

}  // namespace
