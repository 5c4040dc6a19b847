#include <string>
#include <variant>

#include "api/arguments.h"
#include "api/etag.h"
#include "api/target.h"
#include "core/event/day.h"
#include "t/unit/suite.h"

namespace {

using namespace weir::api;
using weir::Day, weir::format_day, weir::parse_day;

// "path name=value name=value", or the fault.
std::string shown(std::string_view text) {
  std::string fault;
  const auto target = parse_target(text, fault);
  if (!target) return "fault";
  std::string line = target->path;
  for (const Pair& pair : target->query) line += ' ' + pair.name + '=' + pair.value;
  return line;
}

std::string parameter_of(const std::string& query) {
  std::string fault;
  const auto target = parse_target("/v1/daily?" + query, fault);
  const auto today = *parse_day("2026-11-21");
  auto read = read_arguments(*find_route("/v1/daily"), target->query, today);
  const auto* problem = std::get_if<Problem>(&read);
  return problem == nullptr ? "fine" : problem->reason + ' ' + problem->parameter;
}

}  // namespace

START_TEST(a_target_is_taken_apart) {
  ck_assert_view_eq(shown("/v1/daily"), "/v1/daily");
  ck_assert_view_eq(shown("/v1/daily?"), "/v1/daily");
  ck_assert_view_eq(shown("/a?b=c&d=e"), "/a b=c d=e");
  ck_assert_view_eq(shown("/a?&&b&=c&d=e=f"), "/a b= =c d=e=f");
  ck_assert_view_eq(shown("/a?b=%41+%2B%c3%A9"), "/a b=A +\xC3\xA9");
  ck_assert_view_eq(shown("/a%20b?c"), "/a%20b c=");
}
END_TEST

START_TEST(what_is_no_text_is_refused) {
  for (const char* query :
       {"%", "%4", "%4g", "a=%00", "a=%0A", "a=%7F", "a=%C2%85", "a=%C3", "%FF=1", "a=%ED%A0%80"}) {
    ck_assert_view_eq(shown(std::string("/a?") + query), "fault");
  }
  ck_assert_view_eq(shown(""), "fault");
  ck_assert_view_eq(shown("a"), "fault");
  ck_assert_view_eq(shown("?a=b"), "fault");
}
END_TEST

START_TEST(parameters_have_a_bound_in_number) {
  std::string query = "/a?";
  for (std::size_t i = 0; i < kMostPairs; ++i) query += "b=c&";
  ck_assert(shown(query) != "fault");
  ck_assert_view_eq(shown(query + "b=c"), "fault");
}
END_TEST

START_TEST(days_are_those_of_the_calendar) {
  for (const char* day : {"1970-01-01", "2000-02-29", "2024-02-29", "2026-12-31", "2999-12-31"}) {
    ck_assert_view_eq(format_day(*parse_day(day)), day);
  }
  for (const char* no_day :
       {"", "2026-02-29", "2100-02-29", "2026-13-01", "2026-00-01", "2026-01-00", "1969-12-31",
        "3000-01-01", "2026-1-01", "2026-01-1x", "+026-01-01"}) {
    ck_assert_msg(!parse_day(no_day), "%s", no_day);
  }
  for (Day day = 0; day < 376'000; ++day) ck_assert(parse_day(format_day(day)) == day);
  ck_assert_int_eq(*parse_day("1970-01-31"), 30);
}
END_TEST

START_TEST(a_window_has_a_bound_and_an_order) {
  ck_assert_view_eq(parameter_of("from=2026-11-21&to=2026-11-21"), "fine");
  ck_assert_view_eq(parameter_of("from=2026-11-22&to=2026-11-21"), "bad_parameter from");
  ck_assert_view_eq(parameter_of("from=2020-01-01&to=2023-01-04"), "fine");
  ck_assert_view_eq(parameter_of("from=2020-01-01&to=2023-01-05"), "bad_parameter from");
  ck_assert_view_eq(parameter_of("from=2020-01-01"), "bad_parameter from");
  ck_assert_view_eq(parameter_of("from=2030-01-01"), "fine");
}
END_TEST

START_TEST(a_parameter_is_known_and_given_once) {
  ck_assert_view_eq(parameter_of("tenant=a&format=csv"), "fine");
  ck_assert_view_eq(parameter_of("tenant=a&tenant=b"), "bad_parameter tenant");
  ck_assert_view_eq(parameter_of("format=xml"), "bad_parameter format");
  ck_assert_view_eq(parameter_of("Tenant=a"), "unknown_parameter Tenant");
  ck_assert_view_eq(parameter_of("%3Cb%3E=a"), "unknown_parameter ");
}
END_TEST

START_TEST(every_answer_is_bounded_before_it_is_sent) {
  for (const Route& route : routes()) {
    if (route.kind != Kind::figure) continue;
    const std::string_view sql = route.json;
    constexpr std::string_view kEnd = ")::text), weir_api.version($1, $2)";
    const bool is_bounded = sql.rfind("SELECT weir_api.bounded(weir_api.", 0) == 0 &&
                            sql.size() > kEnd.size() &&
                            sql.substr(sql.size() - kEnd.size()) == kEnd;
    ck_assert_msg(is_bounded, "%s", route.json);
  }
}
END_TEST

START_TEST(an_etag_matches_itself_in_a_list) {
  const std::string tag = etag_of("body");
  ck_assert(tag != etag_of("bodz"));
  ck_assert(matches(tag, tag) && matches("*", tag) && matches("\"x\" ,\tW/" + tag, tag));
  ck_assert(!matches("", tag) && !matches("\"x\"", tag) && !matches(tag.substr(1), tag));
}
END_TEST

static const weir_test::Register kRegistered(
    "api_parameters",
    {a_target_is_taken_apart, what_is_no_text_is_refused, parameters_have_a_bound_in_number,
     days_are_those_of_the_calendar, a_window_has_a_bound_and_an_order,
     a_parameter_is_known_and_given_once, every_answer_is_bounded_before_it_is_sent,
     an_etag_matches_itself_in_a_list});
