// The courier with a Redis that refuses, hangs or goes away.
#include "t/unit/courier_fixture.h"

namespace {

using namespace weir_test;
using State = Courier::State;
using Submitted = Courier::Submitted;

std::size_t told(const std::vector<FakeCustomer>& customers, Outcome outcome) {
  std::size_t count = 0;
  for (const FakeCustomer& customer : customers) count += customer.was(outcome);
  return count;
}

START_TEST(a_refused_record_is_refused_alone) {
  Bench bench;
  bench.greet();
  std::vector<FakeCustomer> customers(300);
  bench.submit_all(customers);
  std::string replies;
  for (std::size_t i = 0; i < customers.size(); ++i) replies += i % 3 == 1 ? kOom : kAdded;
  ck_assert(bench.feed(replies));
  for (std::size_t i = 0; i < customers.size(); ++i) {
    ck_assert(customers[i].was(i % 3 == 1 ? Outcome::refused : Outcome::acknowledged));
  }
  ck_assert(bench.courier.state() == State::ready);
}
END_TEST

START_TEST(a_record_that_is_too_long_for_redis_is_unfit_and_what_is_behind_it_is_lost) {
  Bench bench;
  bench.greet();
  std::vector<FakeCustomer> customers(3);
  bench.submit("first", customers[0]);
  bench.submit(std::string(70'000, 'x'), customers[1]);
  bench.submit("last", customers[2]);
  bench.written();
  ck_assert(bench.feed(std::string(kAdded) + "-ERR Protocol error: invalid bulk length\r\n"));
  ck_assert(customers[0].was(Outcome::acknowledged));
  ck_assert(customers[1].was(Outcome::unfit));
  ck_assert_uint_eq(customers[1].returned[0].size(), 70'000);
  ck_assert(customers[2].untold());
  bench.courier.closed();
  ck_assert(customers[2].was(Outcome::lost));
  ck_assert_uint_eq(bench.courier.counters()[Outcome::unfit], 1);
  ck_assert_view_eq(bench.log.warnings.back(),
                    "Redis refused a record of 70000 bytes with a protocol error, and closes the "
                    "connection: raise proto-max-bulk-len in Redis, or lower the limits body and "
                    "inflated");
  bench.greet();
  FakeCustomer later;
  ck_assert(bench.submit("later", later) == Submitted::taken);
}
END_TEST

START_TEST(whoever_fails_gets_the_record_back) {
  const std::string first("fir\r\nst\0", 9), second(100000, '$'), third, fourth = "4";
  Bench bench;
  bench.greet();
  std::vector<FakeCustomer> customers(5);
  bench.submit(first, customers[0]);
  bench.submit(second, customers[1]);
  bench.written();
  bench.submit("kept", customers[2]);
  bench.submit(third, customers[3]);
  bench.now += 1s;
  bench.submit(fourth, customers[4]);
  ck_assert(bench.feed(kOom));
  ck_assert(customers[0].returned.at(0) == first);
  ck_assert(bench.feed(std::string(kOom) + std::string(kAdded)));
  ck_assert(customers[1].returned.at(0) == second);
  ck_assert(customers[2].returned.at(0).empty());
  bench.now += 1s;
  ck_assert(bench.courier.expire(bench.now));
  ck_assert(customers[3].was(Outcome::timed_out));
  ck_assert(customers[3].returned.at(0) == third);
  bench.courier.closed();
  ck_assert(customers[4].was(Outcome::lost));
  ck_assert(customers[4].returned.at(0) == fourth);
}
END_TEST

START_TEST(a_record_of_nobody_does_not_shift_the_others) {
  Bench bench;
  bench.greet();
  std::vector<FakeCustomer> customers(100);
  for (std::size_t i = 0; i < customers.size(); ++i) {
    bench.submit(std::string(i, static_cast<char>(i)), customers[i]);
    if (i % 3 == 0) bench.courier.cancel(customers[i].ticket);
  }
  bench.courier.closed();
  for (std::size_t i = 0; i < customers.size(); ++i) {
    if (i % 3 == 0) continue;
    ck_assert(customers[i].returned.at(0) == std::string(i, static_cast<char>(i)));
  }
}
END_TEST

START_TEST(every_error_to_a_record_is_a_refusal_and_is_said) {
  for (const std::string word : {"LOADING", "MASTERDOWN", "CLUSTERDOWN", "MOVED", "NOAUTH", "OOM",
                                 "MISCONF", "NOPERM", "WRONGTYPE", "ERR"}) {
    Bench bench;
    bench.greet();
    FakeCustomer refused, next;
    bench.submit("r", refused);
    bench.submit("r", next);
    ck_assert(bench.feed("-" + word + " 3999 127.0.0.1:6381\r\n" + std::string(kAdded)));
    ck_assert(refused.was(Outcome::refused));
    ck_assert(next.was(Outcome::acknowledged));
    ck_assert_uint_eq(bench.log.warnings.size(), 1);
    ck_assert_uint_eq(bench.log.warnings[0].find("Redis refused a record with " + word), 0);
    ck_assert_uint_eq(bench.log.count("127.0.0.1"), 0);
  }
}
END_TEST

START_TEST(a_master_that_became_a_replica_is_left) {
  Bench bench;
  bench.greet();
  std::vector<FakeCustomer> customers(3);
  bench.submit_all(customers);
  const std::string_view readonly = "-READONLY You can't write against a read only replica.\r\n";
  ck_assert(!bench.feed(repeated(readonly, 3)));
  ck_assert(bench.courier.state() == State::away);
  ck_assert(customers[0].was(Outcome::refused));
  bench.courier.closed();
  ck_assert_uint_eq(told(customers, Outcome::lost), 2);
  ck_assert_uint_eq(bench.log.count("with READONLY: this is a replica; name the master"), 1);
}
END_TEST

START_TEST(an_error_that_looks_like_an_id_is_a_refusal) {
  Bench bench;
  bench.greet();
  FakeCustomer customer;
  bench.submit("r", customer);
  ck_assert(bench.feed("-1763700000000-0\r\n"));
  ck_assert(customer.was(Outcome::refused));
  ck_assert_uint_eq(bench.log.count("with an error"), 1);
}
END_TEST

START_TEST(refusals_are_said_once_a_second_with_their_number) {
  Bench bench;
  bench.greet();
  std::vector<FakeCustomer> customers(1001);
  bench.submit_all(customers);
  ck_assert(bench.feed(repeated(kOom, 500)));
  bench.now += 999ms;
  ck_assert(bench.feed(repeated(kOom, 499)));
  ck_assert_uint_eq(bench.log.warnings.size(), 1);
  ck_assert_uint_eq(bench.log.count("refused a record with OOM: "), 1);
  bench.now += 1ms;
  ck_assert(bench.feed("-MISCONF Redis is configured to save RDB snapshots\r\n"));
  ck_assert_uint_eq(bench.log.warnings.size(), 2);
  ck_assert_uint_eq(bench.log.count("refused 999 records, the last one with MISCONF: "), 1);
  bench.now += 1s;
  ck_assert(bench.feed(kOom));
  ck_assert_uint_eq(bench.log.count("refused a record with OOM: "), 2);
  ck_assert_uint_eq(told(customers, Outcome::refused), customers.size());
}
END_TEST

START_TEST(what_was_answered_before_the_garbage_counts) {
  Bench bench;
  bench.greet();
  std::vector<FakeCustomer> customers(5);
  bench.submit_all(customers);
  ck_assert(!bench.feed(std::string(kAdded) + std::string(kOom) + "garbage" + repeated(kAdded, 3)));
  ck_assert(customers[0].was(Outcome::acknowledged));
  ck_assert(customers[1].was(Outcome::refused));
  ck_assert_uint_eq(bench.courier.waiting(), 3);
  bench.courier.closed();
  ck_assert_uint_eq(told(customers, Outcome::lost), 3);
}
END_TEST

START_TEST(after_an_error_nothing_is_taken_until_the_next_connection) {
  Bench bench;
  bench.greet();
  std::vector<FakeCustomer> customers(2);
  bench.submit_all(customers);
  ck_assert(!bench.feed("garbage"));
  FakeCustomer late;
  ck_assert(bench.submit("r", late) == Submitted::away);
  ck_assert(!bench.feed(kAdded));
  ck_assert(!bench.courier.expire(bench.now + 1h));
  ck_assert_uint_eq(told(customers, Outcome::lost), 0);
  bench.courier.cancel(customers[0].ticket);
  bench.courier.closed();
  ck_assert(customers[0].untold());
  ck_assert(customers[1].was(Outcome::lost));
  bench.greet();
  ck_assert(bench.submit("r", late) == Submitted::taken);
  ck_assert(bench.feed(kAdded));
  ck_assert(late.was(Outcome::acknowledged));
}
END_TEST

START_TEST(half_a_reply_is_forgotten_with_its_connection) {
  for (std::size_t cut = 0; cut < kAdded.size(); ++cut) {
    Bench bench;
    bench.greet();
    FakeCustomer before, after;
    bench.submit("r", before);
    ck_assert(bench.feed(kAdded.substr(0, cut)));
    bench.courier.closed();
    ck_assert(before.was(Outcome::lost));
    bench.greet();
    bench.submit("r", after);
    ck_assert(bench.feed(kAdded));
    ck_assert(after.was(Outcome::acknowledged));
  }
}
END_TEST

START_TEST(a_half_written_record_is_forgotten_with_its_connection) {
  Bench bench;
  bench.greet();
  FakeCustomer customer;
  bench.submit(std::string(1000, 'x'), customer);
  bench.courier.wrote(500);
  bench.courier.closed();
  ck_assert(bench.courier.output().empty());
  bench.connect();
  ck_assert_uint_eq(bench.courier.output().find("*1\r\n$4\r\nROLE\r\n*3\r\n$6\r\nCONFIG"), 0);
}
END_TEST

START_TEST(a_redis_that_hangs_times_out_what_is_overdue_and_loses_the_rest) {
  Bench bench;
  bench.greet();
  std::vector<FakeCustomer> early(10), late(10);
  bench.submit_all(early);
  bench.now += 1s;
  bench.submit_all(late);
  bench.now += 999ms;
  ck_assert(!bench.courier.expire(bench.now));
  ck_assert_uint_eq(told(early, Outcome::timed_out), 0);
  bench.now += 1ms;
  ck_assert(bench.courier.expire(bench.now));
  ck_assert_uint_eq(told(early, Outcome::timed_out), 10);
  ck_assert_uint_eq(bench.courier.waiting(), 10);
  ck_assert_uint_eq(bench.log.count("Redis has not answered for 2000 ms"), 1);
  ck_assert(!bench.courier.deadline());
  bench.courier.closed();
  ck_assert_uint_eq(told(late, Outcome::lost), 10);
}
END_TEST

START_TEST(a_late_reply_settles_nobody_twice) {
  Bench bench;
  bench.greet();
  FakeCustomer overdue, waiting, next;
  bench.submit("r", overdue);
  bench.now += 1s;
  bench.submit("r", waiting);
  bench.now += 1s;
  ck_assert(bench.courier.expire(bench.now));
  ck_assert(!bench.feed(repeated(kAdded, 2)));
  ck_assert(overdue.was(Outcome::timed_out));
  ck_assert(waiting.untold());
  bench.courier.closed();
  ck_assert(waiting.was(Outcome::lost));
  bench.greet();
  bench.submit("r", next);
  ck_assert(next.untold());
}
END_TEST

START_TEST(a_reply_after_its_time_counts_if_nobody_looked_at_the_clock) {
  Bench bench;
  bench.greet();
  FakeCustomer customer;
  bench.submit("r", customer);
  bench.now += 10s;
  ck_assert(bench.feed(kAdded));
  ck_assert(customer.was(Outcome::acknowledged));
  ck_assert(!bench.courier.expire(bench.now));
}
END_TEST

START_TEST(a_cancelled_record_that_is_overdue_ends_the_connection_too) {
  Bench bench;
  bench.greet();
  FakeCustomer gone;
  bench.submit("r", gone);
  bench.courier.cancel(gone.ticket);
  bench.now += 2s;
  ck_assert(bench.courier.expire(bench.now));
  bench.courier.closed();
  ck_assert(gone.untold());
}
END_TEST

START_TEST(a_timeout_of_its_own_is_kept) {
  CourierSettings quick = settings();
  quick.timeout = 50ms;
  Bench bench(quick);
  bench.greet();
  FakeCustomer customer;
  bench.submit("r", customer);
  bench.now += 49ms;
  ck_assert(!bench.courier.expire(bench.now));
  bench.now += 1ms;
  ck_assert(bench.courier.expire(bench.now));
  ck_assert_uint_eq(bench.log.count("for 50 ms"), 1);
}
END_TEST

// A Redis that is slow to write it down would else be sent it again and again.
START_TEST(a_long_record_has_the_time_that_a_slow_redis_takes_for_it) {
  Bench bench;
  bench.greet();
  FakeCustomer customer, behind;
  bench.submit(std::string(8U << 20, 'r'), customer);
  bench.submit("r", behind);
  ck_assert(bench.wait(2s + 8191ms));
  ck_assert(!bench.wait(1ms));
  ck_assert(customer.was(Outcome::timed_out));
  ck_assert(behind.was(Outcome::timed_out));
  ck_assert_uint_eq(bench.log.count("Redis has not answered for 10192 ms"), 1);
  bench.courier.closed();
  bench.greet();
  bench.submit(std::string(8U << 20, 'r'), customer);
  ck_assert(bench.wait(9s));
  ck_assert(bench.feed(kAdded));
  ck_assert(customer.outcomes.back() == Outcome::acknowledged);
}
END_TEST

START_TEST(a_connection_that_ends_loses_a_thousand_in_flight) {
  Bench bench;
  bench.greet();
  std::vector<FakeCustomer> customers(1000);
  bench.submit_all(customers);
  ck_assert(bench.feed(repeated(kAdded, 400)));
  for (std::size_t i = 0; i < customers.size(); i += 10) {
    bench.courier.cancel(customers[i].ticket);
  }
  bench.courier.closed();
  ck_assert_uint_eq(told(customers, Outcome::acknowledged), 400);
  ck_assert_uint_eq(told(customers, Outcome::lost), 540);
  ck_assert_uint_eq(bench.courier.waiting(), 0);
  bench.courier.closed();
  ck_assert_uint_eq(told(customers, Outcome::lost), 540);
}
END_TEST

START_TEST(a_connection_over_another_loses_what_was_in_flight) {
  Bench bench;
  bench.greet();
  FakeCustomer customer;
  bench.submit("r", customer);
  bench.connect();
  ck_assert(customer.was(Outcome::lost));
  ck_assert(bench.courier.state() == State::greeting);
}
END_TEST

START_TEST(who_is_told_of_a_loss_may_submit_and_cancel) {
  for (const bool hangs : {false, true}) {
    Bench bench;
    bench.greet();
    FakeCustomer again;
    std::vector<FakeCustomer> customers(50);
    for (FakeCustomer& customer : customers) {
      customer.then = [&] { ck_assert(bench.submit("r", again) == Submitted::away); };
    }
    bench.submit_all(customers);
    customers[10].then = [&] {
      for (const std::size_t i : {5U, 10U, 11U, 49U}) bench.courier.cancel(customers[i].ticket);
    };
    bench.now += 2s;
    if (hangs) ck_assert(bench.courier.expire(bench.now));
    bench.courier.closed();
    ck_assert_uint_eq(told(customers, hangs ? Outcome::timed_out : Outcome::lost), 48);
    ck_assert(customers[11].untold() && customers[49].untold());
    ck_assert(again.untold());
  }
}
END_TEST

START_TEST(who_is_told_of_an_answer_may_submit_at_the_bound) {
  CourierSettings one = settings();
  one.max_waiting = 1;
  Bench bench(one);
  bench.greet();
  FakeCustomer first, second;
  first.then = [&] { ck_assert(bench.submit("r", second) == Submitted::taken); };
  ck_assert(bench.submit("r", first) == Submitted::taken);
  ck_assert(bench.feed(repeated(kAdded, 2)));
  ck_assert(first.was(Outcome::acknowledged));
  ck_assert(second.was(Outcome::acknowledged));
}
END_TEST

START_TEST(nothing_is_read_before_the_first_connection) {
  Bench bench;
  ck_assert(!bench.feed(kSafeGreeting));
  ck_assert(!bench.courier.expire(bench.now));
  bench.courier.closed();
  ck_assert(bench.courier.state() == State::away);
  ck_assert(bench.log.warnings.empty());
}
END_TEST

const Register kRegistered(
    "courier_faults", {a_refused_record_is_refused_alone,
                       a_record_that_is_too_long_for_redis_is_unfit_and_what_is_behind_it_is_lost,
                       whoever_fails_gets_the_record_back,
                       a_record_of_nobody_does_not_shift_the_others,
                       every_error_to_a_record_is_a_refusal_and_is_said,
                       a_master_that_became_a_replica_is_left,
                       an_error_that_looks_like_an_id_is_a_refusal,
                       refusals_are_said_once_a_second_with_their_number,
                       what_was_answered_before_the_garbage_counts,
                       after_an_error_nothing_is_taken_until_the_next_connection,
                       half_a_reply_is_forgotten_with_its_connection,
                       a_half_written_record_is_forgotten_with_its_connection,
                       a_redis_that_hangs_times_out_what_is_overdue_and_loses_the_rest,
                       a_late_reply_settles_nobody_twice,
                       a_reply_after_its_time_counts_if_nobody_looked_at_the_clock,
                       a_cancelled_record_that_is_overdue_ends_the_connection_too,
                       a_timeout_of_its_own_is_kept,
                       a_long_record_has_the_time_that_a_slow_redis_takes_for_it,
                       a_connection_that_ends_loses_a_thousand_in_flight,
                       a_connection_over_another_loses_what_was_in_flight,
                       who_is_told_of_a_loss_may_submit_and_cancel,
                       who_is_told_of_an_answer_may_submit_at_the_bound,
                       nothing_is_read_before_the_first_connection});

}  // namespace
