#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "ctl/demo/object.h"
#include "ctl/demo/trains.h"
#include "ctl/demo/world.h"
#include "t/unit/suite.h"

namespace {

using namespace weir::demo;

const Day kUntil = *parse_day("2026-06-30");

Options options_of(int users, int days, std::uint64_t seed = 1) {
  Options options;
  options.users = users;
  options.days = days;
  options.seed = seed;
  options.until = kUntil;
  return options;
}

struct Collected : Sink {
  bool take(const Event& event) override {
    events.push_back(event);
    return events.size() < most;
  }
  std::vector<Event> events;
  std::size_t most = SIZE_MAX;
};

std::vector<Event> events_of(const Options& options) {
  const World world(options);
  Collected collected;
  for (Day day = options.first(); day <= options.until; ++day) world.live(day, collected);
  return collected.events;
}

// A text member of an event, empty where it has none.
std::string member(const Event& event, const std::string& name) {
  const std::string before = '"' + name + "\":\"";
  const auto at = event.json.find(before);
  if (at == std::string::npos) return {};
  const auto begin = at + before.size();
  return event.json.substr(begin, event.json.find('"', begin) - begin);
}

std::string id_of(const Event& event) {
  return member(event, event.door == Door::crash ? "crash_id" : "event_id");
}

Day day_of(const Event& event) { return static_cast<Day>(event.at / kMillisecondsPerDay); }

bool is_same(const std::vector<Event>& one, const std::vector<Event>& other) {
  return std::equal(one.begin(), one.end(), other.begin(), other.end(),
                    [](const Event& a, const Event& b) {
                      return a.door == b.door && a.at == b.at && a.json == b.json;
                    });
}

// Of those who came, the share that was there again N days later.
double retention(const std::map<std::string, std::set<Day>>& days, int later) {
  int came = 0, returned = 0;
  for (const auto& [user, there] : days) {
    if (*there.begin() + later > kUntil) continue;
    ++came;
    returned += there.count(*there.begin() + later) > 0 ? 1 : 0;
  }
  return static_cast<double>(returned) / came;
}

double near_retention(const std::map<std::string, std::set<Day>>& days, int later) {
  return (retention(days, later - 1) + retention(days, later) + retention(days, later + 1)) / 3;
}

struct Counted {
  double events = 0, crashes = 0;
};

}  // namespace

START_TEST(the_same_options_make_the_same_events) {
  const auto once = events_of(options_of(60, 30));
  ck_assert_uint_gt(once.size(), 500);
  ck_assert(is_same(once, events_of(options_of(60, 30))));
}
END_TEST

START_TEST(another_seed_makes_other_events_with_other_ids) {
  std::set<std::string> ids;
  const auto one = events_of(options_of(60, 30)), other = events_of(options_of(60, 30, 2));
  for (const Event& event : one) ids.insert(id_of(event));
  ck_assert(!is_same(one, other));
  for (const Event& event : other) ck_assert_uint_eq(ids.count(id_of(event)), 0);
}
END_TEST

START_TEST(no_id_is_given_twice) {
  std::set<std::string> ids;
  const auto events = events_of(options_of(300, 60));
  for (const Event& event : events) ids.insert(id_of(event));
  ck_assert_uint_eq(ids.size(), events.size());
  ck_assert_uint_eq(ids.begin()->size(), 36);
}
END_TEST

START_TEST(a_day_does_not_need_the_days_before_it) {
  const World world(options_of(80, 20));
  Collected alone, all;
  world.live(kUntil - 5, alone);
  for (Day day = kUntil - 19; day <= kUntil - 5; ++day) {
    all.events.clear();
    world.live(day, all);
  }
  ck_assert(!alone.events.empty());
  ck_assert(is_same(alone.events, all.events));
}
END_TEST

