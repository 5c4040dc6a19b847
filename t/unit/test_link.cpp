// The link to Redis over a transport that connects to nothing: which address it tries when, what it
// tells of it, and what becomes of the bytes.
#include "core/redis/link.h"

#include <cerrno>

#include "t/unit/courier_fixture.h"

using weir::LinkSettings;
using weir::RedisLink;
using weir_test::FakeCustomer;

namespace {

using namespace std::chrono_literals;
using weir_test::kAdded;
using weir_test::kSafeGreeting;

class FakeTransport final : public weir::RedisTransport {
 public:
  int connect(std::size_t address) noexcept override {
    ck_assert(!connected);
    tried.push_back(address);
    connected = error == 0;
    return error;
  }
  void disconnect() noexcept override { connected = false; }
  void changed() noexcept override { ++changes; }

  int error = 0;  // of each connect()
  bool connected = false;
  int changes = 0;
  std::vector<std::size_t> tried;
};

struct FakeClock final : weir::Clock {
  Time steady() const noexcept override { return now; }
  weir::Timestamp wall() const noexcept override { return 0; }
  Time now{1h};
};

struct FakeServerLog final : weir::Log {
  void write(Level level, std::string_view sentence) noexcept override {
    (level == Level::error     ? errors
     : level == Level::warning ? warnings
                               : notices)
        .emplace_back(sentence);
  }
  std::vector<std::string> errors, warnings, notices;
};

LinkSettings with_addresses(std::vector<std::string> addresses) {
  LinkSettings settings{"", std::move(addresses), weir_test::settings()};
  for (const auto& address : settings.addresses) settings.name += address + ' ';
  settings.name.pop_back();
  return settings;
}

struct Bench {
  explicit Bench(std::vector<std::string> addresses = {"h:1"})
      : link(with_addresses(std::move(addresses)), transport, clock, log, metrics) {}

  void wait(weir::Clock::Time::duration time) {
    clock.now += time;
    link.tick();
  }

  // Lets time go by until the link does what it waits for.
  void wait_until_due() {
    ck_assert(link.due().has_value());
    clock.now = std::max(clock.now, *link.due());
    link.tick();
  }

  void greet() {
    link.opened();
    link.wrote(link.output().size());
    ck_assert(link.feed(kSafeGreeting));
    ck_assert(link.takes());
  }

