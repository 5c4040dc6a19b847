// How long a server waits before it tries Redis again.
#include "core/redis/backoff.h"

#include <set>

#include "t/unit/suite.h"

namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using weir::Backoff;

START_TEST(doubles_from_least_to_most_within_the_upper_half) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    Backoff backoff(milliseconds(100), milliseconds(5000), seed);
    for (const int top : {100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000}) {
      const milliseconds wait = backoff.next();
      ck_assert_int_ge(wait.count(), top / 2);
      ck_assert_int_le(wait.count(), top);
    }
  }
}
END_TEST

START_TEST(begins_again_after_a_reset) {
  Backoff backoff(milliseconds(100), milliseconds(5000), 7);
  for (int i = 0; i < 20; ++i) backoff.next();
  backoff.reset();
  ck_assert_int_le(backoff.next().count(), 100);
  ck_assert_int_ge(backoff.next().count(), 100);
}
END_TEST

START_TEST(reaches_both_ends_of_its_range) {
  Backoff backoff(milliseconds(4), milliseconds(4), 1);
  std::set<long> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(backoff.next().count());
  ck_assert(seen == (std::set<long>{2, 3, 4}));
}
END_TEST

START_TEST(neighbouring_seeds_do_not_come_back_together) {
  std::set<long> first_waits;
  for (std::uint64_t pid = 1000; pid < 1064; ++pid) {
    first_waits.insert(Backoff(milliseconds(10000), milliseconds(20000), pid).next().count());
  }
  ck_assert_uint_ge(first_waits.size(), 60);
}
END_TEST

START_TEST(the_same_seed_gives_the_same_waits) {
  Backoff one(milliseconds(100), milliseconds(5000), 42), two = one;
  for (int i = 0; i < 20; ++i) ck_assert(one.next() == two.next());
}
END_TEST

START_TEST(senseless_bounds_still_wait) {
  for (const milliseconds least : {milliseconds(0), milliseconds(-5), milliseconds(1)}) {
    Backoff backoff(least, milliseconds(0), 3);
    for (int i = 0; i < 10; ++i) ck_assert_int_eq(backoff.next().count(), 1);
  }
  Backoff reversed(milliseconds(100), milliseconds(10), 3);
  for (int i = 0; i < 10; ++i) ck_assert_int_ge(reversed.next().count(), 50);
}
END_TEST

START_TEST(a_huge_most_does_not_overflow) {
  Backoff backoff(milliseconds(1), milliseconds::max(), 3);
  milliseconds last{0};
  for (int i = 0; i < 200; ++i) {
    last = backoff.next();
    ck_assert_int_ge(last.count(), 1);
  }
  ck_assert(last > hours(1000000));
}
END_TEST

const weir_test::Register kRegistered("backoff",
                                      {doubles_from_least_to_most_within_the_upper_half,
                                       begins_again_after_a_reset, reaches_both_ends_of_its_range,
                                       neighbouring_seeds_do_not_come_back_together,
                                       the_same_seed_gives_the_same_waits,
                                       senseless_bounds_still_wait, a_huge_most_does_not_overflow});

}  // namespace
