// The courier's patience, and what it does about a Redis that is slow, hangs or refuses.
#include "t/unit/courier_fixture.h"

namespace {

using namespace weir_test;
using weir::Terms;
using Breaker = weir::Breaker::State;
using State = Courier::State;
using Submitted = Courier::Submitted;

CourierSettings impatient() {
  CourierSettings with = settings();
  with.patience = 250ms;
  return with;
}

std::size_t told(const std::vector<FakeCustomer>& customers, Outcome outcome) {
  std::size_t count = 0;
  for (const FakeCustomer& customer : customers) count += customer.was(outcome);
  return count;
}

START_TEST(a_record_is_late_after_the_patience_with_all_behind_it) {
  Bench bench(impatient());
  bench.greet();
  std::vector<FakeCustomer> first(3), behind(3);
  bench.submit_all(first);
  bench.now += 200ms;
  bench.submit_all(behind);
  bench.written();
  ck_assert(bench.courier.deadline() == bench.now + 50ms);
  ck_assert(bench.wait(49ms));
  ck_assert_uint_eq(told(first, Outcome::late), 0);
  ck_assert(bench.wait(1ms));
  ck_assert_uint_eq(told(first, Outcome::late), 3);
  ck_assert_uint_eq(told(behind, Outcome::late), 3);
  ck_assert_view_eq(behind[2].returned.at(0), "record");
  ck_assert_uint_eq(bench.courier.waiting(), 6);
  ck_assert(!bench.courier.pressing());
  ck_assert_uint_eq(bench.log.count("has not answered within 250 ms"), 1);
  ck_assert_uint_eq(bench.courier.counters()[Outcome::late], 6);
}
END_TEST

START_TEST(a_late_record_comes_back_as_it_was_whatever_was_answered_before) {
  Bench bench(impatient());
  bench.greet();
  std::vector<FakeCustomer> customers(50);
  for (std::size_t i = 0; i < customers.size(); ++i) {
    bench.submit(std::string(i * 7, static_cast<char>(i)), customers[i]);
    if (i % 5 == 0) bench.courier.cancel(customers[i].ticket);
  }
  bench.written();
  ck_assert(bench.feed(repeated(kAdded, 20)));
  ck_assert(bench.wait(250ms));
  for (std::size_t i = 20; i < customers.size(); ++i) {
    if (i % 5 == 0) {
      ck_assert(customers[i].untold());
      continue;
    }
    ck_assert(customers[i].was(Outcome::late));
    ck_assert(customers[i].returned.at(0) == std::string(i * 7, static_cast<char>(i)));
  }
}
END_TEST

START_TEST(while_the_breaker_is_open_nobody_waits) {
  Bench bench(impatient());
  bench.greet();
  FakeCustomer late, next;
  bench.submit("r", late);
  ck_assert(bench.courier.condition() == State::ready);
  ck_assert(bench.wait(250ms));
  ck_assert(bench.courier.breaker() == Breaker::open);
  ck_assert(bench.courier.state() == State::ready);
  ck_assert(bench.courier.condition() == State::refusing);
  ck_assert(bench.submit("r", next) == Submitted::away);
  ck_assert(next.untold());
}
END_TEST

START_TEST(whoever_is_told_that_it_is_late_cannot_submit_and_may_cancel) {
  Bench bench(impatient());
  bench.greet();
  FakeCustomer again;
  std::vector<FakeCustomer> customers(5);
  for (FakeCustomer& customer : customers) {
    customer.then = [&] { ck_assert(bench.submit("r", again) == Submitted::away); };
  }
  bench.submit_all(customers);
  customers[1].then = [&] {
    for (const std::size_t i : {0U, 1U, 3U}) bench.courier.cancel(customers[i].ticket);
  };
  ck_assert(bench.wait(250ms));
  ck_assert_uint_eq(told(customers, Outcome::late), 4);
  ck_assert(customers[3].untold());
}
END_TEST

START_TEST(a_late_answer_tells_nobody_and_then_redis_is_asked_again) {
  Bench bench(impatient());
  bench.greet();
  FakeCustomer late;
  bench.submit("r", late);
  bench.written();
  ck_assert(bench.wait(250ms));
  ck_assert(bench.wait(1s));
  ck_assert(bench.courier.output().empty());  // while it has not answered there is nothing to ask
  ck_assert(bench.feed(kAdded));
  ck_assert(late.was(Outcome::late));
  ck_assert_uint_eq(bench.courier.counters()[Outcome::acknowledged], 0);
  ck_assert(bench.courier.breaker() == Breaker::open);
  ck_assert(bench.wait(0ms));
  const std::string asked = bench.written();
  ck_assert_view_eq(asked,
                    "*5\r\n$4\r\nXADD\r\n$8\r\nweir:{0}\r\n$3\r\n0-0\r\n$1\r\nr\r\n$0\r\n\r\n");
  ck_assert(bench.feed(kProbed));
  ck_assert(bench.courier.breaker() == Breaker::half_open);
  ck_assert(bench.courier.condition() == State::ready);
}
END_TEST

START_TEST(the_trial_goes_alone_and_lets_all_others_in_or_costs_one_a_patience) {
  for (const bool fails : {false, true}) {
    Bench bench(impatient());
    bench.greet();
    FakeCustomer late, trial, other;
    bench.submit("r", late);
    ck_assert(bench.wait(250ms));
    bench.written();
    ck_assert(bench.feed(kAdded));
    bench.probe();
    ck_assert(bench.submit("trial", trial) == Submitted::taken);
    ck_assert(bench.submit("r", other) == Submitted::away);
    if (fails) {
      ck_assert(bench.wait(250ms));
      ck_assert(trial.was(Outcome::late));
      ck_assert(bench.courier.breaker() == Breaker::open);
    } else {
      ck_assert(bench.wait(249ms));
      ck_assert(bench.feed(kAdded));
      ck_assert(trial.was(Outcome::acknowledged));
      ck_assert(bench.courier.breaker() == Breaker::closed);
      std::vector<FakeCustomer> all(100);
      bench.submit_all(all);
    }
    ck_assert_uint_eq(bench.courier.breaker_openings(), 1);
  }
}
END_TEST

START_TEST(a_cancelled_trial_is_one_all_the_same) {
  Bench bench(impatient());
  bench.greet();
  FakeCustomer refused, trial, next;
  bench.submit("r", refused);
  ck_assert(bench.feed(kOom));
  bench.written();
  bench.probe();
  bench.submit("r", trial);
  bench.courier.cancel(trial.ticket);
  ck_assert(bench.submit("r", next) == Submitted::away);
  ck_assert(bench.feed(kAdded));
  ck_assert(bench.submit("r", next) == Submitted::taken);
}
END_TEST

START_TEST(a_redis_that_refuses_is_asked_until_it_takes_records_again) {
  for (const std::string_view error :
       {"-OOM command not allowed\r\n", "-MISCONF Redis is configured to\r\n",
        "-NOREPLICAS Not enough good replicas\r\n", "-NOPERM this user has no permissions\r\n",
        "-CLUSTERDOWN Hash slot not served\r\n", "-LOADING Redis is loading\r\n",
        "-BUSY Redis is busy running a script\r\n", "-NOAUTH Authentication required.\r\n"}) {
    Bench bench(impatient());
    bench.greet();
    FakeCustomer refused, next;
    bench.submit("r", refused);
    bench.written();
    ck_assert(bench.feed(error));
    ck_assert(refused.was(Outcome::refused));
    ck_assert(bench.courier.breaker() == Breaker::open);
    for (int i = 0; i < 5; ++i) bench.probe(error);
    ck_assert(bench.courier.breaker() == Breaker::open);
    ck_assert_uint_eq(bench.log.warnings.size(), 2);  // of the record, and of the question once
    bench.probe();
    ck_assert(bench.submit("r", next) == Submitted::taken);
    ck_assert(bench.feed(kAdded));
    ck_assert(bench.courier.breaker() == Breaker::closed);
    ck_assert_uint_eq(bench.courier.counters()[Outcome::refused], 1);
  }
}
END_TEST

START_TEST(a_replica_that_the_question_finds_is_left) {
  Bench bench(impatient());
  bench.greet();
  FakeCustomer refused;
  bench.submit("r", refused);
  ck_assert(bench.feed(kOom));
  bench.written();
  while (bench.courier.output().empty()) ck_assert(bench.wait(10ms));
  ck_assert(!bench.feed("-READONLY You can't write against a read only replica.\r\n"));
  ck_assert(bench.courier.state() == State::away);
}
END_TEST

START_TEST(a_question_that_is_late_or_nonsense_does_not_let_anyone_pass) {
  Bench bench(impatient());
  bench.greet();
  FakeCustomer refused;
  bench.submit("r", refused);
  ck_assert(bench.feed(kOom));
  bench.written();
  while (bench.courier.output().empty()) ck_assert(bench.wait(10ms));
  bench.written();
  ck_assert(bench.wait(250ms));
  ck_assert(bench.feed(kProbed));
  ck_assert(bench.courier.breaker() == Breaker::open);
  while (bench.courier.output().empty()) ck_assert(bench.wait(10ms));
  ck_assert(!bench.feed(kAdded));
  ck_assert_uint_eq(bench.log.count("an XADD that it has to refuse"), 1);
}
END_TEST

START_TEST(what_nobody_waits_for_has_the_whole_timeout) {
  Bench bench(impatient());
  bench.greet();
  FakeCustomer live, drained, drained_lost;
  bench.submit("drained", drained, Terms{0, true});
  bench.submit("live", live);
  bench.now += 100ms;
  bench.submit("lost", drained_lost, Terms{0, true});
  ck_assert(bench.wait(150ms));
  ck_assert(live.was(Outcome::late));
  ck_assert_view_eq(live.returned.at(0), "live");
  ck_assert(drained.untold());
  ck_assert(bench.courier.breaker() == Breaker::open);
  ck_assert(bench.feed(kAdded));
  ck_assert(drained.was(Outcome::acknowledged));
  ck_assert(bench.feed(kAdded));
  ck_assert(!bench.wait(1850ms));
  ck_assert(drained_lost.was(Outcome::timed_out));
  ck_assert_uint_eq(bench.courier.counters()[Outcome::timed_out], 1);
  ck_assert_uint_eq(bench.courier.counters()[Outcome::acknowledged], 1);
}
END_TEST

START_TEST(a_redis_that_hangs_for_good_costs_one_patience_and_then_the_connection) {
  Bench bench(impatient());
  bench.greet();
  std::vector<FakeCustomer> customers(10);
  bench.submit_all(customers);
  ck_assert(bench.wait(250ms));
  ck_assert_uint_eq(told(customers, Outcome::late), 10);
  ck_assert(!bench.wait(1750ms));
  bench.courier.closed();
  ck_assert_uint_eq(told(customers, Outcome::late), 10);
  ck_assert(bench.courier.breaker() == Breaker::open);
  bench.greet();
  ck_assert(bench.courier.breaker() == Breaker::half_open);
  ck_assert_uint_eq(bench.courier.waiting(), 0);
}
END_TEST

START_TEST(a_connection_that_went_has_to_show_that_it_works) {
  Bench bench(impatient());
  bench.greet();
  ck_assert(bench.courier.breaker() == Breaker::closed);
  bench.courier.closed();
  ck_assert(bench.courier.breaker() == Breaker::open);
  bench.greet();
  FakeCustomer trial, other;
  ck_assert(bench.submit("r", trial) == Submitted::taken);
  ck_assert(bench.submit("r", other) == Submitted::away);
  ck_assert(bench.feed(kAdded));
  ck_assert(bench.submit("r", other) == Submitted::taken);
}
END_TEST

// Redis takes 300 ms for each answer, and clients send all the time: how many of them wait?
START_TEST(a_redis_that_is_always_too_slow_does_not_flap) {
  Bench bench(impatient());
  bench.greet();
  std::vector<Courier::Time> answers;  // when what was written will be answered
  FakeCustomer customer;
  std::size_t taken = 0, sent = 0;
  for (int ms = 0; ms < 60000; ++ms) {
    ++sent;
    taken += bench.submit("r", customer) == Submitted::taken;
    const std::string out = bench.written();
    for (std::size_t at = 0; (at = out.find("XADD", at)) != std::string::npos; ++at) {
      answers.push_back(bench.now + 300ms);
    }
    while (!answers.empty() && answers.front() <= bench.now) {
      ck_assert(bench.feed("-ERR slow\r\n"));  // of a record it is a refusal, which is as bad
      answers.erase(answers.begin());
    }
    ck_assert(bench.wait(1ms));
  }
  ck_assert_uint_le(taken, 300);
  ck_assert_uint_eq(bench.courier.breaker_openings(), 1);
}
END_TEST

// Redis stalls for 400 ms every two seconds.
START_TEST(a_redis_that_stalls_again_and_again_gets_less_and_less_to_stall) {
  Bench bench(impatient());
  bench.greet();
  std::vector<bool> asked;  // true: a question; false: a record
  FakeCustomer customer;
  std::size_t sent = 0;
  for (int ms = 0; ms < 120000; ++ms) {
    ++sent;
    bench.submit("r", customer);
    const std::string out = bench.written();
    for (std::size_t at = 0; (at = out.find("XADD", at)) != std::string::npos; ++at) {
      asked.push_back(out.compare(at + 24, 3, "0-0") == 0);
    }
    if (ms % 2000 >= 400) {
      for (const bool question : asked) ck_assert(bench.feed(question ? kProbed : kAdded));
      asked.clear();
    }
    ck_assert(bench.wait(1ms));
  }
  const auto& counters = bench.courier.counters();
  ck_assert_uint_gt(counters[Outcome::acknowledged], sent / 8);
  ck_assert_uint_lt(counters[Outcome::late], sent / 10);
}
END_TEST

const Register kRegistered("courier_breaker",
                           {a_record_is_late_after_the_patience_with_all_behind_it,
                            a_late_record_comes_back_as_it_was_whatever_was_answered_before,
                            while_the_breaker_is_open_nobody_waits,
                            whoever_is_told_that_it_is_late_cannot_submit_and_may_cancel,
                            a_late_answer_tells_nobody_and_then_redis_is_asked_again,
                            the_trial_goes_alone_and_lets_all_others_in_or_costs_one_a_patience,
                            a_cancelled_trial_is_one_all_the_same,
                            a_redis_that_refuses_is_asked_until_it_takes_records_again,
                            a_replica_that_the_question_finds_is_left,
                            a_question_that_is_late_or_nonsense_does_not_let_anyone_pass,
                            what_nobody_waits_for_has_the_whole_timeout,
                            a_redis_that_hangs_for_good_costs_one_patience_and_then_the_connection,
                            a_connection_that_went_has_to_show_that_it_works,
                            a_redis_that_is_always_too_slow_does_not_flap,
                            a_redis_that_stalls_again_and_again_gets_less_and_less_to_stall});

}  // namespace
