#include <chrono>
#include <memory>
#include <string>

#include "api/fair_queue.h"
#include "t/unit/suite.h"

namespace {

using namespace weir::api;
using namespace std::chrono_literals;

std::shared_ptr<Query> query_of(const std::string& owner, const char* sql = "") {
  auto query = std::make_shared<Query>();
  query->owner = owner;
  query->sql = sql;
  return query;
}

struct Queue {
  FairQueue queue{4};
  FairQueue::Time now{};

  // Whose question was refused for it.
  std::string push(const std::string& owner, const char* sql = "") {
    const auto refused = queue.push(query_of(owner, sql), now + 5s);
    return refused ? refused->owner + std::string(refused->sql) : "";
  }
  std::string pop(const std::string& not_now = "") {
    const auto next = queue.pop([&](const std::string& owner) { return owner != not_now; });
    return next ? next->owner + std::string(next->sql) : "";
  }
};

}  // namespace

START_TEST(who_waits_takes_turns_and_his_oldest_question_is_first) {
  Queue queue;
  for (const char* sql : {"1", "2", "3"}) queue.push("ada", sql);
  queue.push("bob", "1");
  ck_assert_view_eq(queue.pop(), "ada1");
  ck_assert_view_eq(queue.pop(), "bob1");
  ck_assert_view_eq(queue.pop(), "ada2");
  ck_assert_view_eq(queue.pop(), "ada3");
  ck_assert_view_eq(queue.pop(), "");
}
END_TEST

START_TEST(who_may_not_run_now_is_passed_over_and_stays) {
  Queue queue;
  queue.push("ada");
  queue.push("bob");
  ck_assert_view_eq(queue.pop("ada"), "bob");
  ck_assert_view_eq(queue.pop("ada"), "");
  ck_assert_uint_eq(queue.queue.size(), 1);
  ck_assert_view_eq(queue.pop(), "ada");
}
END_TEST

START_TEST(whoever_has_most_waiting_makes_room_when_it_is_full) {
  Queue queue;
  for (const char* sql : {"1", "2", "3", "4"}) ck_assert_view_eq(queue.push("ada", sql), "");
  ck_assert_view_eq(queue.push("ada", "5"), "ada5");
  ck_assert_view_eq(queue.push("bob", "1"), "ada4");
  ck_assert_view_eq(queue.push("bob", "2"), "ada3");
  ck_assert_view_eq(queue.push("bob", "3"), "bob3");
  ck_assert_view_eq(queue.push("eve", "1"), "ada2");
  ck_assert_uint_eq(queue.queue.size(), 4);
}
END_TEST

START_TEST(what_waited_too_long_and_what_is_taken_back_is_gone) {
  Queue queue;
  queue.push("ada");
  queue.now += 3s;
  queue.push("ada");
  queue.push("bob");
  const auto own = query_of("eve");
  queue.queue.push(own, queue.now + 5s);
  ck_assert(queue.queue.remove(*own));
  ck_assert(!queue.queue.remove(*own));
  ck_assert_uint_eq(queue.queue.expired(queue.now + 2s).size(), 1);
  ck_assert_uint_eq(queue.queue.take_all().size(), 2);
  ck_assert(queue.queue.empty());
  ck_assert_view_eq(queue.pop(), "");
}
END_TEST

static const weir_test::Register kRegistered(
    "api_queue", {who_waits_takes_turns_and_his_oldest_question_is_first,
                  who_may_not_run_now_is_passed_over_and_stays,
                  whoever_has_most_waiting_makes_room_when_it_is_full,
                  what_waited_too_long_and_what_is_taken_back_is_gone});
