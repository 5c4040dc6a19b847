// Somebody who uses one of the systems: when they came, how they live with it, when they stay away
// and perhaps come back.
//
//   const Person person = make_person(options, system, number);
//   if (is_active(person, day, seed)) …
//
// Lives are drawn so that figures look as they do elsewhere: arrivals grow, with a burst at the
// launch; many leave after the first days and those who stay, stay (a life's length has a heavy
// tail); some come every day, most now and then, each with days of the week of their own.
#pragma once

#include <string>

#include "ctl/demo/calendar.h"
#include "ctl/demo/options.h"
#include "ctl/demo/system.h"

namespace weir::demo {

enum class Habit { casual, regular, power };

struct Span {
  Day first, last;
};

struct Person {
  const System* system;
  int number;  // from 0 on within the system
  std::string user_id;
  std::string workspace;  // of whom several share one
  const Country* country;
  const char* platform;
  const char* device;
  Habit habit;
  Span spans[2];  // the second one, for who comes back, may be empty (first > last)

  Day arrived() const { return spans[0].first; }
  std::uint64_t words() const;  // those that tell this person from others
};

Person make_person(const Options& options, const System& system, int number);

bool is_active(const Person& person, Day day, std::uint64_t seed);

// How often on a day on which they are active, on average.
double visits_per_day(const Person& person);

}  // namespace weir::demo
