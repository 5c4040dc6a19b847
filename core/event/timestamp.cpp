#include "core/event/timestamp.h"

#include <array>

#include "core/json/number.h"

namespace weir {
namespace {

constexpr Timestamp kMicrosPerMinute = 60 * kMicrosPerSecond;

constexpr bool is_leap(int year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

constexpr int days_in_month(int year, int month) {
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap(year) ? 29 : kDays[static_cast<std::size_t>(month - 1)];
}

// Days from 1970-01-01 to the first of January of `year`, which is 0 or later. Of the years before
// it, those divisible by 4 are leap years, save those by 100, and again those by 400; year 0 is
// one.
constexpr Timestamp days_before_year(int year) {
  constexpr int kFromYear0To1970 = 719'528;
  return 365 * year + (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400 - kFromYear0To1970;
}

constexpr Timestamp days_before(int year, int month) {
  Timestamp days = days_before_year(year);
  for (int m = 1; m < month; ++m) days += days_in_month(year, m);
  return days;
}

static_assert(days_before(1970, 1) == 0 && days_before(2000, 3) == 11'017);

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Reads a timestamp from front to back; one wrong step and good() stays false.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool good() const { return good_; }
  bool finished() const { return good_ && rest_.empty(); }

  // Exactly `count` digits, whose value must lie between `low` and `high`.
  int number(std::size_t count, int low, int high) {
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (rest_.empty() || !is_digit(rest_.front())) return fail();
      value = value * 10 + (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    return value < low || value > high ? fail() : value;
  }

  // One of `wanted`, which is returned.
  char one_of(std::string_view wanted) {
    if (rest_.empty() || wanted.find(rest_.front()) == wanted.npos)
      return static_cast<char>(fail());
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  // Nothing, or a point and digits; in microseconds, the rest cut off.
  Timestamp fraction() {
    if (rest_.empty() || rest_.front() != '.') return 0;
    rest_.remove_prefix(1);
    if (rest_.empty() || !is_digit(rest_.front())) return fail();
    Timestamp value = 0;
    Timestamp unit = kMicrosPerSecond;
    for (; !rest_.empty() && is_digit(rest_.front()); rest_.remove_prefix(1)) {
      unit /= 10;
      value += unit * (rest_.front() - '0');
    }
    return value;
  }

  // "Z", or how far local time is ahead of UTC, in microseconds.
  Timestamp offset() {
    const char sign = one_of("Zz+-");
    if (!good_ || sign == 'Z' || sign == 'z') return 0;
    const Timestamp hours = number(2, 0, 23);
    one_of(":");
    const Timestamp ahead = hours * kMicrosPerHour + number(2, 0, 59) * kMicrosPerMinute;
    return sign == '-' ? -ahead : ahead;
  }

 private:
  int fail() {
    good_ = false;
    return 0;
  }

  std::string_view rest_;
  bool good_ = true;
};

// A leap second ends a month of UTC. `moment` is the second after it, and the month that it is in
// by its own local time is the one that ends (west of Greenwich or there) or the one that begins.
bool follows_leap_second(Timestamp moment, int year, int month) {
  const Timestamp begins = days_before(year, month);
  const Timestamp ends = begins + days_in_month(year, month);
  return moment == begins * kMicrosPerDay || moment == ends * kMicrosPerDay;
}

// Records and the flusher hold no other times; an offset can lead out of the year that is written.
std::optional<Timestamp> in_years_1_to_9999(Timestamp time) {
  if (time < start_of_year(1) || time >= start_of_year(10'000)) return std::nullopt;
  return time;
}

}  // namespace

std::optional<Timestamp> parse_rfc3339(std::string_view text) {
  Reader reader(text);
  const int year = reader.number(4, 0, 9999);
  reader.one_of("-");
  const int month = reader.number(2, 1, 12);
  reader.one_of("-");
  const int day = reader.number(2, 1, reader.good() ? days_in_month(year, month) : 31);
  reader.one_of("Tt ");
  const int hour = reader.number(2, 0, 23);
  reader.one_of(":");
  const int minute = reader.number(2, 0, 59);
  reader.one_of(":");
  const int second = reader.number(2, 0, 60);
  const Timestamp fraction = reader.fraction();
  const Timestamp offset = reader.offset();
  if (!reader.finished()) return std::nullopt;

  const Timestamp moment = (days_before(year, month) + day - 1) * kMicrosPerDay +
                           hour * kMicrosPerHour + minute * kMicrosPerMinute +
                           second * kMicrosPerSecond - offset;
  if (second == 60 && !follows_leap_second(moment, year, month)) return std::nullopt;
  return in_years_1_to_9999(second == 60 ? moment : moment + fraction);
}

std::optional<Timestamp> parse_milliseconds(std::string_view literal) {
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

Timestamp start_of_year(int year) { return days_before_year(year) * kMicrosPerDay; }

Timestamp correct_for_skew(Timestamp client_time, std::optional<Timestamp> sent_at, Timestamp now) {
  const Timestamp corrected = sent_at ? client_time - (*sent_at - now) : client_time;
  return corrected > now + kMaxAhead ? now : corrected;
}

}  // namespace weir
