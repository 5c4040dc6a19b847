#include "flusher/event_lag.h"

#include "t/unit/suite.h"

using namespace weir::flusher;

namespace {

constexpr StreamId kFirst{1000, 0}, kLater{2000, 0};

}  // namespace

START_TEST(nothing_that_waits_is_no_event) {
  EventLag lag;
  ck_assert_uint_eq(lag.events(0, std::nullopt), 0);
  lag.read(kFirst, 10, 70);
  lag.stored();
  ck_assert_uint_eq(lag.events(0, std::nullopt), 0);
}
END_TEST

START_TEST(an_entry_is_one_event_before_any_was_read) {
  ck_assert_uint_eq(EventLag().events(12, kFirst), 12);
}
END_TEST

START_TEST(what_is_read_and_not_stored_is_exact) {
  EventLag lag;
  lag.read(kFirst, 100, 100);
  lag.stored();
  lag.read(kLater, 3, 41);
  ck_assert_uint_eq(lag.events(3, kLater), 41);
}
END_TEST

START_TEST(what_is_not_read_counts_as_the_mean) {
  EventLag lag;
  lag.read(kFirst, 10, 70);
  ck_assert_uint_eq(lag.events(15, kFirst), 70 + 35);
  lag.stored();
  ck_assert_uint_eq(lag.events(5, kLater), 35);
}
END_TEST

START_TEST(a_batch_that_is_not_the_first_of_what_waits_counts_as_the_rest) {
  EventLag lag;
  lag.read(kFirst, 10, 20);
  ck_assert_uint_eq(lag.events(10, kLater), 20);  // of others
  ck_assert_uint_eq(lag.events(4, kFirst), 8);    // somebody deleted some of it
  ck_assert_uint_eq(lag.events(10, std::nullopt), 20);
}
END_TEST

START_TEST(the_mean_follows_what_comes_lately) {
  EventLag lag;
  lag.read(kFirst, 1'000'000, 1'000'000);
  for (int i = 0; i < 20; ++i) lag.read(kFirst, 1000, 50'000);
  lag.stored();
  const std::uint64_t events = lag.events(100, kLater);
  ck_assert_uint_ge(events, 4800);
  ck_assert_uint_le(events, 5000);
}
END_TEST

const weir_test::Register kRegistered(
    "flusher_event_lag", {nothing_that_waits_is_no_event, an_entry_is_one_event_before_any_was_read,
                          what_is_read_and_not_stored_is_exact, what_is_not_read_counts_as_the_mean,
                          a_batch_that_is_not_the_first_of_what_waits_counts_as_the_rest,
                          the_mean_follows_what_comes_lately});
