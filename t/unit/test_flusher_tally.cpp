#include "flusher/tally.h"

#include <deque>
#include <string>
#include <vector>

#include "flusher/copy_format.h"
#include "flusher/numbers_in.h"
#include "t/unit/suite.h"

using namespace weir;
using namespace weir::flusher;

namespace {

constexpr Timestamp kMidnight = 9'000 * kMicrosPerDay;  // COPY's days begin like Unix'

struct Event {
  std::string_view tenant, user, name;
  Timestamp time;
  std::string_view json;
};

// Adds `events` as rows of records.
void add(Tally& tally, const std::vector<Event>& events) {
  for (const Event& event : events) {
    RecordWriter writer;
    writer.begin(RecordKind::events, event.tenant, event.time);
    writer.begin_row();
    writer.uuid(Uuid{1, 2, 3});
    writer.text(event.tenant);
    event.user.empty() ? writer.null() : writer.text(event.user);
    writer.null();
    writer.text(event.name);
    for (int i = 0; i < 3; ++i) writer.null();
    event.json.empty() ? writer.null() : writer.json(event.json);
    for (int i = 0; i < 3; ++i) writer.time(event.time);
    writer.end_row();
    std::string error;
    const auto record = read_record(writer.finish(), error);
    ck_assert_msg(record.has_value(), "%s", error.c_str());
    RowCursor rows(*record);
    while (const auto row = rows.next()) tally.add({&*row, 1});
  }
}

// Rows of COPY's format, each as its values with a bar between; 8 bytes are a number, and times
// count from kMidnight.
std::vector<std::string> shown(std::string_view rows, std::size_t times_from) {
  std::vector<std::string> lines;
  const auto number = [&](std::size_t size) {
    std::int64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value = value << 8 | static_cast<unsigned char>(rows[i]);
    rows.remove_prefix(size);
    return value;
  };
  while (!rows.empty()) {
    std::string line;
    const auto columns = static_cast<std::size_t>(number(2));
    for (std::size_t i = 0; i < columns; ++i) {
      const auto size = static_cast<std::size_t>(number(4));
      const bool is_number = i >= 2 && size == 8;
      line += i > 0 ? "|" : "";
      if (is_number)
        line += std::to_string(number(8) - (i < times_from ? 0 : kMidnight - 946'684'800'000'000));
      if (!is_number) line += rows.substr(0, size), rows.remove_prefix(size);
    }
    lines.push_back(line);
  }
  return lines;
}

void is_shown(const std::vector<std::string>& lines, const std::vector<std::string>& expected) {
  std::string all, wanted;
  for (const std::string& line : lines) all += line + "\n";
  for (const std::string& line : expected) wanted += line + "\n";
  ck_assert_view_eq(all, wanted);
}

std::vector<std::string> user_days(const Tally& tally) {
  std::string rows;
  tally.write_user_days(rows);
  return shown(rows, 3);
}

std::vector<std::string> sums(const Tally& tally) {
  std::string rows;
  tally.write_sums(rows);
  return shown(rows, 5);
}

std::string sum_of(const std::vector<std::string_view>& literals) {
  DecimalSum sum;
  for (const std::string_view literal : literals) ck_assert(sum.add(literal));
  return sum.text();
}

}  // namespace

START_TEST(users_are_counted_by_tenant_and_utc_day_in_the_order_of_the_tables_key) {
  Tally tally;
  add(tally, {{"b", "u", "e", kMidnight + 5, ""},
              {"a", "v", "e", kMidnight + 9, ""},
              {"a", "u", "e", kMidnight - 1, ""},
              {"a", "v", "f", kMidnight - 2, ""},
              {"a", "v", "f", kMidnight + 7, ""},
              {"a", "u", "e", kMidnight, ""},
              {"a", "", "e", kMidnight, ""}});
  is_shown(user_days(tally), {"a|u|1|-1|-1", "a|v|1|-2|-2", "a|u|1|0|0", "a|v|2|7|9", "b|u|1|5|5"});
}
END_TEST

START_TEST(many_names_are_told_apart) {
  Tally tally;
  std::deque<std::string> names;
  std::vector<Event> seen;
  for (int i = 0; i < 3000; ++i) {
    const std::string& name = names.emplace_back("user-" + std::to_string(i % 1000));
    seen.push_back({"a", name, "e", kMidnight + i % 2 * kMicrosPerDay, ""});
  }
  add(tally, seen);
  const auto lines = user_days(tally);
  ck_assert_uint_eq(lines.size(), 1000);
  for (const std::string& line : lines) ck_assert(line.find("|3|") != std::string::npos);
}
END_TEST

START_TEST(kinds_are_counted_with_and_without_a_user) {
  Tally tally;
  add(tally, {{"a", "u", "e", kMidnight + 4, ""}, {"a", "", "e", kMidnight + 3, ""}});
  std::string rows;
  tally.write_kinds(rows);
  is_shown(shown(rows, 3), {"a|e|2|3"});
}
END_TEST

START_TEST(numbers_are_added_up_where_a_measure_wants_them) {
  Tally tally;
  tally.measure({{"*", "e", "n"}, {"a", "e", "n"}, {"b", "*", "m"}});
  add(tally, {{"a", "u", "e", kMidnight + 1, R"({"n": 1.25, "m": 7})"},
              {"a", "u", "e", kMidnight + 2, R"({"n": "3"})"},
              {"a", "u", "e", kMidnight + 3, R"({"n": 2})"},
              {"a", "u", "e", kMidnight + 4, ""},
              {"a", "u", "f", kMidnight + 5, R"({"n": 4})"}});
  is_shown(sums(tally), {"a|e|n|2|3.25|1"});
}
END_TEST

