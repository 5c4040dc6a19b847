#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "api/pace.h"
#include "t/unit/suite.h"

namespace {

using namespace weir::api;
using namespace std::chrono_literals;

class Asker final : public Client {
 public:
  void send(Response response) override { status = response.status; }
  void begin(Response /*head*/) override {}
  void write(std::string /*bytes*/, std::function<void()> /*when_written*/) override {}
  void finish() override {}
  void cut() override {}
  void when_gone(std::function<void()> call) override { gone_ = std::move(call); }
  void leaves() { gone_(); }

  int status = 0;

 private:
  std::function<void()> gone_ = [] {};
};

// Half a second's share: one in four milliseconds.
struct Server {
  Allowance allowance{0.5, 3};
  Pace pace{allowance, 3, 10s};
  Pace::Time now{100s};
  int answered = 0;

  explicit Server(bool is_wanted) {
    for (int look = 0; look < 8; ++look) allowance.look(now += 500ms, is_wanted);
    allowance.worked(Allowance::kMostSaved, now);
  }
  std::shared_ptr<Asker> ask() {
    auto asker = std::make_shared<Asker>();
    pace.ask(
        asker, [this](const auto&) { ++answered; }, now);
    return asker;
  }
  void passes(std::chrono::milliseconds time) { pace.tick(now += time); }
};

}  // namespace

START_TEST(all_are_answered_at_once_while_nobody_else_wants_the_cores) {
  Server server(/*is_wanted=*/false);
  for (int i = 0; i < 1000; ++i) server.ask();
  ck_assert_int_eq(server.answered, 1000);
}
END_TEST

START_TEST(while_events_are_taken_in_they_come_one_after_the_other) {
  Server server(/*is_wanted=*/true);
  for (int i = 0; i < 3; ++i) server.ask();
  ck_assert_int_eq(server.answered, 0);
  server.passes(3ms);
  ck_assert_int_eq(server.answered, 1);
  server.passes(2ms);
  ck_assert_int_eq(server.answered, 2);
  server.passes(1ms);
  ck_assert_int_eq(server.answered, 2);
  server.passes(10ms);
  ck_assert_int_eq(server.answered, 3);
}
END_TEST

START_TEST(who_leaves_waits_no_more_and_is_not_booked) {
  Server server(/*is_wanted=*/true);
  const auto first = server.ask(), second = server.ask();
  for (int i = 0; i < 1000; ++i) server.ask()->leaves();
  ck_assert_uint_eq(server.pace.waiting(), 2);
  server.passes(20ms);
  ck_assert_int_eq(server.answered, 2);
}
END_TEST

START_TEST(one_too_many_is_told_that_it_is_busy) {
  Server server(/*is_wanted=*/true);
  for (int i = 0; i < 3; ++i) server.ask();
  ck_assert_int_eq(server.ask()->status, 503);
  ck_assert_uint_eq(server.pace.waiting(), 3);
}
END_TEST

START_TEST(who_has_waited_for_too_long_is_told_that_it_is_busy) {
  Server server(/*is_wanted=*/true);
  const auto asker = server.ask();
  server.allowance.worked(1000s, server.now += 9s);
  server.passes(999ms);
  ck_assert_int_eq(asker->status, 0);
  server.passes(1ms);
  ck_assert_int_eq(asker->status, 503);
  ck_assert_int_eq(server.answered, 0);
}
END_TEST

START_TEST(who_waits_goes_as_soon_as_the_cores_are_free) {
  Server server(/*is_wanted=*/true);
  server.allowance.worked(1000s, server.now);
  for (int i = 0; i < 3; ++i) server.ask();
  for (int look = 0; look < 20; ++look) server.allowance.look(server.now += 1ms, false);
  server.passes(0ms);
  ck_assert_int_eq(server.answered, 3);
}
END_TEST

static const weir_test::Register kRegistered(
    "api_pace", {all_are_answered_at_once_while_nobody_else_wants_the_cores,
                 while_events_are_taken_in_they_come_one_after_the_other,
                 who_leaves_waits_no_more_and_is_not_booked, one_too_many_is_told_that_it_is_busy,
                 who_has_waited_for_too_long_is_told_that_it_is_busy,
                 who_waits_goes_as_soon_as_the_cores_are_free});
