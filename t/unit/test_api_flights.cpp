#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "api/flights.h"
#include "t/unit/suite.h"

namespace {

using namespace weir::api;
using namespace std::chrono_literals;

// A text, and its version if it has one.
class OneText final : public Row {
 public:
  OneText(std::string text, std::string version)
      : text_(std::move(text)), version_(std::move(version)) {}
  int columns() const override { return version_.empty() ? 1 : 2; }
  std::string_view name(int) const override { return "v"; }
  std::optional<std::string_view> value(int column) const override {
    return column == 0 ? text_ : version_;
  }

 private:
  std::string text_, version_;
};

// Answers when it is told to.
class SlowDatabase final : public Database {
 public:
  void run(const std::shared_ptr<Query>& query) override { asked.push_back(query); }
  void cancel(Query& query) override {
    forget_functions(query);
    ++cancelled;
  }
  void resume(Query&) override {}

  void answer(const std::string& text, const Failure* failure = nullptr,
              const std::string& version = "") {
    const auto last = asked.back();
    if (failure == nullptr) last->on_row(OneText(text, version));
    end_query(last, failure);
  }

  std::vector<std::shared_ptr<Query>> asked;
  int cancelled = 0;
};

struct World {
  SlowDatabase database;
  Flights::Time now{};
  Scale scale{10'000};
  Flights flights{database, scale, 8000, [this] { return now; }};
  std::vector<std::shared_ptr<const Answer>> held;
  std::vector<std::string> heard;

  Flights::Ticket join(const std::string& key) {
    return flights.join(
        key, 5s, [] { return std::make_shared<Query>(); },
        [this](const Landing& landing) {
          if (landing.answer) held.push_back(landing.answer);
          heard.push_back(landing.answer ? landing.answer->values.at(0) : "failure");
        },
        [] {
          auto query = std::make_shared<Query>();
          query->sql = "version";
          return query;
        });
  }

  std::string asked_last() const { return std::string(database.asked.back()->sql); }
};

}  // namespace

START_TEST(many_who_ask_the_same_are_one_query) {
  World world;
  for (int i = 0; i < 5; ++i) world.join("a");
  world.join("b");
  ck_assert_uint_eq(world.database.asked.size(), 2);
  world.database.answer("of b");
  ck_assert_uint_eq(world.heard.size(), 1);
  world.database.asked.pop_back();
  world.database.answer("of a");
  ck_assert_uint_eq(world.heard.size(), 6);
  ck_assert_view_eq(world.heard.back(), "of a");
}
END_TEST

START_TEST(an_answer_whose_version_is_the_same_is_kept_on) {
  World world;
  world.join("a");
  world.database.answer("of a", nullptr, "v1");
  for (int i = 0; i < 2; ++i) {
    world.now += 5s;
    world.join("a");
    world.join("a");
    ck_assert_view_eq(world.asked_last(), "version");
    world.database.answer("v1");
    ck_assert_view_eq(world.heard.back(), "of a");
    ck_assert_uint_eq(world.join("a"), 0);
  }
  ck_assert_uint_eq(world.database.asked.size(), 3);
  ck_assert_uint_eq(world.heard.size(), 7);
  ck_assert_ptr_eq(world.held.back().get(), world.held.front().get());
  ck_assert(!world.held.back()->etag.empty());
}
END_TEST

START_TEST(one_whose_version_is_another_is_asked_for_again) {
  World world;
  world.join("a");
  world.database.answer("of a", nullptr, "v1");
  world.now += 5s;
  world.join("a");
  world.database.answer("v2");
  ck_assert_uint_eq(world.heard.size(), 1);
  ck_assert_view_eq(world.asked_last(), "");
  world.join("a");
  world.database.answer("new of a", nullptr, "v2");
  ck_assert_view_eq(world.heard.back(), "new of a");
  ck_assert_uint_eq(world.heard.size(), 3);
  world.now += 5s;
  world.join("a");
  world.database.answer("v2");
  ck_assert_view_eq(world.heard.back(), "new of a");
}
END_TEST

START_TEST(without_a_version_of_now_there_is_no_answer) {
  World world;
  world.join("a");
  world.database.answer("of a", nullptr, "v1");
  world.now += 5s;
  world.join("a");
  const Failure away{Failure::Kind::away, "away"};
  world.database.answer("", &away);
  ck_assert_view_eq(world.heard.back(), "failure");
  const auto ticket = world.join("a");
  ck_assert_view_eq(world.asked_last(), "version");
  world.flights.leave(ticket);
  ck_assert_int_eq(world.database.cancelled, 1);
  ck_assert_uint_eq(world.flights.under_way(), 0);
}
END_TEST

START_TEST(an_answer_is_kept_for_its_time) {
  World world;
  world.join("a");
  world.database.answer("first");
  world.now += 4999ms;
  ck_assert_uint_eq(world.join("a"), 0);
  ck_assert_uint_eq(world.database.asked.size(), 1);
  world.now += 1ms;
  ck_assert_uint_ne(world.join("a"), 0);
  ck_assert_uint_eq(world.database.asked.size(), 2);
}
END_TEST

START_TEST(a_failure_is_told_to_all_and_not_kept) {
  World world;
  const Failure failure{Failure::Kind::away, "gone"};
  world.join("a");
  world.join("a");
  world.database.answer("", &failure);
  ck_assert_uint_eq(world.heard.size(), 2);
  ck_assert_uint_ne(world.join("a"), 0);
}
END_TEST

START_TEST(the_last_to_leave_cancels) {
  World world;
  const auto one = world.join("a"), two = world.join("a");
  world.flights.leave(one);
  ck_assert_int_eq(world.database.cancelled, 0);
  world.flights.leave(two);
  ck_assert_int_eq(world.database.cancelled, 1);
  world.flights.leave(two);
  ck_assert_int_eq(world.database.cancelled, 1);
  ck_assert_uint_eq(world.flights.under_way(), 0);
}
END_TEST

START_TEST(what_is_kept_stays_within_its_bound) {
  World world;
  for (int i = 0; i < 100; ++i) {
    world.join("key " + std::to_string(i));
    world.database.answer(std::string(200, 'x'));
    world.held.clear();
    ck_assert_uint_le(world.flights.bytes(), 8000);
  }
  ck_assert_uint_eq(world.join("key 99"), 0);
  ck_assert_uint_ne(world.join("key 0"), 0);
  world.join("large");
  world.database.answer(std::string(2000, 'x'));
  ck_assert_uint_ne(world.join("large"), 0);
}
END_TEST

START_TEST(what_many_readers_hold_stays_within_its_bound) {
  World world;
  world.join("large");
  world.database.answer(std::string(6000, 'x'));
  world.join("larger");
  world.database.answer(std::string(6000, 'x'));
  ck_assert(world.scale.is_full());
  ck_assert_uint_eq(world.join("one more"), 0);
  ck_assert_view_eq(world.heard.back(), "failure");
  world.held.pop_back();
  ck_assert_uint_ne(world.join("one more"), 0);
}
END_TEST

START_TEST(what_is_kept_makes_room_for_what_is_read) {
  World world;
  for (int i = 0; i < 8; ++i) {
    world.join("kept " + std::to_string(i));
    world.database.answer(std::string(600, 'x'));
  }
  world.held.clear();
  world.join("large");
  world.database.answer(std::string(6000, 'x'));
  ck_assert(world.scale.is_full());
  ck_assert_uint_ne(world.join("one more"), 0);
  ck_assert(!world.scale.is_full());
}
END_TEST

START_TEST(an_answer_larger_than_one_may_be_is_a_failure) {
  World world;
  world.join("a");
  world.database.answer(std::string(Flights::kMostAnswer, 'x'));
  ck_assert_view_eq(world.heard.back(), "failure");
  ck_assert_uint_eq(world.scale.bytes(), 0);
}
END_TEST

static const weir_test::Register kRegistered(
    "api_flights",
    {many_who_ask_the_same_are_one_query, an_answer_is_kept_for_its_time,
     an_answer_whose_version_is_the_same_is_kept_on,
     one_whose_version_is_another_is_asked_for_again, without_a_version_of_now_there_is_no_answer,
     a_failure_is_told_to_all_and_not_kept, the_last_to_leave_cancels,
     what_is_kept_stays_within_its_bound, what_many_readers_hold_stays_within_its_bound,
     what_is_kept_makes_room_for_what_is_read, an_answer_larger_than_one_may_be_is_a_failure});
