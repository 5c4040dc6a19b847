// Days as people live them: weekdays, holidays, and what the clock shows where they are.
//
//   const auto day = parse_day("2026-11-26");
//   activity_of(kOffice, "US", *day);             // Thanksgiving: next to nothing
//   at_clock(*day, 9.5, *country);                // half past nine there, as milliseconds since
//   1970
//
// Clocks have one offset all the year; changes of clocks matter to no figure of a demo.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/event/day.h"
#include "ctl/demo/random.h"

namespace weir::demo {

using weir::Day, weir::parse_day, weir::format_day;

constexpr std::int64_t kMillisecondsPerDay = 86'400'000;

int weekday_of(Day day);  // 0 is Monday

struct Country {
  const char* code;
  double weight;
  double clock;  // hours ahead of UTC
};

// When people do something: over the week, and over the day.
struct Rhythm {
  double weekdays[7];  // from Monday on; 1 is an ordinary one
  double holidays;
  double hours[24];  // weights
};

extern const Rhythm kOffice, kAtHome, kShop;

// How much is done on this day, 1 on an ordinary one.
double activity_of(const Rhythm& rhythm, const Country& country, Day day);

// A time of the day by the rhythm, as hours of the clock.
double hour_by(const Rhythm& rhythm, Random& chance);

std::int64_t at_clock(Day day, double hour, const Country& country);

}  // namespace weir::demo
