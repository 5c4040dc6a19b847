#include "core/spool/delivery.h"

#include <algorithm>
#include <string>
#include <vector>

#include "core/spool/lines.h"
#include "t/unit/suite.h"

using namespace weir;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

class Sink final : public DrainSink {
 public:
  bool offer(std::string_view record, std::uint8_t, Customer& customer) noexcept override {
    if (full) return false;
    out.emplace_back(record, &customer);
    return true;
  }

  void answer(std::size_t count, Outcome outcome = Outcome::acknowledged) {
    for (std::size_t i = 0; i < count; ++i) {
      const auto [record, customer] = out.front();
      out.erase(out.begin());
      if (outcome == Outcome::acknowledged) got.push_back(record);
      customer->settled(outcome, record);
    }
  }

  bool full = false;
  std::vector<std::pair<std::string, Customer*>> out;
  std::vector<std::string> got;
};

struct Fixture {
  explicit Fixture(std::uint64_t rate = 1 << 30) : delivery(rate) {}

  void load(const std::vector<std::string>& given) {
    records = given;
    std::vector<DrainRecord> views;
    for (const std::string& record : records) views.push_back({record});
    delivery.load(std::move(views), now);
    now += milliseconds(100);
  }
  void offer() { delivery.offer(now, sink); }
  void pause() {
    offer();
    now += seconds(2);
    offer();
  }

  Delivery::Time now{seconds(100)};
  std::vector<std::string> records;
  Sink sink;
  Delivery delivery;
};

START_TEST(nothing_is_done_at_once) {
  Fixture f;
  ck_assert(f.delivery.done());
  f.load({});
  ck_assert(f.delivery.done());
}
END_TEST

START_TEST(records_are_offered_in_order_and_done_when_acknowledged) {
  Fixture f;
  f.load({"a", "b", "c"});
  f.offer();
  ck_assert_uint_eq(f.sink.out.size(), 3);
  f.sink.answer(2);
  ck_assert(!f.delivery.done());
  f.sink.answer(1);
  ck_assert(f.delivery.done());
  ck_assert(f.sink.got == (std::vector<std::string>{"a", "b", "c"}));
  ck_assert_uint_eq(f.delivery.delivered(), 3);
  ck_assert_uint_eq(f.delivery.delivered_bytes(), 3);
}
END_TEST

START_TEST(only_so_many_are_on_their_way) {
  Fixture f;
  f.load(std::vector<std::string>(1000, "r"));
  f.offer();
  ck_assert_uint_eq(f.sink.out.size(), Delivery::kMostRecords);
  f.sink.answer(10);
  f.offer();
  ck_assert_uint_eq(f.sink.out.size(), Delivery::kMostRecords);
  f.sink.answer(Delivery::kMostRecords);
  f.offer();
  f.sink.answer(f.sink.out.size());
  ck_assert(f.delivery.done());
}
END_TEST

START_TEST(only_so_many_bytes_are_on_their_way_or_one_record) {
  Fixture f;
  f.load({std::string(600'000, 'a'), std::string(600'000, 'b'), std::string(5 << 20, 'c'), "d"});
  f.offer();
  ck_assert_uint_eq(f.sink.out.size(), 1);
  f.sink.answer(1);
  f.offer();
  ck_assert_uint_eq(f.sink.out.size(), 1);
  f.sink.answer(1);
  f.offer();  // larger than the window, so alone
  ck_assert_uint_eq(f.sink.out.size(), 1);
  f.sink.answer(1);
  f.offer();
  f.sink.answer(1);
  ck_assert(f.delivery.done());
}
END_TEST

