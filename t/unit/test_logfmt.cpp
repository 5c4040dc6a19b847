#include "daemon/logfmt.h"

#include "t/unit/suite.h"

using weir::daemon::logfmt;

START_TEST(plain_words_and_numbers_stand_bare) {
  ck_assert_view_eq(logfmt("stored", {{"rows", 12}, {"stream", "weir:{0}"}, {"once", false}}),
                    "msg=stored rows=12 stream=weir:{0} once=0");
}
END_TEST

START_TEST(values_with_spaces_quotes_or_nothing_are_quoted) {
  ck_assert_view_eq(
      logfmt("it is here", {{"a", ""}, {"b", "x=y"}, {"c", "say \"no\""}, {"d", "\\"}}),
      "msg=\"it is here\" a=\"\" b=\"x=y\" c=\"say \\\"no\\\"\" d=\"\\\\\"");
}
END_TEST

START_TEST(no_control_character_gets_through) {
  ck_assert_view_eq(logfmt("a\nb", {{"v", "\t\r\x1b[31m\x7f"}, {"nul", std::string_view("\0", 1)}}),
                    "msg=\"a\\nb\" v=\"\\t\\x0d\\x1b[31m\\x7f\" nul=\"\\x00\"");
}
END_TEST

START_TEST(c1_controls_are_escaped_and_other_utf8_is_not) {
  ck_assert_view_eq(logfmt("é", {{"v",
                                  "\xC2\x9B"
                                  "31m"},
                                 {"w", "\xC2"}}),
                    "msg=\"é\" v=\"\\xc2\\x9b"
                    "31m\" w=\"\xC2\"");
}
END_TEST

const weir_test::Register kRegistered("logfmt", {plain_words_and_numbers_stand_bare,
                                                 values_with_spaces_quotes_or_nothing_are_quoted,
                                                 no_control_character_gets_through,
                                                 c1_controls_are_escaped_and_other_utf8_is_not});
