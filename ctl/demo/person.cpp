#include "ctl/demo/person.h"

#include <algorithm>
#include <cmath>

namespace weir::demo {
namespace {

enum Purpose : std::uint64_t { kIdentity = 1, kLife, kDays };

constexpr double kLaunch = 0.1;         // of all people come in the burst of the launch
constexpr double kLaunchLength = 0.04;  // of the time
constexpr double kGrowth = 1.3;         // e to this power: how many times more come at the end
constexpr double kComesBack = 0.2;      // of those who left, sooner or later
constexpr double kLongestLife = 4000;

struct Habits {
  Habit habit;
  double weight, active, visits;
};
constexpr Habits kHabits[] = {{Habit::casual, 0.54, 0.2, 1.05},
                              {Habit::regular, 0.33, 0.5, 1.4},
                              {Habit::power, 0.13, 0.88, 2.6}};

const Habits& habits_of(Habit habit) { return kHabits[static_cast<int>(habit)]; }

double arrival(Random& chance) {
  if (chance.happens(kLaunch)) return std::min(chance.wait(kLaunchLength), 0.999);
  return std::log1p(chance.share() * std::expm1(kGrowth)) / kGrowth;
}

// Few start with something new on a day on which they do little.
Day arrival_day(const Options& options, const System& system, const Country& country,
                Random& chance) {
  Day day = options.first();
  for (int attempt = 0; attempt < 8; ++attempt) {
    day = options.first() + static_cast<Day>(arrival(chance) * options.days);
    if (chance.happens(activity_of(*system.rhythm, country, day))) break;
  }
  return day;
}

// In days, 1 for who comes once: of those who stay beyond a try, (1 + t/4)^-staying are there after
// t.
int length_of_life(const System& system, Habit habit, Random& chance) {
  const double leaving = habit == Habit::power ? system.leaving / 4 : system.leaving;
  if (chance.happens(leaving)) return 1 + chance.count(0.4);
  const double length = 4 * (std::pow(1 - chance.share(), -1 / system.staying) - 1);
  return 2 + static_cast<int>(std::min(length, kLongestLife));
}

void draw_life(const Options& options, const System& system, Person& person, Random& chance) {
  const Day came = arrival_day(options, system, *person.country, chance);
  person.spans[0] = {came, came + length_of_life(system, person.habit, chance) - 1};
  person.spans[1] = {1, 0};
  if (!chance.happens(kComesBack)) return;
  const Day back = person.spans[0].last + 10 + static_cast<int>(chance.wait(20));
  person.spans[1] = {back, back + length_of_life(system, person.habit, chance) - 1};
}

// Sales numbers its users; the others have made names up.
std::string user_id_of(const System& system, std::uint64_t seed, int number, Random& chance) {
  const std::uint64_t series = Random({seed, static_cast<std::uint64_t>(system.id)}).bits() % 9000;
  std::string counted = std::to_string((series + 1000) * 1'000'000 + number);
  switch (system.id) {
    case SystemId::sales:
      return counted;
    case SystemId::ledger:
      return "member-" + counted;
    case SystemId::features:
      return "admin-" + counted;
    default:
      return chance.uuid();
  }
}

bool is_within(const Span& span, Day day) { return span.first <= day && day <= span.last; }

// A casual one has two days of the week that are theirs.
double own_weekdays(const Person& person, Day day, std::uint64_t seed) {
  if (person.habit == Habit::power) return 1;
  const std::uint64_t own = Random({seed, person.words(), kIdentity, 7}).bits();
  const int weekday = weekday_of(day);
  const bool is_theirs =
      weekday == static_cast<int>(own % 7) || weekday == static_cast<int>(own / 7 % 7);
  return is_theirs ? 1.7 : 0.75;
}

}  // namespace

std::uint64_t Person::words() const {
  return static_cast<std::uint64_t>(system->id) << 40 | static_cast<std::uint64_t>(number);
}

Person make_person(const Options& options, const System& system, int number) {
  Person person{};
  person.system = &system;
  person.number = number;
  Random chance({options.seed, person.words(), kIdentity});
  person.country = &chance.one_of(system.countries, system.country_count);
  person.platform = chance.one_of(system.platforms, system.platform_count).name;
  person.device = chance.happens(0.27) ? "phone" : "desktop";
  person.habit = chance.one_of(kHabits).habit;
  person.user_id = user_id_of(system, options.seed, number, chance);
  person.workspace = "workspace-" + std::to_string(number / 6 + 1);
  Random life({options.seed, person.words(), kLife});
  draw_life(options, system, person, life);
  return person;
}

bool is_active(const Person& person, Day day, std::uint64_t seed) {
  const bool is_back = is_within(person.spans[1], day);
  if (!is_back && !is_within(person.spans[0], day)) return false;
  const Day began = person.spans[is_back ? 1 : 0].first;
  if (day == began) return true;
  // What is new is tried more often.
  const double novelty = 1 + 0.9 * std::exp((began - day) / 3.0);
  const double likely = habits_of(person.habit).active * novelty * own_weekdays(person, day, seed) *
                        activity_of(*person.system->rhythm, *person.country, day);
  const auto number = static_cast<std::uint64_t>(day);
  return Random({seed, person.words(), kDays, number}).happens(std::min(likely, 0.97));
}

double visits_per_day(const Person& person) { return habits_of(person.habit).visits; }

}  // namespace weir::demo
