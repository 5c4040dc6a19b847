// The courier with a Redis that behaves: what goes out, who is told, what is bounded.
#include "core/record/record.h"
#include "t/unit/courier_fixture.h"

namespace {

using namespace weir_test;
using State = Courier::State;
using Submitted = Courier::Submitted;

START_TEST(takes_nothing_before_the_greeting_is_answered) {
  Bench bench;
  FakeCustomer customer;
  ck_assert(bench.courier.state() == State::away);
  ck_assert(bench.submit("r", customer) == Submitted::away);
  bench.connect();
  ck_assert(bench.courier.state() == State::greeting);
  ck_assert(bench.submit("r", customer) == Submitted::away);
  for (std::size_t i = 0; i + 1 < kSafeGreeting.size(); ++i) {
    ck_assert(bench.feed(kSafeGreeting.substr(i, 1)));
    ck_assert(bench.submit("r", customer) == Submitted::away);
  }
  ck_assert(bench.feed("\n"));
  ck_assert(bench.courier.state() == State::ready);
  ck_assert_int_eq(bench.log.ready_count, 1);
  ck_assert(bench.submit("r", customer) == Submitted::taken);
  ck_assert(customer.untold());
}
END_TEST

START_TEST(a_record_is_one_xadd_whatever_its_bytes) {
  Bench bench;
  bench.greet();
  FakeCustomer customer;
  const std::string_view record("a\r\n\0*1\r\n\xff$", 11);
  ck_assert(bench.submit(record, customer) == Submitted::taken);
  std::string expected = "*5\r\n$4\r\nXADD\r\n$8\r\nweir:{0}\r\n$1\r\n*\r\n$1\r\nr\r\n$11\r\n";
  expected.append(record).append("\r\n");
  const std::string written = bench.written();
  ck_assert_view_eq(written, expected);
  ck_assert(bench.courier.output().empty());
}
END_TEST

START_TEST(an_empty_record_is_carried_too) {
  Bench bench;
  bench.greet();
  FakeCustomer customer;
  ck_assert(bench.submit("", customer) == Submitted::taken);
  ck_assert(bench.written().find("$1\r\nr\r\n$0\r\n\r\n") != std::string::npos);
  ck_assert(bench.feed(kAdded));
  ck_assert(customer.was(Outcome::acknowledged));
}
END_TEST

START_TEST(replies_settle_customers_in_order) {
  Bench bench;
  bench.greet();
  std::vector<FakeCustomer> customers(3);
  bench.submit_all(customers);
  for (std::size_t i = 0; i < customers.size(); ++i) {
    ck_assert(customers[i].untold());
    ck_assert(bench.feed(kAdded));
    ck_assert(customers[i].was(Outcome::acknowledged));
    ck_assert_uint_eq(bench.courier.waiting(), 2 - i);
  }
}
END_TEST

START_TEST(a_reply_may_come_before_its_record_is_known_to_be_written) {
  Bench bench;
  bench.greet();
  FakeCustomer customer;
  bench.submit("record", customer);
  const std::size_t size = bench.courier.output().size();
  ck_assert(bench.feed(kAdded));
  ck_assert(customer.was(Outcome::acknowledged));
  bench.courier.wrote(size);
  ck_assert(bench.courier.output().empty());
}
END_TEST

START_TEST(many_replies_may_come_in_one_chunk) {
  Bench bench;
  bench.greet();
  std::vector<FakeCustomer> customers(5000);
  bench.submit_all(customers);
  ck_assert(bench.feed(repeated(kAdded, customers.size())));
  for (const FakeCustomer& customer : customers) ck_assert(customer.was(Outcome::acknowledged));
  ck_assert_uint_eq(bench.courier.waiting(), 0);
}
END_TEST

START_TEST(replies_may_be_cut_at_every_byte) {
  const std::string replies = repeated(kAdded, 2) + std::string(kOom) + std::string(kAdded);
  for (std::size_t cut = 0; cut <= replies.size(); ++cut) {
    Bench bench;
    bench.greet();
    std::vector<FakeCustomer> customers(4);
    bench.submit_all(customers);
    ck_assert(bench.feed(std::string_view(replies).substr(0, cut)));
    ck_assert(bench.feed(std::string_view(replies).substr(cut)));
    for (std::size_t i = 0; i < customers.size(); ++i) {
      ck_assert(customers[i].was(i == 2 ? Outcome::refused : Outcome::acknowledged));
    }
  }
}
END_TEST

START_TEST(a_chunk_may_end_anywhere_in_a_long_run_of_replies) {
  Bench bench;
  bench.greet();
  std::vector<FakeCustomer> customers(2000);
  bench.submit_all(customers);
  const std::string replies = repeated(kAdded, customers.size());
  for (std::size_t at = 0, step = 1; at < replies.size(); at += step, step = step % 997 + 1) {
    ck_assert(bench.feed(std::string_view(replies).substr(at, step)));
  }
  for (const FakeCustomer& customer : customers) ck_assert(customer.was(Outcome::acknowledged));
}
END_TEST

START_TEST(an_empty_chunk_changes_nothing) {
  Bench bench;
  bench.greet();
  FakeCustomer customer;
  bench.submit("record", customer);
  ck_assert(bench.feed({}));
  ck_assert(customer.untold());
}
END_TEST

START_TEST(output_may_be_written_in_pieces_of_any_size) {
  Bench whole, pieces;
  whole.greet();
  pieces.greet();
  std::vector<FakeCustomer> customers(3000);
  std::string expected, written;
  for (std::size_t i = 0; i < customers.size(); ++i) {
    const std::string record(i % 300, static_cast<char>(i));
    whole.submit(record, customers[i]);
    expected += whole.written();
    pieces.submit(record, customers[i]);
    const std::string_view part = pieces.courier.output().substr(0, i * 7919 % 400);
    written += part;
    pieces.courier.wrote(part.size());
  }
  written += pieces.written();
  ck_assert(written == expected);
}
END_TEST

START_TEST(is_full_at_max_waiting_and_takes_again_after_a_reply) {
  CourierSettings few = settings();
  few.max_waiting = 2;
  Bench bench(few);
  bench.greet();
  std::vector<FakeCustomer> customers(4);
  ck_assert(bench.submit("r", customers[0]) == Submitted::taken);
  ck_assert(bench.submit("r", customers[1]) == Submitted::taken);
  const std::string before(bench.courier.output());
  ck_assert(bench.submit("r", customers[2]) == Submitted::full);
  ck_assert_view_eq(bench.courier.output(), before);
  ck_assert_uint_eq(bench.courier.waiting(), 2);
  ck_assert(bench.feed(kAdded));
  ck_assert(bench.submit("r", customers[3]) == Submitted::taken);
  ck_assert(bench.submit("r", customers[2]) == Submitted::full);
  ck_assert(bench.feed(repeated(kAdded, 2)));
  ck_assert(customers[2].untold());
  ck_assert(customers[3].was(Outcome::acknowledged));
}
END_TEST

START_TEST(a_cancelled_record_still_counts_as_in_flight) {
  CourierSettings one = settings();
  one.max_waiting = 1;
  Bench bench(one);
  bench.greet();
  FakeCustomer gone, next;
  bench.submit("r", gone);
  bench.courier.cancel(gone.ticket);
  ck_assert(bench.submit("r", next) == Submitted::full);
  ck_assert_uint_eq(bench.courier.waiting(), 1);
}
END_TEST

START_TEST(is_full_at_max_output_and_takes_again_after_an_answer) {
  CourierSettings small = settings();
  small.max_output = 10000;
  Bench bench(small);
  bench.greet();
  std::vector<FakeCustomer> customers(12);
  const std::string record(1000, 'x');
  std::size_t taken = 0;
  while (bench.submit(record, customers[taken]) == Submitted::taken) ++taken;
  ck_assert_uint_eq(taken, 9);
  ck_assert_uint_le(bench.courier.output().size(), small.max_output);
  bench.written();
  ck_assert(bench.submit(record, customers[taken]) == Submitted::full);
  ck_assert(bench.feed(kAdded));
  ck_assert(bench.submit(record, customers[taken]) == Submitted::taken);
  ck_assert(bench.submit(record, customers[taken + 1]) == Submitted::full);
  ck_assert(bench.submit("small", customers[taken + 1]) == Submitted::taken);
}
END_TEST

START_TEST(bytes_that_are_not_written_count_as_unanswered_ones_do) {
  CourierSettings small = settings();
  small.max_output = 10000;
  Bench bench(small);
  bench.greet();
  std::vector<FakeCustomer> customers(30);
  std::size_t taken = 0;
  while (bench.submit(std::string(1000, 'x'), customers[taken]) == Submitted::taken) ++taken;
  ck_assert(bench.feed(repeated(kAdded, taken)));
  ck_assert(bench.submit(std::string(1000, 'x'), customers[taken]) == Submitted::full);
  bench.courier.wrote(2200);
  ck_assert(bench.submit(std::string(1000, 'x'), customers[taken]) == Submitted::taken);
}
END_TEST

START_TEST(a_record_over_max_output_never_fits) {
  CourierSettings small = settings();
  small.max_output = 150;
  Bench bench(small);
  bench.greet();
  FakeCustomer customer;
  ck_assert(bench.submit(std::string(151, 'x'), customer) == Submitted::full);
  ck_assert(bench.submit("x", customer) == Submitted::taken);
}
END_TEST

START_TEST(the_largest_record_fits_beside_another) {
  Bench bench(settings());
  bench.greet();
  FakeCustomer first, second;
  const std::string record(weir::kMaxRecord, 'x');
  ck_assert(bench.submit("small", first) == Submitted::taken);
  ck_assert(bench.submit(record, second) == Submitted::taken);
}
END_TEST

START_TEST(a_cancelled_customer_is_never_told_at_any_position) {
  constexpr std::size_t kCount = 200;  // past the first size of the queue
  for (std::size_t position = 0; position < kCount; ++position) {
    Bench bench;
    bench.greet();
    std::vector<FakeCustomer> customers(kCount);
    bench.submit_all(customers);
    bench.courier.cancel(customers[position].ticket);
    ck_assert(bench.feed(repeated(kAdded, kCount)));
    for (std::size_t i = 0; i < kCount; ++i) {
      ck_assert(i == position ? customers[i].untold() : customers[i].was(Outcome::acknowledged));
    }
  }
}
END_TEST

START_TEST(cancelling_finds_its_record_after_the_queue_went_round) {
  Bench bench;
  bench.greet();
  for (int round = 0; round < 100; ++round) {
    std::vector<FakeCustomer> customers(7);
    bench.submit_all(customers);
    bench.courier.cancel(customers[5].ticket);
    ck_assert(bench.feed(repeated(kAdded, customers.size())));
    for (std::size_t i = 0; i < customers.size(); ++i) {
      ck_assert(i == 5 ? customers[i].untold() : customers[i].was(Outcome::acknowledged));
    }
  }
}
END_TEST

START_TEST(cancelling_what_is_not_waiting_does_nothing) {
  Bench bench;
  bench.courier.cancel(0);
  bench.greet();
  FakeCustomer first, second;
  bench.submit("r", first);
  ck_assert(bench.feed(kAdded));
  bench.submit("r", second);
  bench.courier.cancel(first.ticket);
  bench.courier.cancel(second.ticket + 1);
  bench.courier.cancel(~Courier::Ticket{0});
  ck_assert(bench.feed(kAdded));
  ck_assert(second.was(Outcome::acknowledged));
}
END_TEST

START_TEST(cancelling_what_is_settled_hits_nobody_however_many_wait) {
  Bench bench;
  bench.greet();
  std::vector<FakeCustomer> settled(300), waiting(64);  // 64 fill the queue's first slots
  for (FakeCustomer& customer : settled) {
    bench.submit("r", customer);
    ck_assert(bench.feed(kAdded));
  }
  bench.submit_all(waiting);
  for (const FakeCustomer& customer : settled) bench.courier.cancel(customer.ticket);
  ck_assert(bench.feed(repeated(kAdded, waiting.size())));
  for (const FakeCustomer& customer : waiting) ck_assert(customer.was(Outcome::acknowledged));
}
END_TEST

START_TEST(tickets_follow_each_other_over_connections) {
  Bench bench;
  bench.greet();
  std::vector<FakeCustomer> customers(4);
  bench.submit("r", customers[0]);
  bench.submit("r", customers[1]);
  bench.courier.closed();
  bench.greet();
  bench.submit("r", customers[2]);
  ck_assert(bench.feed(kAdded));
  bench.submit("r", customers[3]);
  for (std::size_t i = 1; i < customers.size(); ++i) {
    ck_assert_uint_eq(customers[i].ticket, customers[0].ticket + i);
  }
  bench.courier.cancel(customers[0].ticket);  // of the connection before
  ck_assert(bench.feed(kAdded));
  ck_assert(customers[3].was(Outcome::acknowledged));
}
END_TEST

START_TEST(a_ticket_need_not_be_asked_for) {
  Bench bench;
  bench.greet();
  FakeCustomer customer;
  ck_assert(bench.courier.submit("r", customer, bench.now, nullptr) == Submitted::taken);
  ck_assert(bench.feed(kAdded));
  ck_assert(customer.was(Outcome::acknowledged));
}
END_TEST

START_TEST(a_customer_that_is_told_may_submit_again) {
  Bench bench;
  bench.greet();
  FakeCustomer again;
  std::vector<FakeCustomer> customers(100);
  for (FakeCustomer& customer : customers) {
    customer.then = [&] { ck_assert(bench.submit("again", again) == Submitted::taken); };
  }
  bench.submit_all(customers);
  ck_assert(bench.feed(repeated(kAdded, 150)));
  for (const FakeCustomer& customer : customers) ck_assert(customer.was(Outcome::acknowledged));
  ck_assert_uint_eq(again.outcomes.size(), 50);
  ck_assert_uint_eq(bench.courier.waiting(), 50);
}
END_TEST

START_TEST(a_customer_that_is_told_may_cancel_others_and_itself) {
  Bench bench;
  bench.greet();
  std::vector<FakeCustomer> customers(5);
  bench.submit_all(customers);
  customers[1].then = [&] {
    for (const std::size_t i : {0U, 1U, 2U, 4U}) bench.courier.cancel(customers[i].ticket);
  };
  ck_assert(bench.feed(repeated(kAdded, 5)));
  ck_assert(customers[0].was(Outcome::acknowledged));
  ck_assert(customers[1].was(Outcome::acknowledged));
  ck_assert(customers[2].untold());
  ck_assert(customers[3].was(Outcome::acknowledged));
  ck_assert(customers[4].untold());
}
END_TEST

START_TEST(the_deadline_is_that_of_the_oldest_answer) {
  Bench bench;
  ck_assert(!bench.courier.deadline());
  bench.connect();
  ck_assert(bench.courier.deadline() == bench.now + 2s);
  ck_assert(bench.feed(kSafeGreeting));
  ck_assert(!bench.courier.deadline());
  std::vector<FakeCustomer> customers(2);
  bench.submit("r", customers[0]);
  const Courier::Time first = bench.now;
  bench.now += 500ms;
  bench.submit("r", customers[1]);
  ck_assert(bench.courier.deadline() == first + 2s);
  bench.courier.cancel(customers[0].ticket);  // an answer is due all the same
  ck_assert(bench.courier.deadline() == first + 2s);
  ck_assert(bench.feed(kAdded));
  ck_assert(bench.courier.deadline() == first + 2500ms);
  ck_assert(bench.feed(kAdded));
  ck_assert(!bench.courier.deadline());
}
END_TEST

const Register kRegistered("courier", {takes_nothing_before_the_greeting_is_answered,
                                       a_record_is_one_xadd_whatever_its_bytes,
                                       an_empty_record_is_carried_too,
                                       replies_settle_customers_in_order,
                                       a_reply_may_come_before_its_record_is_known_to_be_written,
                                       many_replies_may_come_in_one_chunk,
                                       replies_may_be_cut_at_every_byte,
                                       a_chunk_may_end_anywhere_in_a_long_run_of_replies,
                                       an_empty_chunk_changes_nothing,
                                       output_may_be_written_in_pieces_of_any_size,
                                       is_full_at_max_waiting_and_takes_again_after_a_reply,
                                       a_cancelled_record_still_counts_as_in_flight,
                                       is_full_at_max_output_and_takes_again_after_an_answer,
                                       bytes_that_are_not_written_count_as_unanswered_ones_do,
                                       a_record_over_max_output_never_fits,
                                       the_largest_record_fits_beside_another,
                                       a_cancelled_customer_is_never_told_at_any_position,
                                       cancelling_finds_its_record_after_the_queue_went_round,
                                       cancelling_what_is_not_waiting_does_nothing,
                                       cancelling_what_is_settled_hits_nobody_however_many_wait,
                                       tickets_follow_each_other_over_connections,
                                       a_ticket_need_not_be_asked_for,
                                       a_customer_that_is_told_may_submit_again,
                                       a_customer_that_is_told_may_cancel_others_and_itself,
                                       the_deadline_is_that_of_the_oldest_answer});

}  // namespace
