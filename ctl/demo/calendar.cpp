#include "ctl/demo/calendar.h"

#include <ctime>

namespace weir::demo {
namespace {

constexpr std::int64_t kSecondsPerDay = 86'400;

std::tm parts_of(Day day) {
  const std::time_t seconds = day * kSecondsPerDay;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  return parts;
}

struct Holiday {
  const char* country;  // nullptr: everywhere
  int month, day;
};

constexpr Holiday kHolidays[] = {
    {nullptr, 1, 1}, {nullptr, 12, 24}, {nullptr, 12, 25}, {nullptr, 12, 26}, {nullptr, 12, 31},
    {"US", 7, 4},    {"US", 6, 19},     {"BR", 4, 21},     {"BR", 9, 7},      {"BR", 10, 12},
    {"BR", 11, 2},   {"BR", 11, 15},    {"BR", 11, 20},    {"MX", 9, 16},     {"MX", 11, 2},
    {"DE", 10, 3},   {"DE", 5, 1},      {"ES", 8, 15},     {"ES", 10, 12},    {"ES", 12, 8},
    {"FR", 7, 14},   {"FR", 8, 15},     {"FR", 11, 11},    {"PT", 6, 10},     {"PT", 10, 5},
    {"IN", 8, 15},   {"IN", 10, 2},     {"IN", 1, 26},     {"JP", 11, 3},     {"JP", 11, 23},
    {"AR", 5, 25},   {"AR", 7, 9},      {"CA", 7, 1},      {"AU", 1, 26},     {"AU", 4, 25},
};

bool is_thanksgiving(const std::tm& parts) {
  return parts.tm_mon == 10 && parts.tm_wday == 4 && parts.tm_mday > 21 && parts.tm_mday < 29;
}

bool is_holiday(std::string_view country, Day day) {
  const std::tm parts = parts_of(day);
  if (country == "US" && is_thanksgiving(parts)) return true;
  for (const Holiday& holiday : kHolidays) {
    const bool is_here = holiday.country == nullptr || country == holiday.country;
    if (is_here && holiday.month == parts.tm_mon + 1 && holiday.day == parts.tm_mday) return true;
  }
  return false;
}

// Less is done in the weeks of summer on the northern half, and around the turn of the year.
double season_of(std::string_view country, Day day) {
  const std::tm parts = parts_of(day);
  const bool is_south = country == "BR" || country == "AR" || country == "AU";
  if (parts.tm_mon == 11 && parts.tm_mday > 20) return 0.75;
  if (parts.tm_mon == (is_south ? 0 : 7)) return 0.85;
  return 1;
}

}  // namespace

const Rhythm kOffice = {
    {1.05, 1.1, 1.08, 1.02, 0.85, 0.16, 0.12},
    0.15,
    {1, 1, 1, 1, 1, 2, 6, 18, 45, 62, 66, 58, 38, 48, 62, 60, 52, 36, 18, 10, 7, 5, 3, 2}};
const Rhythm kAtHome = {
    {1.06, 1.08, 1.06, 1.02, 0.92, 0.58, 0.62},
    0.6,
    {4, 2, 1, 1, 1, 2, 6, 14, 26, 36, 40, 38, 32, 34, 38, 38, 36, 34, 32, 34, 36, 32, 20, 10}};
const Rhythm kShop = {
    {0.9, 0.95, 1.0, 1.05, 1.15, 0.8, 0.15}, 0.25, {0,  0,  0,  0,  0,  1,  3,  10, 34, 52, 60, 54,
                                                    30, 36, 50, 58, 60, 56, 44, 22, 8,  3,  1,  0}};

int weekday_of(Day day) { return (day % 7 + 10) % 7; }

double activity_of(const Rhythm& rhythm, const Country& country, Day day) {
  const double usual = rhythm.weekdays[weekday_of(day)] * season_of(country.code, day);
  return is_holiday(country.code, day) ? usual * rhythm.holidays : usual;
}

double hour_by(const Rhythm& rhythm, Random& chance) {
  double total = 0;
  for (const double weight : rhythm.hours) total += weight;
  double left = chance.share() * total;
  int hour = 0;
  while (hour < 23 && left >= rhythm.hours[hour]) left -= rhythm.hours[hour++];
  return hour + chance.share();
}

std::int64_t at_clock(Day day, double hour, const Country& country) {
  return day * kMillisecondsPerDay + static_cast<std::int64_t>((hour - country.clock) * 3'600'000);
}

}  // namespace weir::demo
