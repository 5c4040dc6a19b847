// Records that replicas have to hold: one WAIT for each run of them, and nobody told before it.
#include "t/unit/courier_fixture.h"

namespace {

using namespace weir_test;
using weir::Terms;
using Breaker = weir::Breaker::State;
using Submitted = Courier::Submitted;

constexpr Terms kOne{1, false}, kTwo{2, false};
constexpr std::string_view kWaitForOne = "*3\r\n$4\r\nWAIT\r\n$1\r\n1\r\n$3\r\n200\r\n";

CourierSettings impatient() {
  CourierSettings with = settings();
  with.patience = 250ms;
  return with;
}

std::size_t occurrences(std::string_view text, std::string_view of) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(of, at)) != std::string_view::npos; ++at) ++count;
  return count;
}

START_TEST(records_that_go_out_together_share_one_wait) {
  Bench bench(impatient());
  bench.greet();
  std::vector<FakeCustomer> customers(4);
  for (std::size_t i = 0; i < 3; ++i) bench.submit("r", customers[i], kOne);
  const std::string first = bench.written();
  ck_assert_uint_eq(occurrences(first, "XADD"), 3);
  ck_assert_uint_eq(occurrences(first, kWaitForOne), 1);
  ck_assert_uint_eq(first.rfind(kWaitForOne), first.size() - kWaitForOne.size());
  ck_assert(bench.courier.output().empty());
  bench.submit("r", customers[3], kOne);
  ck_assert_uint_eq(occurrences(bench.written(), "WAIT"), 1);
  ck_assert(bench.feed(repeated(kAdded, 3)));
  for (const FakeCustomer& customer : customers) ck_assert(customer.untold());
  ck_assert(bench.feed(":1\r\n"));
  for (std::size_t i = 0; i < 3; ++i) ck_assert(customers[i].was(Outcome::acknowledged));
  ck_assert(customers[3].untold());
  ck_assert_uint_eq(bench.courier.waiting(), 1);
  ck_assert(bench.feed(std::string(kAdded) + ":2\r\n"));
  ck_assert(customers[3].was(Outcome::acknowledged));
}
END_TEST

START_TEST(records_without_replicas_ask_for_none) {
  Bench bench(impatient());
  bench.greet();
  FakeCustomer customer;
  bench.submit("r", customer);
  ck_assert_uint_eq(occurrences(bench.written(), "WAIT"), 0);
  ck_assert(bench.feed(kAdded));
  ck_assert(customer.was(Outcome::acknowledged));
}
END_TEST

START_TEST(too_few_replicas_give_the_records_back_and_open_the_breaker) {
  Bench bench(impatient());
  bench.greet();
  std::vector<FakeCustomer> customers(3);
  bench.submit("one", customers[0], kOne);
  bench.submit("two", customers[1], kTwo);
  bench.submit("bad", customers[2], kOne);
  ck_assert_uint_eq(occurrences(bench.written(), "WAIT\r\n$1\r\n2\r\n"), 1);
  ck_assert(bench.feed(repeated(kAdded, 2) + std::string(kOom) + ":1\r\n"));
  ck_assert(customers[0].was(Outcome::acknowledged));
  ck_assert(customers[1].was(Outcome::refused));
  ck_assert_view_eq(customers[1].returned.at(0), "two");
  ck_assert(customers[2].was(Outcome::refused));
  ck_assert_view_eq(customers[2].returned.at(0), "bad");
  ck_assert(bench.courier.breaker() == Breaker::open);
  ck_assert_uint_eq(bench.log.count("of the 2 replicas that wait= asks for, 1 have"), 1);
}
END_TEST

START_TEST(the_breaker_asks_for_replicas_too_before_it_lets_anyone_pass) {
  Bench bench(impatient());
  bench.greet();
  FakeCustomer refused, trial, other;
  bench.submit("r", refused, kOne);
  bench.written();
  ck_assert(bench.feed(std::string(kAdded) + ":0\r\n"));
  ck_assert(refused.was(Outcome::refused));
  const std::string probed(kProbed);
  for (int i = 0; i < 3; ++i) bench.probe(probed + ":0\r\n");
  ck_assert(bench.courier.breaker() == Breaker::open);
  bench.probe(probed + ":1\r\n");
  ck_assert(bench.courier.breaker() == Breaker::half_open);
  ck_assert(bench.submit("r", trial, kOne) == Submitted::taken);
  ck_assert(bench.submit("r", other, kOne) == Submitted::away);
  bench.written();
  ck_assert(bench.feed(kAdded));
  ck_assert(bench.courier.breaker() == Breaker::half_open);
  ck_assert(bench.feed(":1\r\n"));
  ck_assert(bench.courier.breaker() == Breaker::closed);
}
END_TEST