START_TEST(a_number_that_is_too_long_to_add_goes_alone) {
  Tally tally;
  tally.measure({{"*", "*", "n"}});
  add(tally, {{"a", "u", "e", kMidnight + 1, R"({"n": 1e308})"},
              {"a", "u", "e", kMidnight + 2, R"({"n": 1})"}});
  is_shown(sums(tally), {"a|e|n|1|1|1", "a|e|n|1|1e308|1"});
}
END_TEST

START_TEST(a_tally_that_was_cleared_is_empty) {
  Tally tally;
  tally.measure({{"*", "*", "n"}});
  add(tally, {{"a", "u", "e", kMidnight, R"({"n": 1e308})"}});
  ck_assert_uint_gt(tally.bytes(), 0);
  tally.clear();
  ck_assert_uint_eq(tally.bytes(), 0);
  ck_assert(user_days(tally).empty());
  ck_assert(sums(tally).empty());
  add(tally, {{"a", "u", "e", kMidnight + 1, R"({"n": 2})"}});
  is_shown(sums(tally), {"a|e|n|1|2|1"});
}
END_TEST

START_TEST(bytes_grow_with_users_and_not_with_events) {
  Tally tally;
  add(tally, {{"a", "u", "e", kMidnight, ""}});
  const std::size_t one = tally.bytes();
  for (int i = 0; i < 100; ++i) add(tally, {{"a", "u", "e", kMidnight, ""}});
  ck_assert_uint_eq(tally.bytes(), one);
  add(tally, {{"a", "v", "e", kMidnight, ""}});
  ck_assert_uint_gt(tally.bytes(), one);
}
END_TEST

START_TEST(sums_are_exact) {
  ck_assert_view_eq(sum_of({}), "0");
  ck_assert_view_eq(sum_of({"0.1", "0.2"}), "0.3");
  ck_assert_view_eq(sum_of({"0.500", "-0.012"}), "0.488");
  ck_assert_view_eq(sum_of({"-7", "6.75"}), "-0.25");
  ck_assert_view_eq(sum_of({"-0"}), "0");
  ck_assert_view_eq(sum_of({"999999999999999999.999999999", "0.000000001"}),
                    "1000000000000000000.000000000");
  for (const char* literal : {"1e2", "1234567890123456789", "0.1234567890", "x", ""}) {
    DecimalSum sum;
    ck_assert_msg(!sum.add(literal), "%s", literal);
    ck_assert_uint_eq(sum.numbers(), 0);
  }
}
END_TEST

START_TEST(of_an_object_the_last_number_of_a_name_is_found) {
  const auto found = [](std::string_view json) {
    std::vector<std::string_view> literals;
    WantedNumbers({"a", "b"}).find(json, literals);
    return std::string(literals[0]) + "," + std::string(literals[1]);
  };
  ck_assert_view_eq(found(R"({"a": 1.50, "c": 3, "b": -2e1})"), "1.50,-2e1");
  ck_assert_view_eq(found(R"({"a": 1, "a": 2})"), "2,");
  ck_assert_view_eq(found(R"({"a": 1, "a": null})"), ",");
  ck_assert_view_eq(found(R"({"a": 1, "a": {"a": 5}, "b": [6]})"), ",");
  ck_assert_view_eq(found(R"({"c": {"a": 1}, "b": 2})"), ",2");
  ck_assert_view_eq(found(R"({"\u0061": 4})"), "4,");
  ck_assert_view_eq(found(R"({"a": "1", "b": true})"), ",");
  ck_assert_view_eq(found(R"([1, {"a": 1}])"), ",");
  ck_assert_view_eq(found(R"({"a": 1, "events": [{"a": 2}], "batch": [3], "b": 4})"), "1,4");
  ck_assert_view_eq(found("7"), ",");
  ck_assert_view_eq(found(R"({"a": 1)"), ",");
  ck_assert_view_eq(found(""), ",");
}
END_TEST

START_TEST(as_many_names_are_found_as_are_wanted) {
  std::vector<std::string> names;
  std::string json = "{";
  for (int i = 0; i < 100; ++i) {
    names.push_back("number_" + std::to_string(i));
    json += (i == 0 ? "\"" : ",\"") + names.back() + "\":" + std::to_string(i);
  }
  std::vector<std::string_view> literals;
  json += "}";
  WantedNumbers({names.begin(), names.end()}).find(json, literals);
  for (int i = 0; i < 100; ++i) ck_assert_view_eq(literals[i], std::to_string(i));
}
END_TEST

const weir_test::Register kRegistered(
    "flusher_tally",
    {as_many_names_are_found_as_are_wanted,
     users_are_counted_by_tenant_and_utc_day_in_the_order_of_the_tables_key,
     kinds_are_counted_with_and_without_a_user, many_names_are_told_apart,
     numbers_are_added_up_where_a_measure_wants_them, a_number_that_is_too_long_to_add_goes_alone,
     a_tally_that_was_cleared_is_empty, bytes_grow_with_users_and_not_with_events, sums_are_exact,
     of_an_object_the_last_number_of_a_name_is_found});
