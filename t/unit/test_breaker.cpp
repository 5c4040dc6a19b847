// The circuit breaker by itself: when it lets records pass, and when it asks.
#include "core/redis/breaker.h"

#include <algorithm>
#include <vector>

#include "t/unit/suite.h"

namespace {

using namespace std::chrono_literals;
using weir::Breaker;
using State = Breaker::State;

const Breaker::Time kStart{1h};

// Open since `now`, asks after some wait, is answered in time, and lets the trial through.
Breaker::Time to_half_open(Breaker& breaker) {
  const Breaker::Time due = *breaker.due();
  breaker.asked();
  breaker.probed();
  ck_assert(breaker.state() == State::half_open);
  return due;
}

START_TEST(lets_everything_pass_until_something_fails) {
  Breaker breaker(1);
  for (int i = 0; i < 1000; ++i) {
    ck_assert(breaker.lets_pass());
    breaker.passed();
    breaker.worked(kStart);
  }
  ck_assert(breaker.state() == State::closed);
  ck_assert(!breaker.due());
  breaker.failed(kStart);
  ck_assert(breaker.state() == State::open);
  ck_assert(!breaker.lets_pass());
  ck_assert_uint_eq(breaker.openings(), 1);
}
END_TEST

START_TEST(asks_after_a_wait_and_only_once_at_a_time) {
  Breaker breaker(1);
  breaker.failed(kStart);
  ck_assert(*breaker.due() >= kStart + 100ms && *breaker.due() <= kStart + 200ms);
  breaker.asked();
  ck_assert(!breaker.due());
  ck_assert(!breaker.lets_pass());
}
END_TEST

START_TEST(lets_one_record_pass_once_the_question_was_answered) {
  Breaker breaker(1);
  breaker.failed(kStart);
  to_half_open(breaker);
  ck_assert(breaker.lets_pass());
  breaker.passed();
  ck_assert(!breaker.lets_pass());
  ck_assert(!breaker.due());
  breaker.worked(kStart + 1s);
  ck_assert(breaker.state() == State::closed);
  ck_assert(breaker.lets_pass());
}
END_TEST

START_TEST(waits_longer_each_time_it_fails_again) {
  Breaker breaker(7);
  breaker.failed(kStart);
  Breaker::Time now = kStart;
  auto most = 200ms;
  for (int i = 0; i < 20; ++i) {
    const auto wait = *breaker.due() - now;
    ck_assert(wait >= most / 2 && wait <= most);
    now = *breaker.due();
    breaker.asked();
    if (i % 2 == 1) {  // the trial fails instead of the question
      breaker.probed();
      breaker.passed();
    }
    breaker.failed(now);
    ck_assert(breaker.state() == State::open);
    most = std::min<std::chrono::milliseconds>(most * 2, 5s);
  }
  ck_assert_uint_eq(breaker.openings(), 1);
}
END_TEST

START_TEST(failures_of_what_went_before_change_nothing) {
  Breaker breaker(1);
  breaker.failed(kStart);
  const auto due = breaker.due();
  for (int i = 0; i < 100; ++i) breaker.failed(kStart + 50ms);
  ck_assert(breaker.due() == due);
  breaker.worked(kStart + 60ms);
  ck_assert(breaker.state() == State::open);
}
END_TEST

START_TEST(an_answer_after_the_question_failed_does_not_count) {
  Breaker breaker(1);
  breaker.failed(kStart);
  breaker.asked();
  breaker.failed(kStart + 500ms);
  breaker.probed();
  ck_assert(breaker.state() == State::open);
  ck_assert(breaker.due().has_value());
}
END_TEST

START_TEST(one_that_stalls_again_soon_waits_longer_and_starts_over_after_ten_seconds) {
  Breaker breaker(1);
  Breaker::Time now = kStart;
  for (int i = 0; i < 8; ++i) {
    breaker.failed(now);
    now = to_half_open(breaker);
    breaker.passed();
    breaker.worked(now);
    now += 1s;
  }
  breaker.failed(now);
  ck_assert(*breaker.due() - now >= 2500ms);
  now = to_half_open(breaker);
  breaker.passed();
  breaker.worked(now);
  now += 10s;
  breaker.failed(now);
  ck_assert(*breaker.due() - now <= 200ms);
  ck_assert_uint_eq(breaker.openings(), 10);
}
END_TEST

START_TEST(the_first_connection_needs_no_trial_and_the_next_does) {
  Breaker breaker(1);
  breaker.connected();
  ck_assert(breaker.state() == State::closed);
  breaker.passed();
  breaker.lost();
  ck_assert(breaker.state() == State::open);
  ck_assert(!breaker.due());
  breaker.connected();
  ck_assert(breaker.state() == State::half_open);
  ck_assert(breaker.lets_pass());
  breaker.passed();
  breaker.lost();
  ck_assert(!breaker.lets_pass());
  breaker.connected();
  breaker.passed();
  breaker.worked(kStart);
  ck_assert(breaker.state() == State::closed);
}
END_TEST

START_TEST(workers_do_not_ask_at_the_same_moment) {
  std::vector<Breaker::Time> dues;
  for (std::uint64_t seed = 1000; seed < 1032; ++seed) {
    Breaker breaker(seed);
    breaker.failed(kStart);
    dues.push_back(*breaker.due());
  }
  std::sort(dues.begin(), dues.end());
  dues.erase(std::unique(dues.begin(), dues.end()), dues.end());
  ck_assert_uint_ge(dues.size(), 16);
}
END_TEST

const weir_test::Register kRegistered(
    "breaker",
    {lets_everything_pass_until_something_fails, asks_after_a_wait_and_only_once_at_a_time,
     lets_one_record_pass_once_the_question_was_answered, waits_longer_each_time_it_fails_again,
     failures_of_what_went_before_change_nothing,
     an_answer_after_the_question_failed_does_not_count,
     one_that_stalls_again_soon_waits_longer_and_starts_over_after_ten_seconds,
     the_first_connection_needs_no_trial_and_the_next_does, workers_do_not_ask_at_the_same_moment});

}  // namespace
