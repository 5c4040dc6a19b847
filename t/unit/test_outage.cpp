// How often a process tries again, and what it tells of it.
#include "core/redis/outage.h"

#include "t/unit/suite.h"

using weir::Outage;

namespace {

using namespace std::chrono_literals;

struct Bench {
  bool told_of_loss(Outage::Time::duration after) {
    now += after;
    return outage.lost(now).tell;
  }

  Outage outage{7};
  Outage::Time now{1h};
};

START_TEST(the_first_loss_is_told_at_once) {
  Bench bench;
  ck_assert(bench.told_of_loss(0s));
}
END_TEST

START_TEST(an_outage_is_told_of_twice_a_minute) {
  Bench bench;
  bench.told_of_loss(0s);
  ck_assert(!bench.told_of_loss(1s));
  ck_assert(!bench.told_of_loss(28999ms));
  ck_assert(bench.told_of_loss(1ms));
  ck_assert(!bench.told_of_loss(29999ms));
  ck_assert(bench.told_of_loss(1ms));
}
END_TEST

START_TEST(a_new_outage_is_told_at_once_but_once_a_second_at_most) {
  Bench bench;
  bench.told_of_loss(0s);
  bench.outage.over();
  ck_assert(!bench.told_of_loss(999ms));
  bench.outage.over();
  ck_assert(bench.told_of_loss(1ms));
}
END_TEST

START_TEST(an_outage_that_began_unsaid_is_told_of_later) {
  Bench bench;
  bench.told_of_loss(0s);
  bench.outage.over();
  ck_assert(!bench.told_of_loss(500ms));
  ck_assert(!bench.told_of_loss(1s));
  ck_assert(bench.told_of_loss(29s));
}
END_TEST

START_TEST(ready_is_told_at_first_and_after_each_loss_that_was) {
  Bench bench;
  ck_assert(bench.outage.over());
  ck_assert(!bench.outage.over());
  ck_assert(bench.told_of_loss(0s));
  ck_assert(bench.outage.over());
  ck_assert(!bench.told_of_loss(1ms));
  ck_assert(!bench.outage.over());
}
END_TEST

START_TEST(waits_grow_to_two_seconds_and_start_over) {
  Bench bench;
  const auto first = bench.outage.lost(bench.now).wait;
  ck_assert(first >= 25ms && first <= 50ms);
  std::chrono::milliseconds wait{};
  for (int i = 0; i < 20; ++i) wait = bench.outage.lost(bench.now).wait;
  ck_assert(wait >= 1s && wait <= 2s);
  bench.outage.over();
  ck_assert(bench.outage.lost(bench.now).wait <= 50ms);
}
END_TEST

const weir_test::Register kRegistered("outage",
                                      {the_first_loss_is_told_at_once,
                                       an_outage_is_told_of_twice_a_minute,
                                       a_new_outage_is_told_at_once_but_once_a_second_at_most,
                                       an_outage_that_began_unsaid_is_told_of_later,
                                       ready_is_told_at_first_and_after_each_loss_that_was,
                                       waits_grow_to_two_seconds_and_start_over});

}  // namespace
