// The words that say where Redis is.
#include "core/redis/settings.h"

#include "t/unit/suite.h"

using weir::read_redis_settings;
using weir::RedisSettings;

namespace {

using Words = std::vector<std::string_view>;
using std::chrono::milliseconds;

RedisSettings read(const Words& words) {
  RedisSettings settings;
  ck_assert_view_eq(read_redis_settings(words, settings), "");
  return settings;
}

void assert_refused(const Words& words, std::string_view why) {
  RedisSettings settings;
  const std::string fault = read_redis_settings(words, settings);
  ck_assert_msg(fault.find(why) != std::string::npos, "'%s' lacks '%s'", fault.c_str(),
                std::string(why).c_str());
}

START_TEST(an_address_is_enough) {
  const auto settings = read({"unix:/run/redis.sock"});
  ck_assert_view_eq(settings.addresses.at(0).path, "/run/redis.sock");
  ck_assert_view_eq(settings.courier.stream, "weir:{0}");
  ck_assert(settings.courier.timeout == milliseconds(2000));
  ck_assert_uint_eq(settings.courier.max_waiting, 16384);
  ck_assert(settings.courier.user.empty() && settings.password_file.empty());
}
END_TEST

START_TEST(parameters_come_in_any_order) {
  const auto settings = read({"h:1", "inflight=7", "stream=weir:{1}=a", "timeout=500ms",
                              "password_file=/etc/weir/password", "user=edge"});
  ck_assert_view_eq(settings.addresses.at(0).host, "h");
  ck_assert_view_eq(settings.courier.user, "edge");
  ck_assert_view_eq(settings.courier.stream, "weir:{1}=a");
  ck_assert_view_eq(settings.password_file, "/etc/weir/password");
  ck_assert(settings.courier.timeout == milliseconds(500));
  ck_assert_uint_eq(settings.courier.max_waiting, 7);
}
END_TEST

START_TEST(shards_are_streams_among_which_workers_go_round) {
  const auto settings = read({"h:1", "shards=2"});
  ck_assert_uint_eq(settings.shards, 2);
  ck_assert_view_eq(weir::stream_of(settings.courier, 2, 0), "weir:{0}");
  ck_assert_view_eq(weir::stream_of(settings.courier, 2, 1), "weir:{1}");
  ck_assert_view_eq(weir::stream_of(settings.courier, 2, 2), "weir:{0}");
  ck_assert(weir::is_first_of_stream(2, 1) && !weir::is_first_of_stream(2, 2));
  ck_assert_view_eq(weir::stream_of(read({"h:1", "stream=s"}).courier, 0, 5), "s");
  ck_assert(weir::is_first_of_stream(0, 0) && !weir::is_first_of_stream(0, 1));
  assert_refused({"h:1", "shards=2", "stream=s"}, "keep one of the two");
  for (const std::string_view word : {"shards=0", "shards=1025", "shards=-1", "shards=many"}) {
    assert_refused({"h:1", word}, "1 to 1024");
  }
}
END_TEST

START_TEST(an_address_is_needed) {
  assert_refused({}, "write unix:/path or host:port");
  assert_refused({"localhost"}, "\"localhost\": the port is missing");
  assert_refused({"timeout=2s"}, "\"timeout=2s\": the port is missing");
}
END_TEST

START_TEST(a_time_has_a_unit_and_a_range) {
  const std::pair<std::string_view, int> kTimes[] = {
      {"timeout=10ms", 10},   {"timeout=2s", 2000},       {"timeout=2", 2000},
      {"timeout=60s", 60000}, {"timeout=60000ms", 60000}, {"timeout=1", 1000},
  };
  for (const auto& [word, expected] : kTimes) {
    ck_assert(read({"h:1", word}).courier.timeout == milliseconds(expected));
  }
  for (const std::string_view word :
       {"timeout=9ms", "timeout=0", "timeout=61s", "timeout=60001ms", "timeout=61", "timeout=-1s",
        "timeout=+1s", "timeout=1.5s", "timeout=s", "timeout=ms", "timeout=soon", "timeout=2h",
        "timeout=2 s", "timeout=2S", "timeout=4294967296", "timeout=99999999999999999999s"}) {
    assert_refused({"h:1", word}, "is not a time from 10ms to 60s: write it as timeout=2s");
  }
}
END_TEST

START_TEST(several_addresses_may_stand_anywhere) {
  const auto settings = read({"10.0.0.1:6379", "user=edge", "unix:/run/a=b.sock", "[::1]:7"});
  ck_assert_uint_eq(settings.addresses.size(), 3);
  ck_assert_view_eq(settings.addresses[1].path, "/run/a=b.sock");
  ck_assert_view_eq(settings.names[2], "[::1]:7");
  assert_refused({"h:1", "h:1"}, "it has the address \"h:1\" twice");
  assert_refused({"h:1", "h:x"}, "it cannot use \"h:x\": the port is not");
  assert_refused({"h:1", "/run/redis.sock"}, "a socket's path is written unix:/path");
  const Words most = {"h:1",  "h:2",  "h:3",  "h:4",  "h:5",  "h:6",  "h:7",  "h:8", "h:9",
                      "h:10", "h:11", "h:12", "h:13", "h:14", "h:15", "h:16", "h:17"};
  assert_refused(most, "it takes at most 16 addresses");
}
END_TEST

START_TEST(patience_is_never_longer_than_the_timeout) {
  ck_assert(read({"h:1"}).courier.patience == milliseconds(250));
  ck_assert(!read({"h:1"}).names_patience);
  ck_assert(read({"h:1", "patience=40ms"}).courier.patience == milliseconds(40));
  ck_assert(read({"h:1", "patience=2s"}).names_patience);
  ck_assert(read({"h:1", "timeout=100ms"}).courier.patience == milliseconds(100));
  assert_refused({"h:1", "patience=1s", "timeout=500ms"},
                 "its patience is longer than its timeout");
  assert_refused({"h:1", "patience=9ms"}, "write it as patience=250ms");
}
END_TEST

START_TEST(a_stream_has_bounds) {
  ck_assert_uint_eq(read({"h:1"}).courier.stream_length, 10'000'000);
  ck_assert_uint_eq(read({"h:1"}).courier.stream_memory, 1 << 30);
  ck_assert_uint_eq(read({"h:1", "stream_length=1000"}).courier.stream_length, 1000);
  ck_assert_uint_eq(read({"h:1", "stream_memory=1m"}).courier.stream_memory, 1 << 20);
  ck_assert_uint_eq(read({"h:1", "stream_memory=4t"}).courier.stream_memory, 1ULL << 42);
  for (const std::string_view word :
       {"stream_length=999", "stream_length=1m", "stream_length=-1", "stream_length=all"}) {
    assert_refused({"h:1", word}, "write it as stream_length=10000000");
  }
  for (const std::string_view word :
       {"stream_memory=1048575", "stream_memory=5t", "stream_memory=1G", "stream_memory=1gb"}) {
    assert_refused({"h:1", word}, "write it as stream_memory=1g");
  }
}
END_TEST

START_TEST(what_is_in_flight_is_counted_in_whole_requests) {
  ck_assert_uint_eq(read({"h:1", "inflight=1"}).courier.max_waiting, 1);
  ck_assert_uint_eq(read({"h:1", "inflight=10000000"}).courier.max_waiting, 10'000'000);
  for (const std::string_view word :
       {"inflight=0", "inflight=-5", "inflight=1e3", "inflight=10000001", "inflight=many",
        "inflight=1.0", "inflight=0x10", "inflight=99999999999999999999"}) {
    assert_refused({"h:1", word}, "write it as inflight=16384");
  }
}
END_TEST

START_TEST(a_word_that_is_no_parameter_is_named) {
  for (const std::string_view word :
       {"wait=1s", "timeout=", "timeout", "=2s", "", "Timeout=2s", "user="}) {
    assert_refused({"h:1", word},
                   "it does not know \"" + std::string(word) + "\": after the address it takes");
  }
}
END_TEST

START_TEST(a_parameter_stands_once) {
  assert_refused({"h:1", "timeout=1s", "user=a", "timeout=1s"}, "\"timeout\" twice: remove one");
}
END_TEST

const weir_test::Register kRegistered(
    "redis_settings",
    {an_address_is_enough, parameters_come_in_any_order, an_address_is_needed,
     shards_are_streams_among_which_workers_go_round, several_addresses_may_stand_anywhere,
     patience_is_never_longer_than_the_timeout, a_stream_has_bounds, a_time_has_a_unit_and_a_range,
     what_is_in_flight_is_counted_in_whole_requests, a_word_that_is_no_parameter_is_named,
     a_parameter_stands_once});

}  // namespace
