#include "flusher/health.h"

#include <string>

#include "flusher/metrics.h"
#include "t/unit/suite.h"

using namespace weir::flusher;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

const SteadyTime kNow = SteadyTime() + hours(100);
constexpr seconds kLimit{60};

// A flusher at work on one stream.
Status at_work() {
  Status status;
  status.postgres.is_up = status.redis.is_up = true;
  status.started = kNow - hours(1);
  status.published = kNow - milliseconds(300);
  ShardStatus shard;
  shard.stream = "weir:{0}";
  shard.is_held = true;
  shard.last_progress = kNow - milliseconds(800);
  shard.backlog_at = kNow - seconds(1);
  status.shards.push_back(shard);
  return status;
}

Reason reason_of(const Status& status) { return judge(status, kNow, kLimit).reason; }

Status with_progress(SteadyTime::duration age) {
  Status status = at_work();
  status.shards[0].last_progress = kNow - age;
  return status;
}

}  // namespace

START_TEST(one_that_works_is_healthy) {
  ck_assert(reason_of(at_work()) == Reason::none);
  ck_assert(judge(at_work(), kNow, kLimit).detail.empty());
}
END_TEST

START_TEST(one_that_said_nothing_yet_is_starting) {
  ck_assert(reason_of(Status()) == Reason::starting);
  Status status = at_work();
  status.postgres.is_up = false;
  ck_assert(reason_of(status) == Reason::starting);
}
END_TEST

START_TEST(one_that_fell_silent_hangs_whatever_it_said_last) {
  Status status = at_work();
  status.published = kNow - seconds(21);
  ck_assert(reason_of(status) == Reason::hangs);
  status.stands_by = status.postgres.is_away = true;
  ck_assert(reason_of(status) == Reason::hangs);
}
END_TEST

START_TEST(a_server_that_is_away_is_the_reason) {
  Status status = with_progress(hours(1));
  status.redis.is_away = true;
  ck_assert(reason_of(status) == Reason::redis_away);
  status.postgres.is_away = true;
  status.postgres.error = "no\nroom \xff";
  const Health health = judge(status, kNow, kLimit);
  ck_assert(health.reason == Reason::postgres_away);
  ck_assert(health.detail.find("no room  ") != std::string::npos);
}
END_TEST

START_TEST(a_stream_without_progress_is_a_reason_after_the_limit_and_only_if_it_is_ours) {
  ck_assert(reason_of(with_progress(seconds(59))) == Reason::none);
  Status status = with_progress(seconds(60));
  ck_assert(reason_of(status) == Reason::no_progress);
  status.shards[0].is_held = false;
  ck_assert(reason_of(status) == Reason::none);
}
END_TEST

START_TEST(a_record_of_a_newer_weir_is_a_reason_though_its_stream_was_given_back) {
  Status status = at_work();
  status.shards[0].is_held = false;
  status.shards[0].needs_upgrade = true;
  ck_assert(reason_of(status) == Reason::needs_upgrade);
}
END_TEST

START_TEST(the_answer_says_reason_servers_and_streams) {
  Status status = at_work();
  std::string body = health_json(status, judge(status, kNow, kLimit), kNow);
  ck_assert_str_eq(
      body.c_str(),
      "{\"status\":\"ok\",\"postgres\":\"up\",\"redis\":\"up\",\"streams\":[{\"stream\":"
      "\"weir:{0}\",\"held\":true,\"position\":\"\",\"lag_entries\":0,"
      "\"lag_events\":0,\"lag_seconds\":0,\"progress_age\":0}]}\n");
  status.unread = {{"weir:{1}", 12}, {"weir:{2}", 1}};
  body = health_json(status, judge(status, kNow, kLimit), kNow);
  ck_assert(body.find("\"status\":\"ok\"") != std::string::npos);
  ck_assert(body.find("}],\"unread_streams\":[{\"stream\":\"weir:{1}\",\"entries\":12},{\"stream\":"
                      "\"weir:{2}\",\"entries\":1}]}\n") != std::string::npos);
  status.unread.clear();
  status.shards.clear();
  status.postgres.is_up = false;
  status.postgres.is_away = true;
  status.postgres.error = "a \"word\"";
  body = health_json(status, judge(status, kNow, kLimit), kNow);
  ck_assert_str_eq(
      body.c_str(),
      "{\"status\":\"unavailable\",\"reason\":\"postgres_away\",\"detail\":\"PostgreSQL is"
      " away or refuses what it is told: a \\\"word\\\"; what comes waits in Redis\","
      "\"postgres\":\"away\",\"redis\":\"up\",\"streams\":[]}\n");
}
END_TEST

START_TEST(a_restart_is_for_one_that_goes_in_circles) {
  ck_assert(!is_case_for_restart(at_work(), kNow));
  ck_assert(!is_case_for_restart(with_progress(minutes(9)), kNow));
  ck_assert(is_case_for_restart(with_progress(minutes(10)), kNow));
  Status status = with_progress(minutes(10));
  status.shards[0].storing_since = kNow - seconds(1);  // one short batch after the other
  ck_assert(is_case_for_restart(status, kNow));
}
END_TEST

START_TEST(no_restart_in_an_outage_nor_in_a_long_batch_nor_without_a_lease) {
  Status status = with_progress(hours(9));
  status.redis.is_away = true;
  ck_assert(!is_case_for_restart(status, kNow));
  status = with_progress(hours(9));
  status.postgres.is_away = true;
  ck_assert(!is_case_for_restart(status, kNow));
  status = with_progress(minutes(59));
  status.shards[0].storing_since = kNow - minutes(59);
  ck_assert(!is_case_for_restart(status, kNow));
  status.shards[0].storing_since = kNow - minutes(61);
  ck_assert(is_case_for_restart(status, kNow));
  status.shards[0].is_held = false;
  ck_assert(!is_case_for_restart(status, kNow));
}
END_TEST

START_TEST(metrics_of_what_never_was_are_there_too) {
  const std::string page = metrics_page(Status(), kLimit);
  for (const char* line : {"weir_flusher_stored_rows_total 0\n", "weir_flusher_healthy 0\n",
                           "weir_flusher_server_up{server=\"redis\"} 0\n",
                           "weir_flusher_start_timestamp_seconds 0\n"}) {
    ck_assert_msg(page.find(line) != std::string::npos, "%s", line);
  }
  Status status;
  status.shards.emplace_back().stream = "a\"b\\c\nd";
  ck_assert(metrics_page(status, kLimit)
                .find("weir_flusher_lag_entries{stream=\"a\\\"b\\\\c\\nd\"} 0\n") !=
            std::string::npos);
}
END_TEST

const weir_test::Register kRegistered(
    "flusher_health",
    {one_that_works_is_healthy, one_that_said_nothing_yet_is_starting,
     one_that_fell_silent_hangs_whatever_it_said_last, a_server_that_is_away_is_the_reason,
     a_stream_without_progress_is_a_reason_after_the_limit_and_only_if_it_is_ours,
     a_record_of_a_newer_weir_is_a_reason_though_its_stream_was_given_back,
     the_answer_says_reason_servers_and_streams, a_restart_is_for_one_that_goes_in_circles,
     no_restart_in_an_outage_nor_in_a_long_batch_nor_without_a_lease,
     metrics_of_what_never_was_are_there_too});
