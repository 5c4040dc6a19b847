// The courier with a Redis that talks nonsense, or of a length that nobody waits for.
#include "t/unit/courier_fixture.h"

namespace {

using namespace weir_test;
using State = Courier::State;

// Feeds `bytes` with one record waiting, and asserts that they end the connection with a warning
// that holds `why`, and that the record is lost.
void assert_breaks(std::string_view bytes, std::string_view why) {
  Bench bench;
  bench.greet();
  FakeCustomer customer;
  bench.submit("record", customer);
  ck_assert_msg(!bench.feed(bytes), "'%.80s' passed", std::string(bytes).c_str());
  ck_assert(bench.courier.state() == State::away);
  ck_assert(customer.untold());
  ck_assert(bench.courier.output().empty());
  ck_assert(!bench.courier.deadline());
  ck_assert_uint_eq(bench.log.warnings.size(), 1);
  ck_assert_msg(bench.log.count(why) == 1, "'%s'", bench.log.warnings[0].c_str());
  bench.courier.closed();
  ck_assert(customer.was(Outcome::lost));
}

START_TEST(garbage_ends_the_connection) {
  assert_breaks("HTTP/1.1 400 Bad Request\r\n\r\n", "got \"H\" as reply type byte");
  assert_breaks(std::string(1, '\0'), "got \"\\x00\" as reply type byte");
  assert_breaks("\r\n", "got \"\\r\" as reply type byte");
  assert_breaks("\x1b[31m", "got \"\\x1b\" as reply type byte");
  assert_breaks("\x16\x03\x01\x02", "got \"\\x16\" as reply type byte");
  assert_breaks("$abc\r\n", "Bad bulk string length");
  assert_breaks("$-2\r\n", "Bulk string length out of range");
  assert_breaks("$99999999999999999999\r\n", "Bad bulk string length");
  assert_breaks(":12x\r\n", "Bad integer value");
  assert_breaks("*x\r\n", "Bad multi-bulk length");
  assert_breaks("$1\r\n1234\r\n", "a string longer than announced");
  assert_breaks("_\r\n", "got \"_\" as reply type byte");  // RESP3's null
}
END_TEST

START_TEST(an_answer_that_is_no_entry_id_ends_the_connection) {
  const std::string_view why = "something else than an entry's id";
  assert_breaks("+OK\r\n", why);
  assert_breaks("+QUEUED\r\n", why);
  assert_breaks(":1\r\n", why);
  assert_breaks("$-1\r\n", why);
  assert_breaks("*-1\r\n", why);
  assert_breaks("*0\r\n", why);
  assert_breaks("*1\r\n$15\r\n1763700000000-0\r\n", why);
  assert_breaks("$0\r\n\r\n", why);
  assert_breaks("$3\r\nyes\r\n", why);
  assert_breaks("$4\r\n1yes\r\n", why);
  assert_breaks("$4\r\nyes1\r\n", why);
  assert_breaks("+1763700000000-0\r\n", why);
}
END_TEST

START_TEST(nested_arrays_end_the_connection_at_any_depth) {
  for (std::size_t depth = 1; depth <= 12; ++depth) {
    assert_breaks(repeated("*1\r\n", depth) + ":1\r\n", depth <= 8 ? "an entry's id" : "depth > 7");
  }
}
END_TEST

START_TEST(a_huge_array_is_not_waited_for) {
  assert_breaks("*1025\r\n", "an array too long");
  assert_breaks("*2147483647\r\n", "an array too long");
  assert_breaks("*2147483648\r\n", "Multi-bulk length out of range");
  assert_breaks("*2\r\n*700\r\n" + repeated(":1\r\n", 700) + "*700\r\n", "an array too long");
}
END_TEST

START_TEST(a_huge_string_is_no_entry_id_and_is_not_collected) {
  Bench bench;
  bench.greet();
  FakeCustomer customer;
  bench.submit("record", customer);
  ck_assert(bench.feed("$17000\r\n"));
  ck_assert(!bench.feed(std::string(17000, '1') + "\r\n"));
  ck_assert_uint_eq(bench.log.count("something else than an entry's id"), 1);
}
END_TEST

START_TEST(a_line_without_end_is_not_collected) {
  for (const char* begin : {"-ERR ", "+", ":", "*", "$"}) {
    assert_breaks(begin + std::string(20000, '1'), "a reply too long");
  }
}
END_TEST

START_TEST(a_huge_string_announced_and_never_sent_times_out) {
  Bench bench;
  bench.greet();
  FakeCustomer customer;
  bench.submit("record", customer);
  ck_assert(bench.feed("$9223372036854775807\r\n"));
  bench.now += 2s;
  ck_assert(bench.courier.expire(bench.now));
  ck_assert(customer.was(Outcome::timed_out));
}
END_TEST

START_TEST(an_answer_to_nothing_ends_the_connection) {
  Bench bench;
  bench.greet();
  ck_assert(!bench.feed(kAdded));
  ck_assert_uint_eq(bench.log.count("a question that nobody asked"), 1);
  bench.courier.closed();
  bench.greet();
  FakeCustomer customer;
  bench.submit("r", customer);
  ck_assert(!bench.feed(repeated(kAdded, 2)));
  ck_assert(customer.was(Outcome::acknowledged));
  Bench error;
  error.greet();
  ck_assert(!error.feed(kOom));
}
END_TEST

const Register kRegistered(
    "courier_garbage",
    {garbage_ends_the_connection, an_answer_that_is_no_entry_id_ends_the_connection,
     nested_arrays_end_the_connection_at_any_depth, a_huge_array_is_not_waited_for,
     a_huge_string_is_no_entry_id_and_is_not_collected, a_line_without_end_is_not_collected,
     a_huge_string_announced_and_never_sent_times_out, an_answer_to_nothing_ends_the_connection});

}  // namespace