START_TEST(replicas_that_take_too_long_make_records_late) {
  Bench bench(impatient());
  bench.greet();
  std::vector<FakeCustomer> customers(3);
  bench.submit("a", customers[0], kOne);
  bench.submit("b", customers[1], kOne);
  bench.written();
  bench.submit("c", customers[2], kOne);
  ck_assert(bench.feed(repeated(kAdded, 2)));
  ck_assert(bench.wait(250ms));
  ck_assert(customers[0].was(Outcome::late));
  ck_assert_view_eq(customers[1].returned.at(0), "b");
  ck_assert_view_eq(customers[2].returned.at(0), "c");
  bench.written();
  ck_assert(bench.feed(":1\r\n" + std::string(kAdded) + ":1\r\n"));
  ck_assert_uint_eq(bench.courier.waiting(), 0);
  ck_assert_uint_eq(bench.courier.counters()[Outcome::late], 3);
  ck_assert_uint_eq(bench.courier.counters()[Outcome::acknowledged], 0);
}
END_TEST

START_TEST(a_connection_that_ends_before_the_wait_loses_all_of_the_run) {
  Bench bench(impatient());
  bench.greet();
  std::vector<FakeCustomer> customers(3);
  for (FakeCustomer& customer : customers) bench.submit("record", customer, kOne);
  bench.courier.cancel(customers[1].ticket);
  bench.written();
  ck_assert(bench.feed(repeated(kAdded, 2)));
  bench.courier.closed();
  ck_assert(customers[0].was(Outcome::lost) && customers[2].was(Outcome::lost));
  ck_assert(customers[1].untold());
  ck_assert_view_eq(customers[0].returned.at(0), "record");
  bench.greet();
  ck_assert(bench.courier.output().empty());
}
END_TEST

START_TEST(an_error_to_the_wait_is_as_good_as_no_replica) {
  Bench bench(impatient());
  bench.greet();
  FakeCustomer customer;
  bench.submit("r", customer, kOne);
  bench.written();
  ck_assert(bench.feed(std::string(kAdded) + "-NOPERM this user has no permissions\r\n"));
  ck_assert(customer.was(Outcome::refused));
  Bench nonsense(impatient());
  nonsense.greet();
  nonsense.submit("r", customer, kOne);
  nonsense.written();
  ck_assert(!nonsense.feed(std::string(kAdded) + "+OK\r\n"));
}
END_TEST

START_TEST(whoever_is_told_may_submit_into_the_next_run) {
  Bench bench(impatient());
  bench.greet();
  FakeCustomer again;
  std::vector<FakeCustomer> customers(50);
  for (FakeCustomer& customer : customers) {
    customer.then = [&] { ck_assert(bench.submit("again", again, kOne) == Submitted::taken); };
    bench.submit("r", customer, kOne);
  }
  bench.written();
  ck_assert(bench.feed(repeated(kAdded, 50) + ":1\r\n"));
  const std::string next = bench.written();
  ck_assert_uint_eq(occurrences(next, "again"), 50);
  ck_assert_uint_eq(occurrences(next, "WAIT"), 1);
  ck_assert(bench.feed(repeated(kAdded, 50) + ":1\r\n"));
  ck_assert_uint_eq(again.outcomes.size(), 50);
}
END_TEST

const Register kRegistered("courier_replicas",
                           {records_that_go_out_together_share_one_wait,
                            records_without_replicas_ask_for_none,
                            too_few_replicas_give_the_records_back_and_open_the_breaker,
                            the_breaker_asks_for_replicas_too_before_it_lets_anyone_pass,
                            replicas_that_take_too_long_make_records_late,
                            a_connection_that_ends_before_the_wait_loses_all_of_the_run,
                            an_error_to_the_wait_is_as_good_as_no_replica,
                            whoever_is_told_may_submit_into_the_next_run});

}  // namespace
