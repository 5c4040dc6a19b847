#include <chrono>

#include "api/allowance.h"
#include "api/idle.h"
#include "t/unit/suite.h"

namespace {

using namespace weir::api;
using namespace std::chrono_literals;

constexpr double kFull = 0.0, kHalfIdle = 0.5, kNeither = 0.1;

struct Machine {
  Allowance allowance{0.25, 3};
  Allowance::Time now{100s};

  void passes(std::chrono::milliseconds time, double idle) {
    for (; time > 0ms; time -= 500ms) {
      now += 500ms;
      allowance.look(now, idle);
    }
  }
  void works(Allowance::Seconds taken) { allowance.worked(taken, now); }
  bool lets_begin(Allowance::Seconds under_way = 0s) {
    return allowance.lets_begin(now, under_way);
  }
};

}  // namespace

START_TEST(nothing_is_counted_while_the_machine_has_something_left) {
  Machine machine;
  machine.passes(2s, kHalfIdle);
  machine.works(100s);
  ck_assert(!machine.allowance.is_short());
  ck_assert(machine.lets_begin(100s));
}
END_TEST

START_TEST(a_full_machine_brings_it_down_to_the_least_within_two_seconds) {
  Machine machine;
  machine.passes(2s, kFull);
  ck_assert_double_eq(machine.allowance.rate(), 0.25);
  machine.passes(60s, kFull);
  ck_assert_double_eq(machine.allowance.rate(), 0.25);
}
END_TEST

START_TEST(what_is_idle_brings_it_back_to_the_most_within_six_seconds) {
  Machine machine;
  machine.passes(10s, kFull);
  machine.passes(6s, kHalfIdle);
  ck_assert_double_eq(machine.allowance.rate(), 3);
}
END_TEST

START_TEST(it_stays_while_little_but_something_is_idle) {
  Machine machine;
  machine.passes(1s, kFull);
  const double rate = machine.allowance.rate();
  machine.passes(60s, kNeither);
  ck_assert_double_eq(machine.allowance.rate(), rate);
}
END_TEST

START_TEST(over_a_minute_no_more_than_the_share_and_what_was_saved_is_worked) {
  Machine machine;
  machine.passes(10s, kFull);
  Allowance::Seconds worked{0};
  for (int tenth = 0; tenth < 600; ++tenth) {
    if (tenth % 5 == 0) machine.passes(500ms, kFull);
    if (!machine.lets_begin()) continue;
    machine.works(200ms);
    worked += 200ms;
  }
  ck_assert_double_ge(worked.count(), 60 * 0.25);
  ck_assert_double_le(worked.count(), 60 * 0.25 + 3 + 0.2);
}
END_TEST

START_TEST(one_that_takes_long_is_worked_off_before_another_begins) {
  Machine machine;
  machine.passes(10s, kFull);
  machine.works(4s);  // three of it were saved
  machine.passes(4s, kFull);
  ck_assert(!machine.lets_begin());
  machine.passes(500ms, kFull);
  ck_assert(machine.lets_begin());
}
END_TEST

START_TEST(those_under_way_count_before_they_are_through) {
  Machine machine;
  machine.passes(10s, kFull);
  ck_assert(machine.lets_begin(2900ms));
  ck_assert(!machine.lets_begin(3s));
}
END_TEST

START_TEST(nobody_rests_for_more_than_five_seconds) {
  Machine machine;
  machine.passes(10s, kFull);
  machine.works(1000s);
  machine.passes(5s, kFull);
  ck_assert(!machine.lets_begin());
  machine.passes(500ms, kFull);
  ck_assert(machine.lets_begin());
}
END_TEST

START_TEST(the_least_is_not_more_than_the_most) {
  Allowance allowance(64, 3);
  allowance.look(Allowance::Time{1s}, kFull);
  ck_assert_double_eq(allowance.rate(), 3);
  ck_assert(allowance.lets_begin(Allowance::Time{1s}, 100s));
}
END_TEST

START_TEST(ticks_are_those_of_all_cores_together) {
  const auto ticks = read_cpu_ticks("cpu  10 20 30 400 5 6 7 8 9 10");
  ck_assert(ticks.has_value());
  ck_assert_uint_eq(ticks->all, 486);
  ck_assert_uint_eq(ticks->idle, 405);
}
END_TEST

START_TEST(a_line_of_another_form_has_no_ticks) {
  for (const char* line : {"", "cpu ", "cpu0 1 2 3 4 5 6 7 8", "cpu  1 2 3 4 5 6 7",
                           "cpu  1 2 x 4 5 6 7 8", "cpu  99999999999999999999 2 3 4 5 6 7 8"}) {
    ck_assert_msg(!read_cpu_ticks(line), "'%s' has", line);
  }
}
END_TEST

const weir_test::Register kRegistered(
    "api_allowance", {nothing_is_counted_while_the_machine_has_something_left,
                      a_full_machine_brings_it_down_to_the_least_within_two_seconds,
                      what_is_idle_brings_it_back_to_the_most_within_six_seconds,
                      it_stays_while_little_but_something_is_idle,
                      over_a_minute_no_more_than_the_share_and_what_was_saved_is_worked,
                      one_that_takes_long_is_worked_off_before_another_begins,
                      those_under_way_count_before_they_are_through,
                      nobody_rests_for_more_than_five_seconds, the_least_is_not_more_than_the_most,
                      ticks_are_those_of_all_cores_together, a_line_of_another_form_has_no_ticks});
