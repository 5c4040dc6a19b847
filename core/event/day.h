// Days of the calendar, as numbers that can be subtracted.
//
//   const auto day = parse_day("2026-02-28");       // days since 1970-01-01
//   format_day(*day - 29);                          // "2026-01-30"
//
// From 1970-01-01 to 2999-12-31; the algorithm is that of
// https://howardhinnant.github.io/date_algorithms.html.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace weir {

using Day = int;  // since 1970-01-01

// YYYY-MM-DD alone; none for a day that is not in the calendar.
std::optional<Day> parse_day(std::string_view text);

std::string format_day(Day day);

}  // namespace weir
