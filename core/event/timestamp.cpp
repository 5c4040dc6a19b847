#include "core/event/timestamp.h"

#include <array>

#include "core/json/number.h"
#include "core/json/ascii.h"

namespace weir {
namespace {

constexpr Timestamp kMicrosPerMinute = 60 * kMicrosPerSecond;

constexpr bool is_leap(unsigned year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

constexpr unsigned days_in_month(unsigned year, unsigned month) {
  constexpr std::array<unsigned, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap(year) ? 29 : kDays[month - 1];
}

// Days from 1970-01-01 to the first of January of `year`, which is 0 or later. Of the years before
// it, those divisible by 4 are leap years, save those by 100, and again those by 400; year 0 is
// one.
constexpr Timestamp days_before_year(unsigned year) {
  constexpr Timestamp kFromYear0To1970 = 719'528;
  const unsigned days = 365 * year + (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400;
  return days - kFromYear0To1970;
}

constexpr Timestamp days_before(unsigned year, unsigned month) {
  constexpr std::array<unsigned, 12> kDays = {0,   31,  59,  90,  120, 151,
                                              181, 212, 243, 273, 304, 334};
  const unsigned leap_day = month > 2 && is_leap(year) ? 1 : 0;
  return days_before_year(year) + kDays[month - 1] + leap_day;
}

static_assert(days_before(1970, 1) == 0 && days_before(2000, 3) == 11'017);

static_assert(kFirstTime == days_before_year(1) * kMicrosPerDay);
static_assert(kEndOfTime == days_before_year(10'000) * kMicrosPerDay);

// The number that two digits write; larger than any that is asked for if one of them is no digit.
unsigned two_digits(const char* at) {
  constexpr unsigned kNoNumber = 1'000'000;
  const auto tens = static_cast<unsigned char>(at[0] - '0');
  const auto ones = static_cast<unsigned char>(at[1] - '0');
  return tens <= 9 && ones <= 9 ? tens * 10U + ones : kNoNumber;
}

// A day and a time of day, as they are written.
struct Written {
  unsigned year;
  unsigned month;
  unsigned day;
  unsigned hour;
  unsigned minute;
  unsigned second;
};

// Reads "2026-11-21T08:30:00", whose every part stands at its place.
constexpr std::size_t kWrittenSize = 19;
bool read_written(const char* at, Written& out) {
  out = {two_digits(at) * 100 + two_digits(at + 2),
         two_digits(at + 5),
         two_digits(at + 8),
         two_digits(at + 11),
         two_digits(at + 14),
         two_digits(at + 17)};
  const char between = at[10];
  return at[4] == '-' && at[7] == '-' && (between == 'T' || between == 't' || between == ' ') &&
         at[13] == ':' && at[16] == ':' && out.year <= 9999 && out.month >= 1 && out.month <= 12 &&
         out.day >= 1 && out.day <= days_in_month(out.year, out.month) && out.hour <= 23 &&
         out.minute <= 59 && out.second <= 60;
}

// Takes nothing, or a point and digits, off the front; in microseconds, the rest cut off.
bool take_fraction(std::string_view& rest, Timestamp& micros) {
  constexpr Timestamp kUnits[] = {1'000'000, 100'000, 10'000, 1'000, 100, 10, 1};
  micros = 0;
  if (rest.empty() || rest.front() != '.') return true;
  std::size_t digits = 0;
  std::size_t at = 1;
  for (; at < rest.size() && is_digit(rest[at]); ++at) {
    if (digits == 6) continue;
    micros = micros * 10 + (rest[at] - '0');
    ++digits;
  }
  micros *= kUnits[digits];
  rest.remove_prefix(at);
  return at > 1;
}

// "Z", or how far local time is ahead of UTC, in microseconds.
bool read_offset(std::string_view rest, Timestamp& ahead) {
  ahead = 0;
  if (rest.size() == 1) return rest[0] == 'Z' || rest[0] == 'z';
  if (rest.size() != 6 || (rest[0] != '+' && rest[0] != '-') || rest[3] != ':') return false;
  const unsigned hours = two_digits(&rest[1]);
  const unsigned minutes = two_digits(&rest[4]);
  ahead = hours * kMicrosPerHour + minutes * kMicrosPerMinute;
  if (rest[0] == '-') ahead = -ahead;
  return hours <= 23 && minutes <= 59;
}

// A leap second ends a month of UTC. `moment` is the second after it, and the month that it is in
// by its own local time is the one that ends (west of Greenwich or there) or the one that begins.
bool follows_leap_second(Timestamp moment, unsigned year, unsigned month) {
  const Timestamp begins = days_before(year, month);
  const Timestamp ends = begins + days_in_month(year, month);
  return moment == begins * kMicrosPerDay || moment == ends * kMicrosPerDay;
}

// Records and the flusher hold no other times; an offset can lead out of the year that is written.
std::optional<Timestamp> in_years_1_to_9999(Timestamp time) {
  if (!is_in_range(time)) return std::nullopt;
  return time;
}

// What nearly every client sends: digits alone. None for any other number, and for one that might
// not fit.
std::optional<Timestamp> plain_milliseconds(std::string_view literal) {
  constexpr std::size_t kMostDigits = 15;
  const bool may_fit = !literal.empty() && literal.size() <= kMostDigits;
  if (!may_fit || literal.front() == '0') return std::nullopt;
  Timestamp value = 0;
  for (const char c : literal) {
    if (!is_digit(c)) return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

}  // namespace

std::optional<Timestamp> parse_rfc3339(std::string_view text) {
  Written written;
  if (text.size() <= kWrittenSize || !read_written(text.data(), written)) return std::nullopt;
  std::string_view rest = text.substr(kWrittenSize);
  Timestamp fraction;
  Timestamp offset;
  if (!take_fraction(rest, fraction) || !read_offset(rest, offset)) return std::nullopt;

  const auto [year, month, day, hour, minute, second] = written;
  const Timestamp moment = (days_before(year, month) + day - 1) * kMicrosPerDay +
                           hour * kMicrosPerHour + minute * kMicrosPerMinute +
                           second * kMicrosPerSecond - offset;
  if (second == 60 && !follows_leap_second(moment, year, month)) return std::nullopt;
  return in_years_1_to_9999(second == 60 ? moment : moment + fraction);
}

std::optional<Timestamp> parse_milliseconds(std::string_view literal) {
  if (const auto plain = plain_milliseconds(literal)) return in_years_1_to_9999(*plain * 1000);
  const auto milliseconds = split_number(literal);
  if (!milliseconds) return std::nullopt;
  // A place of the number in milliseconds is three places higher in microseconds.
  constexpr std::int64_t kShift = 3;
  constexpr std::int64_t kHighestPlace = 17;  // the end of the year 9999 is 2.5 × 10^17 µs
  const std::int64_t leading = milliseconds->leading_place().value_or(-kShift) + kShift;
  if (leading > kHighestPlace) return std::nullopt;

  Timestamp micros = 0;
  for (std::int64_t place = leading; place >= 0; --place) {
    micros = micros * 10 + milliseconds->digit(place - kShift);
  }
  if (milliseconds->negative) {
    // What is cut off is cut towards the past, as parse_rfc3339() does before 1970.
    micros = -micros - (milliseconds->anything_below(-kShift) ? 1 : 0);
  }
  return in_years_1_to_9999(micros);
}

Timestamp start_of_year(int year) {
  return days_before_year(static_cast<unsigned>(year)) * kMicrosPerDay;
}

Timestamp correct_for_skew(Timestamp client_time, std::optional<Timestamp> sent_at, Timestamp now) {
  const Timestamp corrected = sent_at ? client_time - (*sent_at - now) : client_time;
  return corrected > now + kMaxAhead ? now : corrected;
}

}  // namespace weir
