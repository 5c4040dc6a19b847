// What workers count in memory that they share, and the page that Prometheus reads.
#include "core/metrics/metrics.h"

#include <cstdlib>
#include <cstring>
#include <memory>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "core/metrics/render.h"
#include "t/unit/suite.h"

namespace {

using weir::Endpoint;
using weir::Gauge;
using weir::Metric;
using weir::Metrics;
using weir::MetricsMemory;
using weir::Reason;

constexpr weir::Timestamp kNow = 1'795'262'400'000'000;

std::set<std::uint64_t> dead;  // all other processes live
bool is_alive(std::uint64_t process) { return dead.count(process) == 0; }

// Shared memory as a server gives it.
class Zone {
 public:
  Zone() : bytes_(std::aligned_alloc(64, weir::kMetricsBytes)) {
    std::memset(bytes_.get(), 0, weir::kMetricsBytes);
  }
  void* bytes() { return bytes_.get(); }
  MetricsMemory* memory() { return weir::open_metrics(bytes()); }
  std::string page() { return weir::render_metrics(*memory(), is_alive, kNow); }

 private:
  struct Free {
    void operator()(void* bytes) const { std::free(bytes); }
  };
  std::unique_ptr<void, Free> bytes_;
};

// The figure on a page, or "none".
std::string figure(const std::string& page, std::string_view series) {
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) {
    const auto space = line.rfind(' ');
    if (line.substr(0, space) == series) return line.substr(space + 1);
  }
  return "none";
}

void assert_figure(Zone& zone, std::string_view series, std::string_view value) {
  ck_assert_view_eq(figure(zone.page(), series), value);
}

START_TEST(what_is_counted_is_added_up_over_workers) {
  Zone zone;
  Metrics one(zone.memory(), 1, is_alive), two(zone.memory(), 2, is_alive);
  one.add(Metric::spooled_records);
  two.add(Metric::spooled_records, 4);
  assert_figure(zone, "weir_spool_records_total", "5");
  assert_figure(zone, "weir_spool_bytes_total", "0");
}
END_TEST

START_TEST(requests_are_told_apart_by_endpoint_and_status) {
  Zone zone;
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
  Zone zone;
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
    Zone zone;
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
  Zone zone;
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
  Zone zone;
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
  Zone zone;
  auto* killed = new Metrics(zone.memory(), 5, is_alive);
  killed->set(Gauge::in_flight, 9);
  ::operator delete(killed);
  const Metrics next(zone.memory(), 5, is_alive);
  assert_figure(zone, "weir_workers", "1");
  assert_figure(zone, "weir_redis_in_flight", "0");
}
END_TEST

START_TEST(more_workers_than_slots_still_count) {
  Zone zone;
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
    metrics->acknowledged_after(1);
  }
}
END_TEST

START_TEST(memory_of_another_layout_starts_over) {
  Zone zone;
  Metrics(zone.memory(), 1, is_alive).add(Metric::accepted_events, 3);
  assert_figure(zone, "weir_events_accepted_total", "3");
  static_cast<MetricsMemory*>(zone.bytes())->layout.store(weir::kMetricsLayout + 1);
  assert_figure(zone, "weir_events_accepted_total", "0");
}
END_TEST

START_TEST(gauges_are_merged_as_their_meaning_wants) {
  Zone zone;
  Metrics one(zone.memory(), 1, is_alive), two(zone.memory(), 2, is_alive);
  Metrics three(zone.memory(), 3, is_alive);
  one.set(Gauge::spool_bytes, 100);
  two.set(Gauge::spool_bytes, 20);
  one.set(Gauge::stream_entries, 7);
  two.set(Gauge::stream_entries, 9);
  one.set(Gauge::breaker, 2);
  one.set(Gauge::spool_oldest_at, static_cast<std::uint64_t>(kNow - 1'500'000));
  two.set(Gauge::spool_oldest_at, static_cast<std::uint64_t>(kNow - 90'000'000));
  two.set(Gauge::stream_oldest_at, static_cast<std::uint64_t>(kNow + 1));
  assert_figure(zone, "weir_spool_bytes", "120");
  assert_figure(zone, "weir_stream_entries", "9");
  assert_figure(zone, R"(weir_breaker_workers{state="closed"})", "2");
  assert_figure(zone, R"(weir_breaker_workers{state="half_open"})", "0");
  assert_figure(zone, R"(weir_breaker_workers{state="open"})", "1");
  assert_figure(zone, "weir_spool_oldest_age_seconds", "90");
  assert_figure(zone, "weir_stream_oldest_age_seconds", "0");
}
END_TEST

START_TEST(times_fall_into_the_bucket_that_they_do_not_exceed) {
  Zone zone;
  Metrics metrics(zone.memory(), 1, is_alive);
  for (const std::uint64_t micros : {0, 100, 101, 2'500'000, 2'500'001}) {
    metrics.acknowledged_after(micros);
  }
  const auto bucket = [&](std::string_view le, std::string_view count) {
    assert_figure(zone, "weir_redis_answer_seconds_bucket{le=\"" + std::string(le) + "\"}", count);
  };
  bucket("0.0001", "2");
  bucket("0.00025", "3");
  bucket("1", "3");
  bucket("2.5", "4");
  bucket("+Inf", "5");
  assert_figure(zone, "weir_redis_answer_seconds_count", "5");
  assert_figure(zone, "weir_redis_answer_seconds_sum", "5.000202");
  assert_figure(zone, R"(weir_redis_records_total{outcome="acknowledged"})", "5");
}
END_TEST

// The grammar of Prometheus' text format, and its customs for names.
START_TEST(each_line_is_one_that_prometheus_reads) {
  const std::regex comment(
      "# (HELP weir_[a-z_]+ [ -~]+[^.]|TYPE weir_[a-z_]+ (counter|gauge|histogram))");
  const std::regex sample(R"re((weir_[a-z_]+)(\{([a-z_]+="[a-z0-9_.+Inf]+",?)+\})? [0-9.]+)re");
  const std::string page = Zone().page();
  ck_assert(page.back() == '\n');
  std::istringstream lines(page);
  std::string type;
  std::set<std::string> series, families;
  for (std::string line; std::getline(lines, line);) {
    std::smatch found;
    ck_assert_msg(std::regex_match(line, found, line[0] == '#' ? comment : sample), "%s",
                  line.c_str());
    if (line[0] != '#') ck_assert(series.insert(line.substr(0, line.rfind(' '))).second);
    if (line.rfind("# TYPE ", 0) != 0) continue;
    ck_assert(families.insert(line).second);
    const bool total = line.find("_total counter") != line.npos;
    ck_assert(total == (line.find(" counter") != line.npos));
  }
}
END_TEST

START_TEST(workers_may_count_at_once) {
  Zone zone;
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
    {what_is_counted_is_added_up_over_workers, requests_are_told_apart_by_endpoint_and_status,
     refusals_are_told_apart_by_reason, every_metric_has_a_series_of_its_own,
     counters_outlive_their_worker_and_gauges_do_not,
     a_killed_worker_leaves_its_counters_and_none_of_its_gauges,
     a_worker_with_the_number_of_a_dead_one_takes_its_slot, more_workers_than_slots_still_count,
     a_worker_without_memory_counts_nowhere, memory_of_another_layout_starts_over,
     gauges_are_merged_as_their_meaning_wants, times_fall_into_the_bucket_that_they_do_not_exceed,
     each_line_is_one_that_prometheus_reads, workers_may_count_at_once});

}  // namespace
