#include "flusher/roll_up_nap.h"
#include "t/unit/suite.h"

using std::chrono::milliseconds;
using weir::flusher::roll_up_nap;

namespace {

long nap_after(long took, int percent) { return roll_up_nap(milliseconds(took), percent).count(); }

}  // namespace

START_TEST(a_step_is_followed_by_a_rest_that_leaves_it_its_percent_of_the_time) {
  ck_assert_int_eq(nap_after(100, 10), 900);
  ck_assert_int_eq(nap_after(6000, 10), 54'000);
  ck_assert_int_eq(nap_after(1000, 50), 1000);
  ck_assert_int_eq(nap_after(100, 1), 9900);
}
END_TEST

START_TEST(a_short_step_is_followed_by_some_rest_all_the_same) {
  ck_assert_int_eq(nap_after(1, 10), 100);
  ck_assert_int_eq(nap_after(1000, 100), 100);
}
END_TEST

START_TEST(a_step_of_minutes_lets_others_wait_for_one_minute_more_at_most) {
  ck_assert_int_eq(nap_after(163'000, 10), 60'000);
  ck_assert_int_eq(nap_after(10'000, 1), 60'000);
}
END_TEST

static const weir_test::Register kRegistered(
    "flusher_roll_up_nap", {a_step_is_followed_by_a_rest_that_leaves_it_its_percent_of_the_time,
                            a_short_step_is_followed_by_some_rest_all_the_same,
                            a_step_of_minutes_lets_others_wait_for_one_minute_more_at_most});
