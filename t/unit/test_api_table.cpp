#include <string>

#include "api/csv.h"
#include "api/table.h"
#include "t/unit/suite.h"

namespace {

using namespace weir::api;

constexpr const char* kAnswer =
    R"({"tenant": "acme", "total": {"users": 3, "deep": [1.10, -2, 3e5]},
        "weeks": [{"start": "2026-11-02", "new": 1}, {"start": "2026-11-09", "share": 0.500, "by": {"a": [1, 2]}}],
        "hours": [[1, 2], [3, 4]], "none": [], "usage": {"peak_hours": [[0, 5], [7, 0]]},
        "names": [{"name": "=1+1"}, {"name": "a,\"b\"\n\u00e9"}, {"name": null}]})";

std::string csv_of(const char* table) {
  std::string csv;
  const auto problem = table_csv(kAnswer, table, csv);
  return problem ? problem->reason + ": " + problem->detail : csv;
}

}  // namespace

START_TEST(a_list_of_objects_has_all_their_names_as_columns) {
  ck_assert_view_eq(csv_of("weeks"),
                    "start,new,share,by\r\n2026-11-02,1,,\r\n2026-11-09,,0.500,\"{\"\"a\"\": [1, "
                    "2]}\"\r\n");
}
END_TEST

START_TEST(other_lists_have_numbers_or_one_name) {
  ck_assert_view_eq(csv_of("hours"), "1,2\r\n1,2\r\n3,4\r\n");
  ck_assert_view_eq(csv_of("total.deep"), "value\r\n1.10\r\n-2\r\n3e5\r\n");
  ck_assert_view_eq(csv_of("none"), "");
}
END_TEST

START_TEST(peak_hours_say_the_weekday_and_count_hours_from_nought) {
  ck_assert_view_eq(csv_of("usage.peak_hours"), "weekday,0,1\r\n1,0,5\r\n2,7,0\r\n");
  std::string csv;
  ck_assert(!table_csv(R"({"peak_hours": [[3]], "x": []})", "peak_hours", csv));
  ck_assert_view_eq(csv, "weekday,0\r\n1,3\r\n");
}
END_TEST

// What a spreadsheet would add up is no number, and what it would read as one is.
START_TEST(numbers_are_told_from_formulas_that_look_like_them) {
  const auto cell = [](const std::string& text) {
    std::string line;
    append_line(line, {text});
    return line;
  };
  for (const char* number : {"-2", "-0.5", "+7", "-1.5e-7", "-1e+20"}) {
    ck_assert_view_eq(cell(number), std::string(number) + "\r\n");
  }
  for (const char* formula : {"-1+2", "+1-1", "-", "-.", "-e", "-1e", "-1.", "-.5", "--1", "-1.2.3",
                              "+1e5e5", "-1 ", "-A1"}) {
    ck_assert_view_eq(cell(formula), "\"'" + std::string(formula) + "\"\r\n");
  }
}
END_TEST

START_TEST(texts_are_quoted_and_no_formula) {
  ck_assert_view_eq(csv_of("names"), "name\r\n\"'=1+1\"\r\n\"a,\"\"b\"\"\n\xC3\xA9\"\r\n\r\n");
}
END_TEST

START_TEST(a_list_that_is_not_there_is_refused_with_those_that_are) {
  const std::string sentence =
      "bad_parameter: table has to be one of total.deep, weeks, hours, none, usage.peak_hours, "
      "names";
  for (const char* bad :
       {"days", "total", "tenant", "total.users", "total.deep.x", "weeks.start"}) {
    ck_assert_view_eq(csv_of(bad), sentence);
  }
}
END_TEST

START_TEST(a_whole_answer_is_one_line) {
  std::string csv;
  ck_assert(!table_csv(R"({"n": 3, "a": {"b": {"c": null}, "d": 0.5}, "text": "x"})", "", csv));
  ck_assert_view_eq(csv, "n,a.b.c,a.d,text\r\n3,,0.5,x\r\n");
  ck_assert(!table_csv(R"({"n": 3, "a": {"interval": [0.1, 0.5]}})", "", csv));
  ck_assert_view_eq(csv, "n,a.interval\r\n3,\"[0.1, 0.5]\"\r\n");
}
END_TEST

START_TEST(of_an_answer_without_lists_there_is_no_list) {
  std::string csv;
  const auto problem = table_csv(R"({"n": 3})", "n", csv);
  ck_assert(problem);
  ck_assert_view_eq(problem->detail, "This answer has no lists: leave table out");
}
END_TEST

static const weir_test::Register kRegistered(
    "api_table",
    {a_list_of_objects_has_all_their_names_as_columns, other_lists_have_numbers_or_one_name,
     peak_hours_say_the_weekday_and_count_hours_from_nought,
     numbers_are_told_from_formulas_that_look_like_them, texts_are_quoted_and_no_formula,
     a_list_that_is_not_there_is_refused_with_those_that_are, a_whole_answer_is_one_line,
     of_an_answer_without_lists_there_is_no_list});
