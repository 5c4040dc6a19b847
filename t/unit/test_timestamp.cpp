#include "core/event/timestamp.h"

#include <string>
#include <string_view>

#include "t/unit/suite.h"

namespace {

using weir::correct_for_skew;
using weir::kMaxAhead;
using weir::parse_milliseconds;
using weir::parse_rfc3339;
using weir::start_of_year;
using weir::Timestamp;

Timestamp at(std::string_view text) {
  const auto parsed = parse_rfc3339(text);
  ck_assert_msg(parsed.has_value(), "'%.*s' was refused", static_cast<int>(text.size()),
                text.data());
  return *parsed;
}

void refused(std::string_view text) {
  ck_assert_msg(!parse_rfc3339(text).has_value(), "'%.*s' was taken", static_cast<int>(text.size()),
                text.data());
}

// Microseconds, or -1 where the literal was refused (no test below expects -1).
Timestamp from_milliseconds(std::string_view literal) {
  return parse_milliseconds(literal).value_or(-1);
}

}  // namespace

START_TEST(reads_the_examples_of_rfc_3339) {
  ck_assert_int_eq(at("1985-04-12T23:20:50.52Z"), 482196050'520000);
  ck_assert_int_eq(at("1996-12-19T16:39:57-08:00"), at("1996-12-20T00:39:57Z"));
  ck_assert_int_eq(at("1990-12-31T23:59:60Z"), at("1991-01-01T00:00:00Z"));
  ck_assert_int_eq(at("1990-12-31T15:59:60-08:00"), at("1991-01-01T00:00:00Z"));
  ck_assert_int_eq(at("1937-01-01T12:00:27.87+00:20"), at("1937-01-01T11:40:27.87Z"));
}
END_TEST

START_TEST(counts_from_1970) {
  ck_assert_int_eq(at("1970-01-01T00:00:00Z"), 0);
  ck_assert_int_eq(at("1969-12-31T23:59:59.999999Z"), -1);
  ck_assert_int_eq(at("2026-11-21T08:30:00Z"), 1795249800'000000);
  ck_assert_int_eq(at("2038-01-19T03:14:08Z"), 2147483648'000000);
}
END_TEST

START_TEST(takes_offsets_on_both_sides) {
  const Timestamp noon = at("2026-11-21T12:00:00Z");
  ck_assert_int_eq(at("2026-11-21T13:00:00+01:00"), noon);
  ck_assert_int_eq(at("2026-11-21T17:45:00+05:45"), noon);
  ck_assert_int_eq(at("2026-11-22T02:00:00+14:00"), noon);
  ck_assert_int_eq(at("2026-11-21T00:00:00-12:00"), noon);
  ck_assert_int_eq(at("2026-11-22T11:59:00+23:59"), noon);
  ck_assert_int_eq(at("2026-11-20T12:01:00-23:59"), noon);
  ck_assert_int_eq(at("2026-11-21T12:00:00+00:00"), noon);
  ck_assert_int_eq(at("2026-11-21T12:00:00-00:00"), noon);
}
END_TEST

START_TEST(refuses_broken_offsets) {
  for (const auto* offset : {"", "+", "+1", "+01", "+0100", "+01:0", "+01:000", "+24:00", "+01:60",
                             "+1:00", "01:00", "ZZ", "Z+01:00", "+01:00Z", " Z", "z ", "UTC",
                             "\xE2\x88\x92"
                             "01:00"}) {
    refused(std::string("2026-11-21T12:00:00") + offset);
  }
}
END_TEST

START_TEST(takes_either_case_and_a_space) {
  const Timestamp noon = at("2026-11-21T12:00:00Z");
  ck_assert_int_eq(at("2026-11-21t12:00:00z"), noon);
  ck_assert_int_eq(at("2026-11-21 12:00:00Z"), noon);
  refused("2026-11-21_12:00:00Z");
  refused("2026-11-21  12:00:00Z");
}
END_TEST

START_TEST(cuts_fractions_off_after_six_digits) {
  const Timestamp noon = at("2026-11-21T12:00:00Z");
  ck_assert_int_eq(at("2026-11-21T12:00:00.5Z"), noon + 500000);
  ck_assert_int_eq(at("2026-11-21T12:00:00.000001Z"), noon + 1);
  ck_assert_int_eq(at("2026-11-21T12:00:00.0000019Z"), noon + 1);
  ck_assert_int_eq(at("2026-11-21T12:00:00.999999999+00:00"), noon + 999999);
  ck_assert_int_eq(at("2026-11-21T12:00:00." + std::string(5000, '9') + "Z"), noon + 999999);
  ck_assert_int_eq(at("1969-12-31T23:59:59.9999995Z"), -1);
  refused("2026-11-21T12:00:00.Z");
  refused("2026-11-21T12:00:00.");
  refused("2026-11-21T12:00:00,5Z");
  refused("2026-11-21T12:00:00.5.5Z");
}
END_TEST

START_TEST(knows_the_days_of_months_and_leap_years) {
  ck_assert_int_eq(at("2024-02-29T00:00:00Z") + weir::kMicrosPerDay, at("2024-03-01T00:00:00Z"));
  ck_assert_int_eq(at("2000-02-29T00:00:00Z") + weir::kMicrosPerDay, at("2000-03-01T00:00:00Z"));
  ck_assert_int_eq(at("2023-02-28T00:00:00Z") + weir::kMicrosPerDay, at("2023-03-01T00:00:00Z"));
  for (const auto* day :
       {"2023-02-29", "1900-02-29", "2100-02-29", "2024-02-30", "2026-04-31", "2026-06-31",
        "2026-09-31", "2026-11-31", "2026-01-32", "2026-01-00", "2026-00-01", "2026-13-01"}) {
    refused(std::string(day) + "T00:00:00Z");
  }
}
END_TEST

START_TEST(refuses_times_outside_the_day) {
  for (const auto* time : {"24:00:00", "25:00:00", "12:60:00", "12:00:61", "12:00:99", "1:00:00"}) {
    refused(std::string("2026-11-21T") + time + "Z");
  }
}
END_TEST

START_TEST(takes_a_leap_second_only_where_a_month_of_utc_ends) {
  ck_assert_int_eq(at("2016-12-31T23:59:60Z"), at("2017-01-01T00:00:00Z"));
  ck_assert_int_eq(at("2015-06-30T23:59:60.999Z"), at("2015-07-01T00:00:00Z"));
  ck_assert_int_eq(at("2017-01-01T08:59:60+09:00"), at("2017-01-01T00:00:00Z"));
  ck_assert_int_eq(at("2016-12-31T18:59:60-05:00"), at("2017-01-01T00:00:00Z"));
  refused("2026-11-21T12:00:60Z");
  refused("2016-12-30T23:59:60Z");
  refused("2016-12-31T23:59:60+01:00");
  refused("2016-12-31T23:58:60Z");
}
END_TEST

START_TEST(reaches_from_year_0_to_year_9999) {
  refused("0000-06-01T00:00:00Z");
  refused("0001-01-01T00:00:00+01:00");
  refused("9999-12-31T23:59:59-01:00");
  ck_assert_int_eq(at("0001-01-01T00:00:00Z"), -62135596800'000000);
  ck_assert_int_eq(at("9999-12-31T23:59:59.999999Z"), 253402300799'999999);
  refused("10000-01-01T00:00:00Z");
  refused("-001-01-01T00:00:00Z");
  refused("+2026-01-01T00:00:00Z");
}
END_TEST

START_TEST(refuses_what_is_no_timestamp) {
  using namespace std::string_view_literals;
  for (const std::string_view text : {""sv,
                                      "T"sv,
                                      "now"sv,
                                      "2026"sv,
                                      "2026-11-21"sv,
                                      "2026-11-21T12:00"sv,
                                      "2026-11-21T12:00Z"sv,
                                      "20261121T120000Z"sv,
                                      "2026-325T12:00:00Z"sv,
                                      "2026-W47-6T12:00:00Z"sv,
                                      "2026-11-21T12:00:00"sv,
                                      "2026-1-2T12:00:00Z"sv,
                                      "26-11-21T12:00:00Z"sv,
                                      " 2026-11-21T12:00:00Z"sv,
                                      "2026-11-21T12:00:00Z "sv,
                                      "2026-11-21T12:00:00Z\n"sv,
                                      "2026/11/21T12:00:00Z"sv,
                                      "Sat, 21 Nov 2026 12:00:00 GMT"sv,
                                      "1795262400000"sv,
                                      "2026-11-21T12:00:00Z\0"sv,
                                      "2026-11-21T12:\0:00Z"sv,
                                      "２026-11-21T12:00:00Z"sv,
                                      "2026-11-21T12:00:0xZ"sv,
                                      "2026-11-21T12:00: 0Z"sv,
                                      "2026-11-21T12:00:-1Z"sv}) {
    refused(text);
  }
}
END_TEST

START_TEST(reads_milliseconds_to_the_microsecond) {
  ck_assert_int_eq(from_milliseconds("0"), 0);
  ck_assert_int_eq(from_milliseconds("-0"), 0);
  ck_assert_int_eq(from_milliseconds("1795262400123"), 1795262400123000);
  ck_assert_int_eq(from_milliseconds("1795262400123.4"), 1795262400123400);
  ck_assert_int_eq(from_milliseconds("1795262400123.456789"), 1795262400123456);
  ck_assert_int_eq(from_milliseconds("0.001"), 1);
  ck_assert_int_eq(from_milliseconds("0.0009"), 0);
  ck_assert_int_eq(from_milliseconds("9007199254740993.001"), -1);
  ck_assert_int_eq(from_milliseconds("90071992547409.931"), 90071992547409931);
}
END_TEST

START_TEST(reads_milliseconds_with_an_exponent) {
  ck_assert_int_eq(from_milliseconds("1.795262400123e12"), 1795262400123000);
  ck_assert_int_eq(from_milliseconds("1.795262400123456789E+12"), 1795262400123456);
  ck_assert_int_eq(from_milliseconds("1795262400123456e-3"), 1795262400123456);
  ck_assert_int_eq(from_milliseconds("17952624001234569e-4"), 1795262400123456);
  ck_assert_int_eq(from_milliseconds("1" + std::string(400, '0') + "e-400"), 1000);
  ck_assert_int_eq(from_milliseconds("0." + std::string(400, '0') + "1e401"), 1000);
  ck_assert_int_eq(from_milliseconds("0e999999999999999999999"), 0);
  ck_assert_int_eq(from_milliseconds("1e-999999999999999999999"), 0);
}
END_TEST

START_TEST(reads_milliseconds_before_1970_towards_the_past) {
  ck_assert_int_eq(from_milliseconds("-1"), -1000);
  ck_assert_int_eq(from_milliseconds("-1.5"), -1500);
  ck_assert_int_eq(from_milliseconds("-1.0005"), -1001);
  ck_assert_int_eq(from_milliseconds("-1.0010"), -1001);
  ck_assert_int_eq(parse_milliseconds("-0.0005").value(), at("1969-12-31T23:59:59.9999995Z"));
  ck_assert_int_eq(parse_milliseconds("-1e-999999999999999999999").value(), -1);
}
END_TEST

START_TEST(milliseconds_end_with_the_years_1_and_9999) {
  ck_assert_int_eq(from_milliseconds("253402300799999.999"), 253402300799'999999);
  ck_assert_int_eq(from_milliseconds("253402300799999.9999"), 253402300799'999999);
  ck_assert_int_eq(from_milliseconds("-62135596800000"), -62135596800'000000);
  for (const auto* literal :
       {"253402300800000", "-62135596800000.001", "-62135596800000.0000001", "1e15", "-1e15",
        "1e308", "-1e308", "1e999999999999999999999", "9223372036854775807", "-9223372036854775808",
        "99999999999999999999999999"}) {
    ck_assert_msg(!parse_milliseconds(literal), "%s", literal);
  }
}
END_TEST

START_TEST(milliseconds_are_a_json_number) {
  for (const auto* literal : {"", "-", "+1", "01", "1.", ".5", "1e", "1e+", "0x10", "1 ", " 1",
                              "1_000", "NaN", "Infinity", "1e1.5", "--1", "1-"}) {
    ck_assert_msg(!parse_milliseconds(literal), "%s", literal);
  }
}
END_TEST

START_TEST(years_start_where_the_calendar_says) {
  ck_assert_int_eq(start_of_year(1970), 0);
  for (const int year : {1, 1900, 1999, 2000, 2001, 2024, 2025, 2100, 9999}) {
    char text[32];
    snprintf(text, sizeof text, "%04d-01-01T00:00:00Z", year);
    ck_assert_int_eq(start_of_year(year), at(text));
  }
  ck_assert_int_eq(start_of_year(10000), at("9999-12-31T23:59:59Z") + 1000000);
}
END_TEST

START_TEST(skew_is_counted_back_from_receipt) {
  const Timestamp now = at("2026-11-21T12:00:00Z");
  const Timestamp event = at("2026-11-21T11:00:00Z");
  ck_assert_int_eq(correct_for_skew(event, at("2026-11-21T12:00:10Z"), now),
                   at("2026-11-21T10:59:50Z"));
  ck_assert_int_eq(correct_for_skew(event, at("2026-11-21T11:59:50Z"), now),
                   at("2026-11-21T11:00:10Z"));
  ck_assert_int_eq(correct_for_skew(event, now, now), event);
}
END_TEST

START_TEST(without_sent_at_the_clients_clock_is_believed) {
  const Timestamp now = at("2026-11-21T12:00:00Z");
  ck_assert_int_eq(correct_for_skew(now - 5, std::nullopt, now), now - 5);
  ck_assert_int_eq(correct_for_skew(now + 5, std::nullopt, now), now + 5);
}
END_TEST

START_TEST(a_clock_that_is_years_off_is_put_right) {
  const Timestamp now = at("2026-11-21T12:00:00Z");
  ck_assert_int_eq(correct_for_skew(at("1970-01-01T00:10:00Z"), at("1970-01-01T00:15:00Z"), now),
                   at("2026-11-21T11:55:00Z"));
  ck_assert_int_eq(correct_for_skew(at("9999-12-31T00:00:00Z"), at("9999-12-31T01:00:00Z"), now),
                   at("2026-11-21T11:00:00Z"));
}
END_TEST

START_TEST(more_than_23_hours_ahead_is_now) {
  const Timestamp now = at("2026-11-21T12:00:00Z");
  ck_assert_int_eq(kMaxAhead, at("2026-11-22T11:00:00Z") - now);
  ck_assert_int_eq(correct_for_skew(now + kMaxAhead, std::nullopt, now), now + kMaxAhead);
  ck_assert_int_eq(correct_for_skew(now + kMaxAhead + 1, std::nullopt, now), now);
  ck_assert_int_eq(correct_for_skew(now, now - kMaxAhead - 1, now), now);
  ck_assert_int_eq(correct_for_skew(at("9999-12-31T23:59:59Z"), at("0001-01-01T00:00:00Z"), now),
                   now);
}
END_TEST

static const weir_test::Register kRegistered("timestamp",
                                             {reads_the_examples_of_rfc_3339,
                                              counts_from_1970,
                                              takes_offsets_on_both_sides,
                                              refuses_broken_offsets,
                                              takes_either_case_and_a_space,
                                              cuts_fractions_off_after_six_digits,
                                              knows_the_days_of_months_and_leap_years,
                                              refuses_times_outside_the_day,
                                              takes_a_leap_second_only_where_a_month_of_utc_ends,
                                              reaches_from_year_0_to_year_9999,
                                              refuses_what_is_no_timestamp,
                                              reads_milliseconds_to_the_microsecond,
                                              reads_milliseconds_with_an_exponent,
                                              reads_milliseconds_before_1970_towards_the_past,
                                              milliseconds_end_with_the_years_1_and_9999,
                                              milliseconds_are_a_json_number,
                                              years_start_where_the_calendar_says,
                                              skew_is_counted_back_from_receipt,
                                              without_sent_at_the_clients_clock_is_believed,
                                              a_clock_that_is_years_off_is_put_right,
                                              more_than_23_hours_ahead_is_now});
