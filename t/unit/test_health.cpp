// What /health answers, and what becomes of the same facts as metrics.
#include "core/http/health.h"

#include "t/unit/metrics_zone.h"
#include "t/unit/suite.h"

namespace {

using weir::BreakerState;
using weir::Courier;
using weir::KeepStatus;
using weir_test::Zone;

constexpr auto kNow = Zone::kNow;
constexpr auto kSecond = weir::kMicrosPerSecond;

KeepStatus ready() {
  KeepStatus status;
  status.redis = Courier::State::ready;
  return status;
}

weir::SpoolStatus spool(bool can_take) {
  weir::SpoolStatus spool;
  spool.configured = true;
  spool.can_take = can_take;
  spool.why = can_take ? "" : "the file system is full";
  spool.bytes = 4096;
  spool.limit = 1 << 30;
  spool.records = 7;
  spool.segments = 1;
  spool.oldest_age = 90;
  return spool;
}

std::string body_of(const KeepStatus& status) {
  std::string body;
  weir::health_answer(status, kNow, body);
  return body;
}

int status_of(const KeepStatus& status) {
  std::string body;
  const weir::Answer answer = weir::health_answer(status, kNow, body);
  ck_assert(answer.retry_after.empty() == (answer.status == 200));
  ck_assert_view_eq(answer.body, body);
  ck_assert_view_eq(answer.media, "application/json");
  return answer.status;
}

bool holds(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

START_TEST(the_connection_for_replicas_is_shown_where_there_is_one) {
  KeepStatus status = ready();
  ck_assert(!holds(body_of(status), "replicated"));
  status.replicated = Courier::State::refusing;
  ck_assert(
      holds(body_of(status), "\"status\":\"ok\",\"redis\":\"ready\",\"replicated\":\"refusing\""));
  ck_assert_int_eq(status_of(status), 200);
}
END_TEST

START_TEST(it_is_200_while_redis_or_the_spool_takes_events) {
  for (const auto redis : {Courier::State::ready, Courier::State::away, Courier::State::greeting,
                           Courier::State::refusing}) {
    KeepStatus status;
    status.redis = redis;
    const bool is_ready = redis == Courier::State::ready;
    ck_assert_int_eq(status_of(status), is_ready ? 200 : 503);
    status.spool = spool(false);
    ck_assert_int_eq(status_of(status), is_ready ? 200 : 503);
    status.spool = spool(true);
    ck_assert_int_eq(status_of(status), 200);
  }
}
END_TEST

START_TEST(a_word_sums_it_up) {
  ck_assert(holds(body_of(ready()), R"({"status":"ok","redis":"ready",)"));
  KeepStatus status;
  ck_assert(holds(body_of(status), R"({"status":"unavailable","redis":"away",)"));
  status.redis = Courier::State::greeting;
  ck_assert(holds(body_of(status), R"({"status":"unavailable","redis":"not answering",)"));
  status.redis = Courier::State::refusing;
  status.spool = spool(true);
  ck_assert(holds(body_of(status), R"({"status":"spooling","redis":"refusing",)"));
}
END_TEST

START_TEST(what_is_not_known_is_null) {
  ck_assert_view_eq(body_of(ready()),
                    R"({"status":"ok","redis":"ready","breaker":"closed","in_flight":0,)"
                    R"("spool":null,"stream":{"entries":null,"bytes":null,"oldest_age":null,)"
                    R"("too_long":false}})");
}
END_TEST

START_TEST(what_is_known_is_shown) {
  KeepStatus status = ready();
  status.breaker = BreakerState::half_open;
  status.in_flight = 3;
  status.spool = spool(true);
  status.spool.draining = true;
  status.stream = {12, 34567, kNow - 5 * kSecond, true};
  ck_assert_view_eq(
      body_of(status),
      R"({"status":"ok","redis":"ready","breaker":"half_open","in_flight":3,)"
      R"("spool":{"can_take":true,"bytes":4096,"limit":1073741824,"records":7,"oldest_age":90,)"
      R"("draining":true},"stream":{"entries":12,"bytes":34567,"oldest_age":5,"too_long":true}})");
}
END_TEST

START_TEST(a_spool_that_takes_nothing_says_why) {
  KeepStatus status;
  status.spool = spool(false);
  ck_assert(
      holds(body_of(status), R"("spool":{"can_take":false,"why":"the file system is full",)"));
  status.spool.why = "a \"quoted\" word";
  ck_assert(holds(body_of(status), R"("why":"a \"quoted\" word")"));
}
END_TEST

START_TEST(an_empty_stream_has_no_age_and_none_is_negative) {
  KeepStatus status = ready();
  status.stream.entries = 0;
  ck_assert(holds(body_of(status), R"("entries":0,"bytes":null,"oldest_age":0)"));
  status.stream = {1, {}, kNow + kSecond, false};
  ck_assert(holds(body_of(status), R"("oldest_age":0)"));
}
END_TEST

START_TEST(the_same_facts_are_published_as_metrics) {
  Zone zone;
  weir::Metrics metrics(zone.memory(), 1, weir_test::always_alive);
  KeepStatus status = ready();
  status.breaker = BreakerState::open;
  status.in_flight = 3;
  status.spool = spool(true);
  status.spool.spooled = 11;
  status.spool.spooled_bytes = 1100;
  status.spool.syncs = 2;
  status.spool.refused = 4;
  status.spool.drained = 5;
  status.spool.torn_tails = 6;
  status.spool.corrupt = 8;
  status.spool.failures = 9;
  status.stream = {12, 34567, kNow - 5 * kSecond, true};
  weir::publish(status, kNow, metrics);
  weir::publish(status, kNow, metrics);
  const std::pair<const char*, const char*> wanted[] = {
      {"weir_redis_ready_workers", "1"},
      {R"(weir_breaker_workers{state="open"})", "1"},
      {"weir_redis_in_flight", "3"},
      {"weir_spool_bytes", "4096"},
      {"weir_spool_records", "7"},
      {"weir_spool_oldest_age_seconds", "90"},
      {"weir_stream_entries", "12"},
      {"weir_stream_bytes", "34567"},
      {"weir_stream_oldest_age_seconds", "5"},
      {"weir_spool_records_total", "11"},
      {"weir_spool_bytes_total", "1100"},
      {"weir_spool_syncs_total", "2"},
      {"weir_spool_refused_records_total", "4"},
      {"weir_spool_drained_records_total", "5"},
      {"weir_spool_torn_segments_total", "6"},
      {"weir_spool_damaged_records_total", "8"},
      {"weir_spool_failures_total", "9"}};
  for (const auto& [series, value] : wanted) ck_assert_view_eq(zone.figure(series), value);
}
END_TEST

START_TEST(what_is_gone_is_published_as_gone) {
  Zone zone;
  weir::Metrics metrics(zone.memory(), 1, weir_test::always_alive);
  KeepStatus status = ready();
  status.spool = spool(true);
  status.stream = {12, 34567, kNow - 5 * kSecond, false};
  weir::publish(status, kNow, metrics);
  status.redis = Courier::State::away;
  status.spool.segments = status.spool.records = status.spool.oldest_age = 0;
  status.stream = {0, 100, {}, false};
  weir::publish(status, kNow, metrics);
  for (const char* series : {"weir_redis_ready_workers", "weir_spool_records",
                             "weir_spool_oldest_age_seconds", "weir_stream_oldest_age_seconds"}) {
    ck_assert_view_eq(zone.figure(series), "0");
  }
}
END_TEST

const weir_test::Register kRegistered(
    "health", {the_connection_for_replicas_is_shown_where_there_is_one,
               it_is_200_while_redis_or_the_spool_takes_events, a_word_sums_it_up,
               what_is_not_known_is_null, what_is_known_is_shown,
               a_spool_that_takes_nothing_says_why, an_empty_stream_has_no_age_and_none_is_negative,
               the_same_facts_are_published_as_metrics, what_is_gone_is_published_as_gone});

}  // namespace