START_TEST(events_lie_within_the_days_and_before_the_end) {
  Options options = options_of(100, 10);
  options.end = kUntil * kMillisecondsPerDay + 43'200'000;
  for (const Event& event : events_of(options)) {
    ck_assert_int_ge(day_of(event), options.first());
    ck_assert_int_lt(event.at, options.end);
  }
}
END_TEST

START_TEST(an_end_that_comes_earlier_changes_nothing_before_it) {
  Options options = options_of(100, 10);
  auto all = events_of(options);
  options.end = kUntil * kMillisecondsPerDay + 43'200'000;
  const auto is_late = [&](const Event& event) { return event.at >= options.end; };
  all.erase(std::remove_if(all.begin(), all.end(), is_late), all.end());
  ck_assert(is_same(all, events_of(options)));
}
END_TEST

START_TEST(sums_are_those_of_the_events) {
  const Options options = options_of(200, 40);
  std::set<std::string> users;
  std::uint64_t doors[kDoors] = {};
  for (const Event& event : events_of(options)) {
    ++doors[static_cast<int>(event.door)];
    if (event.door == Door::track) users.insert(member(event, "user_id"));
  }
  const Sums sums = sums_of(World(options));
  ck_assert_uint_eq(sums.users, users.size());
  for (int door = 0; door < kDoors; ++door) ck_assert_uint_eq(sums.events[door], doors[door]);
}
END_TEST

START_TEST(a_sink_that_wants_no_more_gets_no_more) {
  const World world(options_of(200, 20));
  Collected collected;
  collected.most = 3;
  ck_assert(!world.live(kUntil - 2, collected));
  ck_assert_uint_eq(collected.events.size(), 3);
}
END_TEST

