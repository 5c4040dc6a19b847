#include <chrono>

#include "api/allowance.h"
#include "t/unit/suite.h"

namespace {

using namespace weir::api;
using namespace std::chrono_literals;

constexpr bool kWanted = true, kNotWanted = false;

struct Machine {
  Allowance allowance{0.25, 3};
  Allowance::Time now{100s};

  void passes(std::chrono::milliseconds time, bool is_wanted) {
    for (; time > 0ms; time -= 500ms) {
      now += 500ms;
      allowance.look(now, is_wanted);
    }
  }
  void works(Allowance::Seconds taken) { allowance.worked(taken, now); }
  bool lets_begin(Allowance::Seconds under_way = 0s) {
    return allowance.lets_begin(now, under_way);
  }
};

}  // namespace

START_TEST(nothing_is_counted_while_nobody_else_wants_the_cores) {
  Machine machine;
  machine.passes(2s, kNotWanted);
  machine.works(100s);
  ck_assert(!machine.allowance.is_short());
  ck_assert(machine.lets_begin(100s));
}
END_TEST

START_TEST(who_takes_events_in_brings_it_down_to_the_least_within_two_seconds) {
  Machine machine;
  machine.passes(2s, kWanted);
  ck_assert_double_eq(machine.allowance.rate(), 0.25);
  machine.passes(60s, kWanted);
  ck_assert_double_eq(machine.allowance.rate(), 0.25);
}
END_TEST

START_TEST(it_is_back_at_the_most_within_six_seconds_of_their_end) {
  Machine machine;
  machine.passes(10s, kWanted);
  machine.passes(6s, kNotWanted);
  ck_assert_double_eq(machine.allowance.rate(), 3);
}
END_TEST

START_TEST(over_a_minute_no_more_than_the_share_and_what_was_saved_is_worked) {
  Machine machine;
  machine.passes(10s, kWanted);
  Allowance::Seconds worked{0};
  for (int tenth = 0; tenth < 600; ++tenth) {
    if (tenth % 5 == 0) machine.passes(500ms, kWanted);
    if (!machine.lets_begin()) continue;
    machine.works(200ms);
    worked += 200ms;
  }
  ck_assert_double_ge(worked.count(), 60 * 0.25);
  ck_assert_double_le(worked.count(), 60 * 0.25 + 1 + 0.2);
}
END_TEST

START_TEST(one_that_takes_long_is_worked_off_before_another_begins) {
  Machine machine;
  machine.passes(10s, kWanted);
  machine.works(2s);  // one of it was saved
  machine.passes(4s, kWanted);
  ck_assert(!machine.lets_begin());
  machine.passes(500ms, kWanted);
  ck_assert(machine.lets_begin());
}
END_TEST

START_TEST(those_under_way_count_before_they_are_through) {
  Machine machine;
  machine.passes(10s, kWanted);
  ck_assert(machine.lets_begin(900ms));
  ck_assert(!machine.lets_begin(1s));
}
END_TEST

START_TEST(nobody_rests_for_more_than_five_seconds) {
  Machine machine;
  machine.passes(10s, kWanted);
  machine.works(1000s);
  machine.passes(5s, kWanted);
  ck_assert(!machine.lets_begin());
  machine.passes(500ms, kWanted);
  ck_assert(machine.lets_begin());
}
END_TEST

START_TEST(the_least_is_not_more_than_the_most) {
  Allowance allowance(64, 3);
  allowance.look(Allowance::Time{1s}, kWanted);
  ck_assert_double_eq(allowance.rate(), 3);
  ck_assert(allowance.lets_begin(Allowance::Time{1s}, 100s));
}
END_TEST

const weir_test::Register kRegistered(
    "api_allowance",
    {nothing_is_counted_while_nobody_else_wants_the_cores,
     who_takes_events_in_brings_it_down_to_the_least_within_two_seconds,
     it_is_back_at_the_most_within_six_seconds_of_their_end,
     over_a_minute_no_more_than_the_share_and_what_was_saved_is_worked,
     one_that_takes_long_is_worked_off_before_another_begins,
     those_under_way_count_before_they_are_through, nobody_rests_for_more_than_five_seconds,
     the_least_is_not_more_than_the_most});
