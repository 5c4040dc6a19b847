#include "core/json/number.h"

#include <string>
#include <string_view>

#include "t/unit/suite.h"

namespace {

using weir::check_number;
using weir::Reason;
using weir::split_number;

constexpr std::size_t kLimit = 308;

std::string zeros(std::size_t count) { return std::string(count, '0'); }

void takes(std::string_view literal, std::size_t limit = kLimit) {
  ck_assert_msg(check_number(literal, limit) == Reason::none, "'%.*s' was refused",
                static_cast<int>(literal.size()), literal.data());
}

void refuses(std::string_view literal, std::size_t limit = kLimit) {
  ck_assert_msg(check_number(literal, limit) == Reason::number_out_of_range, "'%.*s' was taken",
                static_cast<int>(literal.size()), literal.data());
}

}  // namespace

START_TEST(takes_everyday_numbers) {
  for (const auto* literal : {"0", "-0", "1", "-1", "3.14", "-0.5", "1e10", "1E+10", "1.5e-7",
                              "0.0", "0e0", "18446744073709551616", "-9223372036854775809",
                              "123456789012345678901234567890.123456789"}) {
    takes(literal);
  }
}
END_TEST

START_TEST(the_limit_holds_upwards) {
  takes("1e308");
  takes("9.999e308");
  takes("-9.999e308");
  refuses("1e309");
  refuses("-1e309");
  refuses("10e308");
  takes("0.1e309");
  refuses("1e400");
}
END_TEST

START_TEST(the_limit_holds_downwards) {
  takes("1e-308");
  takes("-1.5e-308");
  refuses("1e-309");
  refuses("0.9e-308");
  takes("10e-309");
  refuses("1e-400");
}
END_TEST

START_TEST(the_limit_holds_without_an_exponent) {
  takes("1" + zeros(308));
  refuses("1" + zeros(309));
  refuses("-1" + zeros(400));
  takes("0." + zeros(307) + "1");
  refuses("0." + zeros(308) + "1");
  refuses("0." + zeros(400) + "1");
  takes("1." + zeros(400) + "1");
  takes("0.1" + zeros(400));
}
END_TEST

START_TEST(digits_and_exponent_make_up_for_each_other) {
  takes("1" + zeros(400) + "e-400");
  takes("0." + zeros(400) + "1e401");
  refuses("1" + zeros(400) + "e-80");
  refuses("0." + zeros(400) + "1e80");
}
END_TEST

START_TEST(exponents_too_long_to_read_are_refused) {
  for (const auto* literal : {"1e999999999999999999999999", "1e-999999999999999999999999",
                              "-1E+18446744073709551616", "1e4294967296", "1e-4294967296",
                              "0.4e00669999999999999999999999999999999999999999999999999999999"}) {
    refuses(literal);
  }
  takes("1e" + zeros(400) + "5");
  takes("1e-" + zeros(400) + "5");
}
END_TEST

START_TEST(zero_is_judged_by_the_exponent_written) {
  takes("0e308");
  takes("0e-308");
  takes("0.000e-308");
  refuses("0e309");
  refuses("0e-309");
  refuses("0e999999");
  refuses("-0e-999999");
  refuses("0.0e999999999999999999999999");
  takes("0." + zeros(400));
}
END_TEST

// What PostgreSQL 15 takes and refuses, tried on it: at most 16,383 digits behind the point.
START_TEST(postgresqls_limit_holds_however_high_the_configured_one) {
  for (const std::size_t limit : {std::size_t{308}, std::size_t{16000}, std::size_t{1000000}}) {
    takes("1." + zeros(16383), limit);
    refuses("1." + zeros(16384), limit);
    takes("0." + zeros(16383), limit);
    refuses("0." + zeros(16384), limit);
    refuses("1" + zeros(20000) + "e-20000", limit);
    takes("0." + zeros(20000) + "1e20001", limit);
  }
  takes("1e-16383", 1000000);
  refuses("1e-16384", 1000000);
  refuses("1.5e-16383", 1000000);
  takes("0e-16383", 1000000);
  refuses("0e-16384", 1000000);
  takes("1e131071", 1000000);
  refuses("1e131072", 1000000);
}
END_TEST

START_TEST(the_limit_can_be_as_low_as_one) {
  takes("99", 1);
  takes("0.1", 1);
  refuses("100", 1);
  refuses("0.01", 1);
}
END_TEST

START_TEST(splits_a_number_into_its_parts) {
  const auto number = split_number("-120.0450e-7");
  ck_assert(number.has_value());
  ck_assert(number->negative);
  ck_assert_view_eq(number->whole, "120");
  ck_assert_view_eq(number->fraction, "0450");
  ck_assert_int_eq(number->exponent, -7);
  ck_assert_int_eq(number->leading_place().value(), -5);
  ck_assert_int_eq(number->digit(-5), 1);
  ck_assert_int_eq(number->digit(-6), 2);
  ck_assert_int_eq(number->digit(-9), 4);
  ck_assert_int_eq(number->digit(-10), 5);
  ck_assert_int_eq(number->digit(-12), 0);
  ck_assert_int_eq(number->digit(0), 0);
  ck_assert(number->anything_below(-9));
  ck_assert(!number->anything_below(-10));
  ck_assert(number->anything_below(100));
}
END_TEST

START_TEST(splits_only_json_numbers) {
  for (const auto* literal :
       {"",      "-",    "+1", "01", "-01", "00",  "1.",       ".5",  "-.5", "1e",    "1e+", "1E-",
        "1e1.5", "0x10", " 1", "1 ", "1,5", "NaN", "Infinity", "--1", "1f",  "1.2.3", "１"}) {
    ck_assert_msg(!split_number(literal), "%s", literal);
  }
  ck_assert(split_number("0"));
  ck_assert(!split_number("0.0e-0")->leading_place());
}
END_TEST

START_TEST(what_is_a_number_and_where_it_ends) {
  struct {
    std::string_view text;
    std::size_t size;
    bool whole;
  } const cases[] = {{"0", 1, true},    {"-0", 2, true},     {"12.50,", 5, true},
                     {"1e5 ", 3, true}, {"1E-05]", 5, true}, {"1.0e+2", 6, true},
                     {"01", 1, true},   {"0x1", 1, true},    {"1.2.3", 3, true},
                     {"", 0, false},    {"-", 1, false},     {"+1", 0, false},
                     {".5", 0, false},  {"1.", 2, false},    {"1.e5", 2, false},
                     {"1e", 2, false},  {"1e+,", 3, false},  {"Infinity", 0, false}};
  for (const auto& it : cases) {
    const weir::NumberExtent extent = weir::number_extent(it.text);
    ck_assert_msg(extent.size == it.size && extent.whole == it.whole, "%s", it.text.data());
  }
}
END_TEST

static const weir_test::Register kRegistered(
    "number",
    {what_is_a_number_and_where_it_ends, takes_everyday_numbers, the_limit_holds_upwards,
     the_limit_holds_downwards, the_limit_holds_without_an_exponent,
     digits_and_exponent_make_up_for_each_other, exponents_too_long_to_read_are_refused,
     zero_is_judged_by_the_exponent_written,
     postgresqls_limit_holds_however_high_the_configured_one, the_limit_can_be_as_low_as_one,
     splits_a_number_into_its_parts, splits_only_json_numbers});
