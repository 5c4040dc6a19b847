// All that happens in a demo, a day at a time: people of five systems, their visits, and what these
// leave behind. It does no I/O and looks at no clock.
//
//   const World world(options);
//   for (Day day = options.first(); day <= options.until; ++day) world.live(day, sink);
//
// A day is one of people's own calendars, so that its events spill a little into the days of UTC
// beside it; what falls outside of the demo's days, or after its end, is left out. Within a day
// events come a person at a time, in no order of time.
#pragma once

#include <cstdint>
#include <vector>

#include "ctl/demo/event.h"
#include "ctl/demo/options.h"
#include "ctl/demo/person.h"
#include "ctl/demo/release.h"

namespace weir::demo {

class World {
 public:
  explicit World(const Options& options);

  // False: the sink wanted no more.
  bool live(Day day, Sink& sink) const;

  const Options& options() const { return options_; }
  const std::vector<Person>& people() const { return people_; }
  // Those of a system's program; the servers of others are always up to date, and say no version.
  const Releases* releases(SystemId system) const;

  // One person's part of a day on which they are active.
  bool visits(const Person& person, Day day, Sink& sink) const;

 private:
  Options options_;
  std::vector<Person> people_;
  Releases stories_, command_line_;
};

// What a demo comes to.
struct Sums {
  std::uint64_t events[kDoors] = {};  // by Door
  std::uint64_t users = 0;            // with an event; commands have none

  std::uint64_t all() const { return events[0] + events[1] + events[2]; }
};

// Lives through all of it to count it. Some microseconds an event.
Sums sums_of(const World& world);

// How many users make so many events (200 million at most), or two in a hundred more or fewer, or
// what is closest, where a single one makes more than that. Counts them by sums_of(), often twice.
int users_for(const Options& options, std::uint64_t events);

}  // namespace weir::demo
