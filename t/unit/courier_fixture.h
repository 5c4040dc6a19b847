// A courier on a table: a log that remembers, customers that remember, and a clock that moves by
// hand.
//
//   Bench bench;
//   bench.greet();
//   FakeCustomer customer;
//   bench.submit("record", customer);
//   ck_assert(bench.feed(kAdded));
//   ck_assert(customer.was(Outcome::acknowledged));
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/redis/courier.h"
#include "t/unit/suite.h"

namespace weir_test {

using namespace std::chrono_literals;
using weir::Courier;
using weir::CourierSettings;
using weir::Outcome;

constexpr std::string_view kAdded = "$15\r\n1763700000000-0\r\n";
constexpr std::string_view kOom = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";

// What Redis answers to the breaker's question.
constexpr std::string_view kProbed = "-ERR The ID specified in XADD must be greater than 0-0\r\n";

// What a Redis that is set up as it should be answers to the greeting without AUTH.
constexpr std::string_view kSafeGreeting =
    "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n"
    "*2\r\n$10\r\nappendonly\r\n$3\r\nyes\r\n"
    "*2\r\n$11\r\nappendfsync\r\n$6\r\nalways\r\n"
    "*2\r\n$16\r\nmaxmemory-policy\r\n$10\r\nnoeviction\r\n"
    "*2\r\n$18\r\nproto-max-bulk-len\r\n$9\r\n536870912\r\n"
    ":42\r\n";

class FakeLog : public weir::CourierLog {
 public:
  void ready() noexcept override { ++ready_count; }
  void warn(std::string_view sentence) noexcept override { warnings.emplace_back(sentence); }

  // How many warnings hold `text`.
  std::size_t count(std::string_view text) const {
    std::size_t found = 0;
    for (const std::string& warning : warnings) found += warning.find(text) != std::string::npos;
    return found;
  }

  int ready_count = 0;
  std::vector<std::string> warnings;
};

class FakeCustomer : public weir::Customer {
 public:
  void settled(Outcome outcome, std::string_view record) noexcept override {
    outcomes.push_back(outcome);
    returned.emplace_back(record);
    if (then) then();
  }

  bool untold() const { return outcomes.empty(); }
  bool was(Outcome outcome) const { return outcomes.size() == 1 && outcomes[0] == outcome; }

  Courier::Ticket ticket = 0;
  std::vector<Outcome> outcomes;
  std::vector<std::string> returned;  // the records that came with them
  std::function<void()> then;         // what it does when it is told
};

inline CourierSettings settings() {
  CourierSettings settings;
  settings.stream = "weir:{0}";
  settings.patience = settings.timeout;
  settings.watch_every = 0ms;
  return settings;
}

class Bench {
 public:
  explicit Bench(CourierSettings courier_settings = settings())
      : courier(std::move(courier_settings), log) {}

  void connect() { courier.connected(now); }

  // Everything that is to be written, as if the socket took it all.
  std::string written() {
    std::string bytes(courier.output());
    courier.wrote(bytes.size());
    return bytes;
  }

  [[nodiscard]] bool feed(std::string_view bytes) { return courier.feed(bytes, now); }

  // Connects, and answers the greeting as a safe Redis does.
  void greet() {
    connect();
    written();
    ck_assert(feed(kSafeGreeting));
    ck_assert(courier.state() == Courier::State::ready);
  }

  Courier::Submitted submit(std::string_view record, FakeCustomer& customer,
                            weir::Terms terms = {}) {
    return courier.submit(record, customer, now, &customer.ticket, terms);
  }

  // Lets time go by, as a server's timer does. False: the connection has to end.
  bool wait(Courier::Clock::duration time) {
    now += time;
    if (courier.expire(now)) return false;
    courier.ask(now);
    return true;
  }

  // Lets time go by until the breaker asks, and answers that.
  void probe(std::string_view answer = kProbed) {
    while (courier.output().empty()) ck_assert(wait(10ms));
    written();
    ck_assert(feed(answer));
  }

  // Submits a record for each customer.
  void submit_all(std::vector<FakeCustomer>& customers) {
    for (FakeCustomer& customer : customers) {
      ck_assert(submit("record", customer) == Courier::Submitted::taken);
    }
  }

  FakeLog log;
  Courier::Time now{1h};
  Courier courier;
};

inline std::string repeated(std::string_view text, std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

}  // namespace weir_test