// A few people do most of it, and who they are depends on the seed.
START_TEST(users_for_some_events_make_about_so_many) {
  for (const std::uint64_t seed : {1, 2, 3, 4}) {
    Options options = options_of(1, 60);
    options.seed = seed;
    options.users = users_for(options, 20'000);
    const auto made = static_cast<double>(sums_of(World(options)).all());
    ck_assert_double_ge(made, 20'000 * 0.98);
    ck_assert_double_le(made, 20'000 * 1.02);
  }
}
END_TEST

// Of a last day that has only begun a thousand people make hardly anything: far more are needed.
START_TEST(users_for_some_events_of_one_hour_make_about_so_many) {
  Options options = options_of(1, 1);
  options.end = kUntil * kMillisecondsPerDay + 3'600'000;
  options.users = users_for(options, 1000);
  ck_assert_int_gt(options.users, 1000);
  const auto made = static_cast<double>(sums_of(World(options)).all());
  ck_assert_double_ge(made, 1000 * 0.98);
  ck_assert_double_le(made, 1000 * 1.02);
}
END_TEST

// Where one more makes too many, and one fewer too few, it is whichever comes closer.
START_TEST(users_for_few_events_are_the_closest) {
  for (const std::uint64_t events : {100, 300, 1000}) {
    Options options = options_of(1, 60);
    const auto off = [&](int users) {
      options.users = users;
      const auto made = static_cast<double>(sums_of(World(options)).all());
      return std::abs(made - static_cast<double>(events));
    };
    const int users = users_for(options, events);
    ck_assert_int_ge(users, 1);
    const double least = off(users);
    ck_assert_msg(least <= 0.02 * static_cast<double>(events) ||
                      (least <= off(users + 1) && (users == 1 || least <= off(users - 1))),
                  "%d users", users);
  }
}
END_TEST

START_TEST(every_system_leaves_something_behind) {
  std::set<std::string> found;
  for (const Event& event : events_of(options_of(600, 60))) {
    found.insert(event.door == Door::command ? member(event, "command") : member(event, "event"));
  }
  for (const char* name :
       {"app_opened", "recording_completed", "transcription_failed", "retry_attempted",
        "feature_toggled", "nps_answered", "venda_criada", "page_view", "login_sucesso", "icon",
        "operation_started", "onboarding_checkpoint_completed", "feature_usage"}) {
    ck_assert_msg(found.count(name) == 1, "there is no %s", name);
  }
}
END_TEST

START_TEST(sundays_are_quiet_and_more_happens_from_month_to_month) {
  std::map<Day, double> by_day;
  for (const Event& event : events_of(options_of(1000, 90))) ++by_day[day_of(event)];
  double sundays = 0, tuesdays = 0, first = 0, last = 0;
  for (const auto& [day, events] : by_day) {
    if (weekday_of(day) == 6) sundays += events;
    if (weekday_of(day) == 1) tuesdays += events;
    if (day <= kUntil - 60) first += events;
    if (day > kUntil - 30) last += events;
  }
  ck_assert_double_lt(sundays, 0.65 * tuesdays);
  ck_assert_double_gt(last, 1.7 * first);
}
END_TEST

START_TEST(retention_falls_and_flattens) {
  std::map<std::string, std::set<Day>> days;
  for (const Event& event : events_of(options_of(1500, 90))) {
    if (event.door == Door::track) days[member(event, "user_id")].insert(day_of(event));
  }
  const double day_1 = retention(days, 1), day_7 = near_retention(days, 7);
  const double day_30 = near_retention(days, 30), day_60 = near_retention(days, 60);
  ck_assert_double_gt(day_1, 0.3);
  ck_assert_double_lt(day_1, 0.55);
  ck_assert_double_gt(day_1, 1.5 * day_7);
  ck_assert_double_gt(day_7, 1.2 * day_30);
  ck_assert_double_gt(day_60, 0.5 * day_30);
}
END_TEST

START_TEST(a_new_version_is_taken_up_day_by_day) {
  const Options options = options_of(1, 100);
  const Releases releases(kStoriesTrain, options.first(), options.days);
  const std::int64_t released = releases.released_at(k250);
  int users[4] = {};
  for (std::uint64_t who = 0; who < 1000; ++who) {
    const auto after = [&](int days) {
      const std::int64_t now = released + days * kMillisecondsPerDay;
      return releases.used_by(7, who, released - kMillisecondsPerDay, now) == k250 ? 1 : 0;
    };
    users[0] += after(0), users[1] += after(1), users[2] += after(4), users[3] += after(12);
  }
  ck_assert_int_lt(users[0], 20);
  ck_assert_int_gt(users[1], 200);
  ck_assert_int_gt(users[2], users[1] + 150);
  ck_assert_int_gt(users[3], 700);
  ck_assert_int_lt(users[3], 950);
  ck_assert_uint_eq(releases.used_by(7, 1, released, released), k250);
}
END_TEST

START_TEST(one_release_crashes_and_one_brings_a_crash_back) {
  std::map<std::string, Counted> versions;
  std::map<std::string, std::set<std::string>> groups;
  for (const Event& event : events_of(options_of(2500, 90))) {
    const std::string version = member(event, "app_version");
    if (event.door == Door::track) ++versions[version].events;
    if (event.door != Door::crash) continue;
    ++versions[version].crashes;
    groups[member(event, "error_message")].insert(version);
  }
  const auto rate = [&](const char* name) {
    return versions[name].crashes / versions[name].events;
  };
  ck_assert_double_gt(rate("2.7.0"), 3 * rate("2.6.0"));
  ck_assert_double_gt(rate("2.7.0"), 3 * rate("2.7.1"));
  ck_assert(groups["Invalid array length"] == std::set<std::string>{"2.7.0"});
  const std::set<std::string> back{"2.3.1", "2.4.0", "2.5.0", "2.8.0"};
  ck_assert(groups["No microphone was found"] == back);
}
END_TEST

START_TEST(chance_has_the_means_that_it_was_asked_for) {
  Random chance({42});
  double waits = 0, counts = 0, below = 0, heads = 0;
  constexpr int kTries = 20'000;
  for (int n = 0; n < kTries; ++n) {
    waits += chance.wait(3);
    counts += chance.count(2.5);
    below += chance.around(10, 0.8) < 10 ? 1 : 0;
    heads += chance.happens(0.3) ? 1 : 0;
  }
  ck_assert_double_eq_tol(waits / kTries, 3, 0.1);
  ck_assert_double_eq_tol(counts / kTries, 2.5, 0.1);
  ck_assert_double_eq_tol(below / kTries, 0.5, 0.02);
  ck_assert_double_eq_tol(heads / kTries, 0.3, 0.02);
}
END_TEST

START_TEST(chance_comes_from_its_words_alone) {
  ck_assert_uint_eq(Random({1, 2}).bits(), Random({1, 2}).bits());
  ck_assert_uint_ne(Random({1, 2}).bits(), Random({2, 1}).bits());
  ck_assert_uint_ne(Random({1}).bits(), Random({1, 0}).bits());
  const std::string uuid = Random({1, 2}).uuid();
  ck_assert_uint_eq(uuid.size(), 36);
  ck_assert_int_eq(uuid[14], '8');
  ck_assert(std::string("89ab").find(uuid[19]) != std::string::npos);
}
END_TEST

START_TEST(days_are_read_and_written) {
  ck_assert_int_eq(*parse_day("1970-01-02"), 1);
  ck_assert_view_eq(format_day(*parse_day("2028-02-29")), "2028-02-29");
  ck_assert_int_eq(weekday_of(*parse_day("2026-11-26")), 3);
  for (const char* text : {"", "2026-02-29", "2026-1-01", "2026-11-26 ", "1969-12-31", "today"}) {
    ck_assert_msg(!parse_day(text), "%s is a day", text);
  }
}
END_TEST

START_TEST(little_is_done_on_holidays_and_weekends) {
  const Country us{"US", 1, -6}, germany{"DE", 1, 1};
  const Day thanksgiving = *parse_day("2026-11-26");
  ck_assert_double_lt(activity_of(kOffice, us, thanksgiving),
                      0.3 * activity_of(kOffice, germany, thanksgiving));
  ck_assert_double_lt(activity_of(kOffice, us, thanksgiving + 3), 0.3);  // a Sunday
  ck_assert_int_eq(at_clock(0, 9.5, us), 15.5 * 3'600'000);
}
END_TEST

START_TEST(objects_are_written_as_json) {
  Object inner, all;
  inner.number("a", 12.5, 2).number("b", -0.004, 2).number("c", 3, 2).number("d", 0.000012, 6);
  all.text("t", "a \"b\" \\ \n").whole("n", -7).truth("yes", true).object("in", inner);
  ck_assert_view_eq(all.json(),
                    "{\"t\":\"a \\\"b\\\" \\\\ \\n\",\"n\":-7,\"yes\":true,"
                    "\"in\":{\"a\":12.5,\"b\":0,\"c\":3,\"d\":0.000012}}");
}
END_TEST

const weir_test::Register kRegistered("demo",
                                      {the_same_options_make_the_same_events,
                                       another_seed_makes_other_events_with_other_ids,
                                       no_id_is_given_twice,
                                       a_day_does_not_need_the_days_before_it,
                                       events_lie_within_the_days_and_before_the_end,
                                       an_end_that_comes_earlier_changes_nothing_before_it,
                                       sums_are_those_of_the_events,
                                       a_sink_that_wants_no_more_gets_no_more,
                                       users_for_some_events_make_about_so_many,
                                       users_for_some_events_of_one_hour_make_about_so_many,
                                       users_for_few_events_are_the_closest,
                                       every_system_leaves_something_behind,
                                       sundays_are_quiet_and_more_happens_from_month_to_month,
                                       retention_falls_and_flattens,
                                       a_new_version_is_taken_up_day_by_day,
                                       one_release_crashes_and_one_brings_a_crash_back,
                                       chance_has_the_means_that_it_was_asked_for,
                                       chance_comes_from_its_words_alone,
                                       days_are_read_and_written,
                                       little_is_done_on_holidays_and_weekends,
                                       objects_are_written_as_json});
