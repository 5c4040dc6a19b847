#include "core/event/country.h"

#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "t/unit/suite.h"

namespace {

using weir::country_from_iso;
using weir::country_from_time_zone;

std::string shown(std::optional<weir::Country> country) {
  return country ? std::string(country->view()) : "none";
}

std::string of_zone(std::string_view zone) { return shown(country_from_time_zone(zone)); }

}  // namespace

START_TEST(takes_codes_of_either_case) {
  ck_assert_view_eq(shown(country_from_iso("ES")), "ES");
  ck_assert_view_eq(shown(country_from_iso("es")), "ES");
  ck_assert_view_eq(shown(country_from_iso("eS")), "ES");
}
END_TEST

START_TEST(takes_the_249_codes_of_iso_and_xk) {
  int taken = 0;
  for (char first = 'A'; first <= 'Z'; ++first) {
    for (char second = 'A'; second <= 'Z'; ++second) {
      const char code[] = {first, second};
      if (country_from_iso({code, 2})) ++taken;
    }
  }
  ck_assert_int_eq(taken, 250);
  for (const auto* code : {"AD", "BQ", "CW", "GB", "SS", "SX", "TW", "US", "XK", "ZW"}) {
    ck_assert_msg(country_from_iso(code).has_value(), "%s", code);
  }
}
END_TEST

START_TEST(refuses_what_iso_does_not_assign) {
  using namespace std::string_view_literals;
  for (const std::string_view code :
       {""sv,   "E"sv,  "ESP"sv, "UK"sv, "EU"sv,   "AN"sv,  "SU"sv,       "AA"sv, "ZZ"sv, "XX"sv,
        "E1"sv, "1E"sv, "??"sv,  "E "sv, "\0\0"sv, "E\0"sv, "\xC3\xA9"sv, "@A"sv, "A["sv, "a`"sv}) {
    ck_assert_msg(!country_from_iso(code), "%.*s", static_cast<int>(code.size()), code.data());
  }
}
END_TEST

START_TEST(knows_where_a_time_zone_is) {
  const std::map<std::string_view, std::string_view> expected = {
      {"Europe/Madrid", "ES"},     {"Atlantic/Canary", "ES"},
      {"America/Sao_Paulo", "BR"}, {"America/Argentina/Buenos_Aires", "AR"},
      {"America/New_York", "US"},  {"America/Indiana/Knox", "US"},
      {"America/Toronto", "CA"},   {"Asia/Kolkata", "IN"},
      {"Asia/Tokyo", "JP"},        {"Australia/Lord_Howe", "AU"},
      {"Pacific/Auckland", "NZ"},  {"Antarctica/Troll", "AQ"},
      {"Africa/Abidjan", "CI"},    {"Pacific/Wallis", "WF"},
  };
  for (const auto& [zone, country] : expected) ck_assert_view_eq(of_zone(zone), country);
}
END_TEST

START_TEST(knows_older_names_of_time_zones) {
  const std::map<std::string_view, std::string_view> expected = {
      {"Asia/Calcutta", "IN"},
      {"Europe/Kiev", "UA"},
      {"Asia/Saigon", "VN"},
      {"US/Pacific", "US"},
      {"Brazil/East", "BR"},
      {"Japan", "JP"},
      {"GB-Eire", "GB"},
      {"America/Godthab", "GL"},
      {"America/Buenos_Aires", "AR"},
      {"NZ", "NZ"},
      {"PRC", "CN"},
      {"W-SU", "RU"},
  };
  for (const auto& [zone, country] : expected) ck_assert_view_eq(of_zone(zone), country);
}
END_TEST

// The database makes one zone of those whose clocks have agreed since 1970.
START_TEST(does_not_follow_links_across_borders) {
  const std::map<std::string_view, std::string_view> expected = {
      {"Iceland", "IS"},           {"Atlantic/Reykjavik", "IS"},   {"Europe/Amsterdam", "NL"},
      {"Europe/Bratislava", "SK"}, {"Europe/Oslo", "NO"},          {"Arctic/Longyearbyen", "SJ"},
      {"Africa/Asmera", "ER"},     {"Africa/Timbuktu", "ML"},      {"America/Virgin", "VI"},
      {"Pacific/Yap", "FM"},       {"Europe/Vatican", "VA"},       {"America/Coral_Harbour", "CA"},
      {"Africa/Accra", "GH"},      {"Antarctica/South_Pole", "AQ"}};
  for (const auto& [zone, country] : expected) ck_assert_view_eq(of_zone(zone), country);
}
END_TEST

START_TEST(zones_without_a_country_have_none) {
  using namespace std::string_view_literals;
  for (const std::string_view zone :
       {"UTC"sv, "GMT"sv, "Etc/UTC"sv, "Etc/GMT+3"sv, "Etc/GMT-14"sv, "CET"sv, "EST"sv, "EST5EDT"sv,
        "WET"sv, "MST7MDT"sv, "Zulu"sv, "Universal"sv, "Factory"sv, "posixrules"sv}) {
    ck_assert_view_eq(of_zone(zone), "none");
  }
}
END_TEST

START_TEST(unknown_names_have_no_country) {
  using namespace std::string_view_literals;
  for (const std::string_view zone :
       {""sv, "Europe"sv, "Europe/"sv, "Europe/Madrid "sv, "Europe/Madrid\0"sv, "europe/madrid"sv,
        "Europe/Atlantis"sv, "A"sv, "ZZZZ"sv, "\xFF\xFF"sv, "Africa/Abidja"sv, "+01:00"sv}) {
    ck_assert_view_eq(of_zone(zone), "none");
  }
}
END_TEST

START_TEST(every_zone_lies_in_a_country_of_iso) {
  struct Row {
    std::string_view name;
    weir::Country country;
  };
  static constexpr Row kRows[] = {
#include "core/event/time_zones.inc"
  };
  ck_assert_uint_gt(std::size(kRows), 500);
  for (const Row& row : kRows) {
    ck_assert(country_from_iso(row.country.view()).has_value());
    ck_assert_view_eq(of_zone(row.name), row.country.view());
  }
}
END_TEST

static const weir_test::Register kRegistered(
    "country",
    {takes_codes_of_either_case, takes_the_249_codes_of_iso_and_xk,
     refuses_what_iso_does_not_assign, knows_where_a_time_zone_is, knows_older_names_of_time_zones,
     does_not_follow_links_across_borders, zones_without_a_country_have_none,
     unknown_names_have_no_country, every_zone_lies_in_a_country_of_iso});