  FakeTransport transport;
  FakeClock clock;
  FakeServerLog log;
  weir::Metrics metrics;
  RedisLink link;
};

START_TEST(a_connection_that_opens_is_greeted_and_takes_records) {
  Bench bench;
  bench.link.start();
  ck_assert(!bench.link.settled());
  bench.greet();
  ck_assert(bench.link.settled());
  ck_assert_view_eq(bench.log.notices.at(0), "weir keeps its records in Redis at h:1");

  FakeCustomer customer;
  const int before = bench.transport.changes;
  ck_assert(bench.link.submit("record", customer, {}) == weir::Courier::Submitted::taken);
  ck_assert_int_gt(bench.transport.changes, before);
  bench.link.wrote(bench.link.output().size());
  ck_assert(bench.link.feed(kAdded));
  ck_assert(customer.was(weir::Outcome::acknowledged));
}
END_TEST

START_TEST(every_address_is_tried_at_once_before_it_waits) {
  Bench bench({"a:1", "b:1", "c:1"});
  bench.transport.error = ECONNREFUSED;
  bench.link.start();
  bench.wait(1ms);
  ck_assert(bench.log.errors.empty() && !bench.link.settled());
  bench.wait(1ms);
  ck_assert(bench.transport.tried == (std::vector<std::size_t>{0, 1, 2}));
  ck_assert(bench.link.settled());
  ck_assert_uint_eq(bench.log.errors.size(), 1);
  ck_assert(
      bench.log.errors[0].find("weir has no Redis at a:1 b:1 c:1: cannot connect; it tries") == 0);
  ck_assert(bench.log.errors[0].find("(111: Connection refused)") != std::string::npos);
  bench.wait(1ms);
  ck_assert_uint_eq(bench.transport.tried.size(), 3);
  bench.wait(60ms);
  ck_assert_uint_eq(bench.transport.tried.size(), 4);
}
END_TEST

START_TEST(an_address_that_was_ready_is_looked_for_first) {
  Bench bench({"a:1", "b:1"});
  bench.transport.error = ECONNREFUSED;
  bench.link.start();
  bench.transport.error = 0;
  bench.wait(1ms);
  bench.greet();
  bench.link.lost("it closed the connection", 0);
  ck_assert(!bench.transport.connected);
  bench.wait_until_due();
  ck_assert(bench.transport.tried == (std::vector<std::size_t>{0, 1, 1}));
}
END_TEST

START_TEST(a_connection_that_does_not_open_in_time_is_given_up) {
  Bench bench;
  bench.link.start();
  bench.wait(1999ms);
  ck_assert(bench.transport.connected);
  bench.wait(1ms);
  ck_assert(!bench.transport.connected);
  ck_assert(bench.log.errors.at(0).find("(110: Connection timed out)") != std::string::npos);
}
END_TEST

START_TEST(a_greeting_without_answer_leads_to_the_next_address) {
  Bench bench({"a:1", "b:1"});
  bench.link.start();
  bench.link.opened();
  bench.wait_until_due();
  bench.wait(1ms);
  ck_assert(bench.transport.tried == (std::vector<std::size_t>{0, 1}));
}
END_TEST

START_TEST(what_makes_no_sense_ends_the_connection_and_tells_those_who_wait) {
  Bench bench;
  bench.link.start();
  bench.greet();
  FakeCustomer customer;
  ck_assert(bench.link.submit("record", customer, {}) == weir::Courier::Submitted::taken);
  ck_assert(bench.link.pressing());
  ck_assert(!bench.link.feed("nonsense\r\n"));
  ck_assert(!bench.transport.connected);
  ck_assert(customer.was(weir::Outcome::lost));
  ck_assert(!bench.link.pressing());
}
END_TEST

START_TEST(an_answer_that_is_overdue_ends_the_connection) {
  Bench bench;
  bench.link.start();
  bench.greet();
  FakeCustomer customer;
  ck_assert(bench.link.submit("record", customer, {}) == weir::Courier::Submitted::taken);
  bench.wait(1999ms);
  ck_assert(customer.untold());
  bench.wait(1ms);
  ck_assert(customer.was(weir::Outcome::timed_out));
  ck_assert(!bench.transport.connected);
  ck_assert(bench.log.errors.at(0).find("no answer in time") != std::string::npos);
}
END_TEST

START_TEST(nothing_is_taken_while_there_is_no_connection) {
  Bench bench;
  bench.transport.error = ECONNREFUSED;
  bench.link.start();
  FakeCustomer customer;
  ck_assert(bench.link.submit("record", customer, {}) == weir::Courier::Submitted::away);
  ck_assert(!bench.link.takes() && !bench.link.has_output());
}
END_TEST

START_TEST(one_link_speaks_of_unsafe_settings_and_the_others_are_silent) {
  for (const bool speaks : {false, true}) {
    Bench bench;
    bench.link.speak(speaks);
    bench.link.start();
    bench.link.opened();
    bench.link.wrote(bench.link.output().size());
    std::string unsafe(kSafeGreeting);
    unsafe.replace(unsafe.find("$3\r\nyes"), 7, "$2\r\nno");
    ck_assert(bench.link.feed(unsafe));
    ck_assert_uint_eq(bench.log.warnings.size(), speaks ? 1 : 0);
  }
}
END_TEST

START_TEST(a_call_too_early_does_nothing) {
  Bench bench;
  bench.transport.error = ECONNREFUSED;
  bench.link.start();
  for (int i = 0; i < 10; ++i) bench.link.tick();
  ck_assert_uint_eq(bench.transport.tried.size(), 1);
}
END_TEST

const weir_test::Register kRegistered(
    "link",
    {a_connection_that_opens_is_greeted_and_takes_records,
     every_address_is_tried_at_once_before_it_waits, an_address_that_was_ready_is_looked_for_first,
     a_connection_that_does_not_open_in_time_is_given_up,
     a_greeting_without_answer_leads_to_the_next_address,
     what_makes_no_sense_ends_the_connection_and_tells_those_who_wait,
     an_answer_that_is_overdue_ends_the_connection, nothing_is_taken_while_there_is_no_connection,
     one_link_speaks_of_unsafe_settings_and_the_others_are_silent, a_call_too_early_does_nothing});

}  // namespace
