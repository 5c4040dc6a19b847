#include "ctl/demo/world.h"

#include <algorithm>
#include <cmath>

#include "ctl/demo/trains.h"
#include "ctl/demo/visit.h"

namespace weir::demo {
namespace {

constexpr int kMostVisits = 12;  // of a person on a day

// Of the search for how many users make so many events, which in halves would take 28 turns.
constexpr int kMostTurns = 40;
constexpr double kNearEnough = 0.02;

class Counting : public Sink {
 public:
  bool take(const Event& event) override {
    ++sums.events[static_cast<int>(event.door)];
    was_there = was_there || event.door == Door::track;
    return true;
  }

  Sums sums;
  bool was_there = false;
};

}  // namespace

World::World(const Options& options)
    : options_(options),
      stories_(kStoriesTrain, options.first(), options.days),
      command_line_(kCommandLineTrain, options.first(), options.days) {
  double before = 0;
  int made = 0;
  for (const System& system : kSystems) {
    const auto until = static_cast<int>(std::lround((before += system.share) * options.users));
    for (int number = 0; made < until; ++number, ++made)
      people_.push_back(make_person(options, system, number));
  }
}

const Releases* World::releases(SystemId system) const {
  if (system == SystemId::stories) return &stories_;
  return system == SystemId::command_line ? &command_line_ : nullptr;
}

bool World::live(Day day, Sink& sink) const {
  for (const Person& person : people_) {
    if (is_active(person, day, options_.seed) && !visits(person, day, sink)) return false;
  }
  return true;
}

bool World::visits(const Person& person, Day day, Sink& sink) const {
  Random chance({options_.seed, person.words(), static_cast<std::uint64_t>(day), kVisits});
  const int more = chance.count(visits_per_day(person) - 1);
  for (int number = 0; number <= std::min(more, kMostVisits); ++number) {
    Visit visit(*this, person, day, number, sink);
    person.system->visit(visit);
    if (visit.is_over()) return false;
  }
  return true;
}

Sums sums_of(const World& world) {
  Counting counting;
  const Options& options = world.options();
  for (std::size_t i = 0; i < world.people().size(); ++i) {
    const Person& person = world.people()[i];
    counting.was_there = false;
    for (Day day = std::max(person.arrived(), options.first()); day <= options.until; ++day) {
      if (is_active(person, day, options.seed)) world.visits(person, day, counting);
    }
    counting.sums.users += counting.was_there ? 1 : 0;
  }
  return counting.sums;
}

// More users are the same ones and others, so they make more events. How many, a few of them decide
// who do most of it: what the first thousand make tells it to a fifth or so. Hence the search.
int users_for(const Options& options, std::uint64_t events) {
  const auto wanted = static_cast<double>(events);
  Options tried = options;
  tried.users = 1000;
  int low = 0, high = kMostUsers + 1, closest = 1;
  double least = wanted;
  for (int turn = 0; turn < kMostTurns && least > kNearEnough * wanted; ++turn) {
    const auto made = static_cast<double>(sums_of(World(tried)).all());
    if (std::abs(made - wanted) < least) closest = tried.users;
    least = std::min(least, std::abs(made - wanted));
    (made < wanted ? low : high) = tried.users;
    const double next = std::round(tried.users * wanted / std::max(made, 1.0));
    tried.users = next > low && next < high ? static_cast<int>(next) : low + (high - low) / 2;
    if (tried.users == low) break;
  }
  return closest;
}

}  // namespace weir::demo