START_TEST(the_rate_holds_over_seconds) {
  Fixture f(100'000);
  f.load(std::vector<std::string>(2000, std::string(936, 'r')));  // 1000 with the overhead
  const auto began = f.now;
  while (!f.delivery.done()) {
    f.offer();
    f.sink.answer(f.sink.out.size());
    f.now += milliseconds(5);
    ck_assert(f.now - began < seconds(30));
  }
  ck_assert(f.now - began > seconds(19));
  ck_assert(f.now - began < seconds(21));
}
END_TEST

START_TEST(a_large_record_is_paid_off_before_the_next) {
  Fixture f(1 << 20);
  f.load({std::string(4 << 20, 'r'), "next"});
  f.offer();
  f.sink.answer(1);
  f.now += seconds(3);
  f.offer();
  ck_assert(f.sink.out.empty());
  f.now += seconds(2);
  f.offer();
  ck_assert_uint_eq(f.sink.out.size(), 1);
}
END_TEST

START_TEST(a_full_sink_is_asked_again_at_the_next_tick) {
  Fixture f;
  f.load({"a", "b"});
  f.sink.full = true;
  f.offer();
  ck_assert(f.sink.out.empty());
  f.sink.full = false;
  f.offer();
  ck_assert_uint_eq(f.sink.out.size(), 2);
}
END_TEST

START_TEST(whatever_was_not_acknowledged_goes_again_and_nothing_else) {
  for (const Outcome outcome : {Outcome::refused, Outcome::timed_out, Outcome::lost}) {
    Fixture f;
    f.load({"a", "b", "c"});
    f.offer();
    f.sink.answer(1);
    f.sink.answer(1, outcome);
    f.sink.answer(1);
    ck_assert(!f.delivery.done());
    f.offer();
    ck_assert(f.sink.out.empty());  // a pause
    f.now += milliseconds(60);
    f.offer();
    ck_assert_uint_eq(f.sink.out.size(), 1);
    ck_assert_str_eq(f.sink.out[0].first.c_str(), "b");
    f.sink.answer(1);
    ck_assert(f.delivery.done());
  }
}
END_TEST

START_TEST(a_redis_that_refuses_is_asked_about_once_a_second) {
  Fixture f;
  f.load({"a"});
  std::size_t offered = 0;
  for (int i = 0; i < 2000; ++i, f.now += milliseconds(5)) {
    f.offer();
    offered += f.sink.out.size();
    f.sink.answer(f.sink.out.size(), Outcome::refused);
  }
  ck_assert_uint_ge(offered, 10);
  ck_assert_uint_le(offered, 16);
}
END_TEST

START_TEST(what_is_unfit_goes_again_alone_and_is_given_up_after_a_few_times) {
  Fixture f;
  f.load({"a", "b", "c", "d"});
  f.offer();
  f.sink.answer(1);
  f.sink.answer(1, Outcome::unfit);
  f.sink.answer(2, Outcome::lost);
  for (int i = 1; i < Delivery::kMostRefusals; ++i) {
    f.pause();
    ck_assert_uint_eq(f.sink.out.size(), 1);
    ck_assert_str_eq(f.sink.out[0].first.c_str(), "b");
    f.offer();
    ck_assert_uint_eq(f.sink.out.size(), 1);  // nothing beside it
    ck_assert(!f.delivery.done());
    f.sink.answer(1, Outcome::unfit);
  }
  f.pause();
  ck_assert_uint_eq(f.sink.out.size(), 2);
  f.sink.answer(2);
  ck_assert(f.delivery.done());
  ck_assert(f.sink.got == (std::vector<std::string>{"a", "c", "d"}));
  ck_assert_uint_eq(f.delivery.delivered(), 3);
  ck_assert(f.delivery.records()[1].state == DrainRecord::State::unfit);
}
END_TEST

START_TEST(what_was_unfit_once_waits_for_those_before_it_and_may_still_be_taken) {
  Fixture f;
  f.load({"a", "b", "c"});
  f.offer();
  f.sink.answer(1, Outcome::lost);
  f.sink.answer(1, Outcome::unfit);
  f.sink.answer(1, Outcome::lost);
  f.pause();
  ck_assert_uint_eq(f.sink.out.size(), 1);
  ck_assert_str_eq(f.sink.out[0].first.c_str(), "a");
  f.sink.answer(1);
  f.offer();
  ck_assert_uint_eq(f.sink.out.size(), 1);
  f.sink.answer(1);
  f.offer();
  f.sink.answer(1);
  ck_assert(f.delivery.done());
  ck_assert(f.sink.got == (std::vector<std::string>{"a", "b", "c"}));
}
END_TEST

struct Heard final : SpoolLog {
  void note(std::string_view sentence) noexcept override { lines.emplace_back(sentence); }
  void warn(std::string_view sentence) noexcept override {
    lines.push_back("! " + std::string(sentence));
  }
  std::vector<std::string> lines;
};

START_TEST(a_line_a_second_and_the_rest_wait_their_turn) {
  Heard log;
  Lines lines(log);
  Lines::Time now{seconds(5)};
  lines.tick(now);
  lines.warn("a");
  lines.note("b");
  lines.warn("b");
  lines.warn("c");
  ck_assert(log.lines == std::vector<std::string>{"! a"});
  lines.tick(now + milliseconds(999));
  ck_assert_uint_eq(log.lines.size(), 1);
  lines.tick(now + seconds(1));
  lines.tick(now + seconds(2));
  lines.tick(now + seconds(3));
  ck_assert(log.lines == (std::vector<std::string>{"! a", "b", "! c"}));
}
END_TEST

START_TEST(only_a_few_lines_wait) {
  Heard log;
  Lines lines(log);
  for (int i = 0; i < 100; ++i) lines.warn(std::to_string(i));
  for (int i = 1; i < 100; ++i) lines.tick(Lines::Time{seconds(i)});
  ck_assert_uint_eq(log.lines.size(), 1 + Lines::kMostWaiting);
  ck_assert_str_eq(log.lines.back().c_str(), "! 99");
}
END_TEST

const weir_test::Register kRegistered(
    "spool_delivery",
    {nothing_is_done_at_once, records_are_offered_in_order_and_done_when_acknowledged,
     only_so_many_are_on_their_way, only_so_many_bytes_are_on_their_way_or_one_record,
     the_rate_holds_over_seconds, a_large_record_is_paid_off_before_the_next,
     a_full_sink_is_asked_again_at_the_next_tick,
     whatever_was_not_acknowledged_goes_again_and_nothing_else,
     a_redis_that_refuses_is_asked_about_once_a_second,
     what_is_unfit_goes_again_alone_and_is_given_up_after_a_few_times,
     what_was_unfit_once_waits_for_those_before_it_and_may_still_be_taken,
     a_line_a_second_and_the_rest_wait_their_turn, only_a_few_lines_wait});

}  // namespace
