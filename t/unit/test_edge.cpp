// An edge with a transport that connects to nothing: when it wants to be called, and what it tells.
#include "edge/edge.h"

#include <unistd.h>

#include <cerrno>

#include "t/unit/courier_fixture.h"
#include "t/unit/metrics_zone.h"

using weir::Edge;
using weir::EdgeSettings;
using weir::Endpoint;

namespace {

using namespace std::chrono_literals;

struct NoRedis final : weir::RedisTransport {
  int connect(std::size_t) noexcept override { return ECONNREFUSED; }
  void disconnect() noexcept override {}
  void changed() noexcept override {}
};

struct HandClock final : weir::Clock {
  Time steady() const noexcept override { return now; }
  weir::Timestamp wall() const noexcept override { return weir_test::Zone::kNow; }
  Time now{1h};
};

struct NoLog final : weir::Log {
  void write(Level, std::string_view) noexcept override {}
};

struct NoThreads final : weir::Background {
  bool start(weir::Job&) noexcept override { return false; }
};

EdgeSettings settings(bool wants_replicas = false) {
  EdgeSettings settings;
  settings.redis.emplace();
  settings.redis->name = "h:1";
  settings.redis->addresses.resize(1);
  settings.redis->addresses[0].name = "h:1";
  settings.redis->courier = weir_test::settings();
  settings.wants_replicas = wants_replicas;
  return settings;
}

struct Bench {
  explicit Bench(const EdgeSettings& edge_settings = settings())
      : edge(edge_settings, {clock, log, redis, replicated, threads, *zone.memory(),
                             static_cast<std::uint64_t>(getpid()), 0}) {}

  weir_test::Zone zone;
  HandClock clock;
  NoLog log;
  NoRedis redis, replicated;
  NoThreads threads;
  Edge edge;
};

START_TEST(it_wants_to_be_called_within_a_second_always) {
  Bench bench;
  bench.edge.start();
  for (int i = 0; i < 200; ++i) {
    ck_assert(bench.edge.due() <= bench.clock.now + 1s);
    ck_assert(bench.edge.due() > bench.clock.now);
    bench.clock.now = bench.edge.due();
    bench.edge.tick();
  }
  ck_assert(bench.clock.now >= weir::Clock::Time(1h) + 5s);
}
END_TEST

START_TEST(it_is_settled_once_both_ways_to_redis_were_looked_for) {
  Bench bench(settings(true));
  ck_assert(!bench.edge.settled());
  bench.edge.start();
  ck_assert(bench.edge.settled() && !bench.edge.busy());
}
END_TEST

START_TEST(health_says_that_nothing_can_be_kept_and_metrics_that_nobody_is_ready) {
  Bench bench;
  bench.edge.start();
  std::string page;
  ck_assert_int_eq(bench.edge.tell(Endpoint::health, page).status, 503);
  const auto answer = bench.edge.tell(Endpoint::metrics, page);
  ck_assert_int_eq(answer.status, 200);
  ck_assert(answer.body.find("weir_redis_ready_workers 0\n") != std::string_view::npos);
  ck_assert(answer.body.find("weir_redis_connections_lost_total 1\n") != std::string_view::npos);
}
END_TEST

START_TEST(what_was_thrown_is_told_without_anything_of_the_request) {
  std::string text;
  try {
    throw std::bad_alloc();
  } catch (...) {
    ck_assert_view_eq(weir::exception_sentence(text), "weir had no memory for a request");
  }
  try {
    throw 1;
  } catch (...) {
    ck_assert_view_eq(weir::exception_sentence(text), "weir failed in a request");
  }
}
END_TEST

const weir_test::Register kRegistered(
    "edge", {it_wants_to_be_called_within_a_second_always,
             it_is_settled_once_both_ways_to_redis_were_looked_for,
             health_says_that_nothing_can_be_kept_and_metrics_that_nobody_is_ready,
             what_was_thrown_is_told_without_anything_of_the_request});

}  // namespace
