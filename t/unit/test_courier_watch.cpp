// The look at the stream: what it finds out, and what a stream that is too long does.
#include "t/unit/courier_fixture.h"

namespace {

using namespace weir_test;
using Breaker = weir::Breaker::State;
using State = Courier::State;
using Submitted = Courier::Submitted;

constexpr std::string_view kOldest =
    "*1\r\n*2\r\n$15\r\n1763700000000-7\r\n*2\r\n$1\r\nr\r\n$3\r\nabc\r\n";

CourierSettings watching(bool oldest = true) {
  CourierSettings with = settings();
  with.patience = 250ms;
  with.watch_every = 1s;
  with.watches_oldest = oldest;
  with.stream_length = 1000;
  with.stream_memory = 1 << 20;
  return with;
}

std::string number(std::size_t value) { return ":" + std::to_string(value) + "\r\n"; }

// Lets a second go by, and answers what is asked then.
void look(Bench& bench, std::size_t length, std::size_t memory) {
  ck_assert(bench.wait(1s));
  ck_assert(!bench.written().empty());
  ck_assert(bench.feed(number(length) + number(memory) + std::string(kOldest)));
}

START_TEST(asks_once_a_second_for_what_it_may_know) {
  Bench bench(watching());
  bench.greet();
  ck_assert(bench.wait(0ms));
  const std::string asked = bench.written();
  ck_assert_view_eq(asked,
                    "*2\r\n$4\r\nXLEN\r\n$8\r\nweir:{0}\r\n"
                    "*3\r\n$6\r\nMEMORY\r\n$5\r\nUSAGE\r\n$8\r\nweir:{0}\r\n"
                    "*6\r\n$6\r\nXRANGE\r\n$8\r\nweir:{0}\r\n$1\r\n-\r\n$1\r\n+\r\n$5\r\nCOUNT\r\n"
                    "$1\r\n1\r\n");
  ck_assert(!bench.courier.stream().length);
  ck_assert(bench.feed(":7\r\n:900\r\n" + std::string(kOldest)));
  ck_assert_uint_eq(*bench.courier.stream().length, 7);
  ck_assert_uint_eq(*bench.courier.stream().memory, 900);
  ck_assert_uint_eq(*bench.courier.stream().oldest_ms, 1763700000000);
  ck_assert(bench.courier.deadline() == bench.now + 1s);
  ck_assert(bench.wait(999ms));
  ck_assert(bench.courier.output().empty());
  ck_assert(bench.wait(1ms));
  ck_assert(!bench.courier.output().empty());
  ck_assert_uint_eq(bench.courier.waiting(), 0);
  ck_assert(!bench.courier.pressing());
}
END_TEST

START_TEST(one_worker_is_enough_to_ask_for_the_oldest_entry) {
  Bench bench(watching(false));
  bench.greet();
  ck_assert(bench.wait(0ms));
  ck_assert_uint_eq(bench.written().find("XRANGE"), std::string::npos);
  ck_assert(bench.feed(":7\r\n:900\r\n"));
  ck_assert(!bench.courier.stream().oldest_ms);
}
END_TEST

START_TEST(an_empty_stream_has_no_oldest_entry_and_takes_no_memory) {
  Bench bench(watching());
  bench.greet();
  look(bench, 7, 900);
  ck_assert(bench.wait(1s));
  ck_assert(bench.feed(":0\r\n$-1\r\n*0\r\n"));
  ck_assert_uint_eq(*bench.courier.stream().length, 0);
  ck_assert_uint_eq(*bench.courier.stream().memory, 0);
  ck_assert(!bench.courier.stream().oldest_ms);
}
END_TEST

START_TEST(an_oldest_entry_of_many_megabytes_takes_no_memory) {
  Bench bench(watching());
  bench.greet();
  ck_assert(bench.wait(0ms));
  FakeCustomer customer;
  bench.submit("r", customer);
  const std::string record(8 << 20, 'x');
  const std::string reply =
      ":1\r\n:900\r\n*1\r\n*2\r\n$15\r\n1763700000000-0\r\n*2\r\n$1\r\nr\r\n$" +
      std::to_string(record.size()) + "\r\n" + record + "\r\n";
  for (std::size_t at = 0; at < reply.size(); at += 65536) {
    ck_assert(bench.feed(std::string_view(reply).substr(at, 65536)));
  }
  ck_assert(bench.feed(kAdded));
  ck_assert_uint_eq(*bench.courier.stream().oldest_ms, 1763700000000);
  ck_assert(customer.was(Outcome::acknowledged));
}
END_TEST

START_TEST(a_stream_that_is_too_long_gets_no_more_until_a_tenth_is_gone) {
  for (const bool by_memory : {false, true}) {
    Bench bench(watching());
    bench.greet();
    FakeCustomer customer;
    const std::size_t most = by_memory ? 1 << 20 : 1000;
    const auto see = [&](std::size_t value) {
      look(bench, by_memory ? 1 : value, by_memory ? value : 1);
    };
    see(most - 1);
    ck_assert(bench.submit("r", customer) == Submitted::taken);
    ck_assert(bench.feed(kAdded));
    see(most);
    ck_assert(bench.courier.stream_too_long());
    ck_assert(bench.submit("r", customer) == Submitted::away);
    ck_assert(bench.courier.condition() == State::refusing);
    ck_assert(bench.courier.breaker() == Breaker::closed);
    see(most - most / 10);
    ck_assert(bench.submit("r", customer) == Submitted::away);
    see(most * 2);
    ck_assert_uint_eq(bench.log.count("stream_length=, stream_memory="), 1);
    see(most - most / 10 - 1);
    ck_assert(bench.courier.condition() == State::ready);
    ck_assert(bench.submit("r", customer) == Submitted::taken);
    ck_assert_uint_eq(bench.log.count("short enough again"), 1);
  }
}
END_TEST

START_TEST(rights_that_are_missing_are_warned_of_once_and_done_without) {
  Bench bench(watching());
  for (int i = 0; i < 3; ++i) {
    bench.greet();
    ck_assert(bench.wait(0ms));
    ck_assert(bench.feed(":5\r\n-NOPERM this user has no permissions\r\n-ERR unknown command\r\n"));
    ck_assert(bench.wait(1s));
    bench.written();
    ck_assert(bench.feed(":1000\r\n"));
    ck_assert(bench.courier.stream_too_long());
    ck_assert(!bench.courier.stream().memory);
    ck_assert(bench.wait(1s));
    ck_assert(bench.feed(":1\r\n"));
    bench.courier.closed();
  }
  ck_assert_uint_eq(bench.log.count("MEMORY USAGE with NOPERM"), 1);
  ck_assert_uint_eq(bench.log.count("XRANGE with ERR"), 1);
}
END_TEST

START_TEST(a_redis_that_hangs_or_fails_is_noticed_while_nobody_sends) {
  Bench hangs(watching());
  hangs.greet();
  ck_assert(hangs.wait(0ms));
  ck_assert(hangs.wait(250ms));
  ck_assert(hangs.courier.breaker() == Breaker::open);
  ck_assert(!hangs.wait(1750ms));
  Bench fails(watching());
  fails.greet();
  ck_assert(fails.wait(0ms));
  fails.written();
  ck_assert(fails.feed("-LOADING Redis is loading\r\n:1\r\n*0\r\n"));
  ck_assert(fails.courier.breaker() == Breaker::open);
  fails.probe();
  ck_assert(fails.courier.breaker() == Breaker::half_open);
}
END_TEST

START_TEST(a_question_is_not_asked_again_before_it_is_answered) {
  Bench bench(watching());
  bench.greet();
  ck_assert(bench.wait(0ms));
  bench.written();
  ck_assert(bench.wait(1500ms));
  ck_assert(bench.courier.output().empty());
  ck_assert(bench.feed(":1\r\n:1\r\n*0\r\n"));
  ck_assert(bench.wait(0ms));
  ck_assert(!bench.courier.output().empty());
}
END_TEST

START_TEST(nonsense_about_the_stream_ends_the_connection) {
  for (const std::string_view reply :
       {"+OK\r\n", ":-1\r\n", "$1\r\n1\r\n", ":1\r\n+OK\r\n", ":1\r\n:1\r\n:1\r\n",
        ":1\r\n:1\r\n*1\r\n:1\r\n", ":1\r\n:1\r\n*1\r\n*1\r\n$3\r\nabc\r\n"}) {
    Bench bench(watching());
    bench.greet();
    ck_assert(bench.wait(0ms));
    ck_assert_msg(!bench.feed(reply), "'%s' passed", std::string(reply).c_str());
    ck_assert_uint_eq(bench.log.count("a look at the stream"), 1);
  }
}
END_TEST

const Register kRegistered("courier_watch",
                           {asks_once_a_second_for_what_it_may_know,
                            one_worker_is_enough_to_ask_for_the_oldest_entry,
                            an_empty_stream_has_no_oldest_entry_and_takes_no_memory,
                            an_oldest_entry_of_many_megabytes_takes_no_memory,
                            a_stream_that_is_too_long_gets_no_more_until_a_tenth_is_gone,
                            rights_that_are_missing_are_warned_of_once_and_done_without,
                            a_redis_that_hangs_or_fails_is_noticed_while_nobody_sends,
                            a_question_is_not_asked_again_before_it_is_answered,
                            nonsense_about_the_stream_ends_the_connection});

}  // namespace
