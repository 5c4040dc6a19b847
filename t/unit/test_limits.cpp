#include "core/event/limits.h"

#include <string>
#include <string_view>

#include "core/event/reason.h"
#include "t/unit/suite.h"

namespace {

using weir::Limits;
using weir::set_limit;

struct Known {
  const char* name;
  std::size_t Limits::*member;
  std::size_t standard;
  std::size_t highest;
};

const Known kKnown[] = {
    {"body", &Limits::body, 1048576, 64 << 20},
    {"inflated", &Limits::inflated, 8388608, 64 << 20},
    {"ratio", &Limits::ratio, 100, 1000000},
    {"events", &Limits::events, 1000, 100000},
    {"depth", &Limits::depth, 16, 1000},
    {"string", &Limits::string, 8192, 16 << 20},
    {"stack_trace", &Limits::stack_trace, 65536, 16 << 20},
    {"properties", &Limits::properties, 100, 1000000},
    {"key", &Limits::key, 128, 65536},
    {"name", &Limits::name, 200, 1000},
    {"exponent", &Limits::exponent, 308, 16000},
};

bool refuses(std::string_view name, std::string_view value) {
  Limits limits;
  return !set_limit(limits, name, value).empty();
}

}  // namespace

START_TEST(every_limit_has_the_documented_default) {
  const Limits limits;
  for (const Known& limit : kKnown) {
    ck_assert_msg(limits.*limit.member == limit.standard, "%s", limit.name);
  }
  ck_assert_int_eq(limits.first_year, 2000);
  ck_assert_int_eq(limits.last_year, 2100);
}
END_TEST

START_TEST(every_limit_can_be_set_by_its_name_alone) {
  for (const Known& limit : kKnown) {
    Limits limits;
    ck_assert_view_eq(set_limit(limits, limit.name, "42"), "");
    for (const Known& other : kKnown) {
      const bool is_it = other.member == limit.member;
      ck_assert_uint_eq(limits.*other.member, is_it ? 42 : other.standard);
    }
  }
}
END_TEST

START_TEST(every_limit_ends_at_zero_and_at_its_highest) {
  for (const Known& limit : kKnown) {
    Limits limits;
    ck_assert(refuses(limit.name, "0"));
    ck_assert_view_eq(set_limit(limits, limit.name, "1"), "");
    ck_assert_view_eq(set_limit(limits, limit.name, std::to_string(limit.highest)), "");
    ck_assert_uint_eq(limits.*limit.member, limit.highest);
    ck_assert(refuses(limit.name, std::to_string(limit.highest + 1)));
  }
}
END_TEST

START_TEST(years_lie_between_1_and_9999) {
  Limits limits;
  ck_assert_view_eq(set_limit(limits, "first_year", "1"), "");
  ck_assert_view_eq(set_limit(limits, "last_year", "9999"), "");
  ck_assert_int_eq(limits.first_year, 1);
  ck_assert_int_eq(limits.last_year, 9999);
  ck_assert(refuses("first_year", "0"));
  ck_assert(refuses("last_year", "10000"));
  ck_assert(refuses("last_year", "2k"));
}
END_TEST

START_TEST(the_first_year_may_not_lie_after_the_last) {
  Limits limits;
  ck_assert_view_eq(weir::contradiction_in(limits), "");
  limits.first_year = limits.last_year = 2026;
  ck_assert_view_eq(weir::contradiction_in(limits), "");
  limits.first_year = 2027;
  ck_assert_view_eq(weir::contradiction_in(limits),
                    "the limit \"first_year\" (2027) lies after \"last_year\" (2026), so that no "
                    "event would be taken: set both");
}
END_TEST

START_TEST(bytes_take_suffixes_of_either_case) {
  Limits limits;
  ck_assert_view_eq(set_limit(limits, "body", "64k"), "");
  ck_assert_uint_eq(limits.body, 65536);
  ck_assert_view_eq(set_limit(limits, "body", "2M"), "");
  ck_assert_uint_eq(limits.body, 2097152);
}
END_TEST

START_TEST(counts_take_no_suffix) {
  for (const char* name : {"ratio", "events", "depth", "properties", "exponent"}) {
    ck_assert(refuses(name, "1k"));
  }
}
END_TEST

START_TEST(nonsense_is_refused_and_changes_nothing) {
  for (const char* value :
       {"", "k", "-1", "+1", " 1", "1 ", "1kk", "0x10", "1e3", "1.5m", "ten", "1g",
        "99999999999999999999999", "18446744073709551617", "17592186044416m"}) {
    Limits limits;
    ck_assert_msg(!set_limit(limits, "body", value).empty(), "%s", value);
    ck_assert_uint_eq(limits.body, 1048576);
  }
}
END_TEST

START_TEST(a_refusal_says_what_is_wrong_and_what_would_be_right) {
  Limits limits;
  ck_assert_view_eq(set_limit(limits, "body", "big"),
                    "\"big\" does not suit the limit \"body\": it takes a number of bytes such as "
                    "500, 64k or 1m, from 1 to 64m");
  ck_assert_view_eq(set_limit(limits, "events", "0"),
                    "\"0\" does not suit the limit \"events\": it takes a whole number, from 1 to "
                    "100000");
  ck_assert_view_eq(set_limit(limits, "evnets", "1"),
                    "there is no limit \"evnets\"; the limits are body, inflated, ratio, events, "
                    "depth, string, stack_trace, properties, key, name, exponent, first_year and "
                    "last_year");
}
END_TEST

START_TEST(reasons_have_the_words_of_the_documentation) {
  ck_assert_view_eq(weir::reason_word(weir::Reason::none), "");
  ck_assert_view_eq(weir::reason_word(weir::Reason::missing), "missing");
  ck_assert_view_eq(weir::reason_word(weir::Reason::not_a_timestamp), "not_a_timestamp");
  ck_assert_view_eq(weir::reason_word(weir::Reason::number_out_of_range), "number_out_of_range");
  ck_assert_view_eq(weir::reason_word(weir::Reason::unknown_field), "unknown_field");
}
END_TEST

static const weir_test::Register kRegistered(
    "limits", {every_limit_has_the_documented_default, every_limit_can_be_set_by_its_name_alone,
               every_limit_ends_at_zero_and_at_its_highest, years_lie_between_1_and_9999,
               the_first_year_may_not_lie_after_the_last, bytes_take_suffixes_of_either_case,
               counts_take_no_suffix, nonsense_is_refused_and_changes_nothing,
               a_refusal_says_what_is_wrong_and_what_would_be_right,
               reasons_have_the_words_of_the_documentation});
