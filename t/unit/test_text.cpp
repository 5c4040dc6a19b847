#include "core/json/text.h"

#include <string>
#include <string_view>
#include <utility>

#include "t/unit/suite.h"

namespace {

using weir::append_json_string;
using weir::find_bad_text;
using weir::Reason;
using weir::unescape;
using weir::Unescaped;
using namespace std::string_view_literals;

// Where the text goes bad at each place in a run of letters, so that the eight-byte steps and the
// single ones are both taken.
void bad_everywhere(std::string_view bad) {
  for (std::size_t before = 0; before < 20; ++before) {
    for (const std::size_t after : {0, 1, 7, 8, 30}) {
      std::string text = std::string(before, 'a') + std::string(bad) + std::string(after, 'b');
      const auto at = find_bad_text(text);
      ck_assert_msg(at == before, "at %zu of %zu", at.value_or(999), before);
    }
  }
}

void good_everywhere(std::string_view good) {
  for (std::size_t before = 0; before < 20; ++before) {
    const std::string text = std::string(before, 'a') + std::string(good) + std::string(9, 'b');
    ck_assert(!find_bad_text(text));
    ck_assert(!find_bad_text(std::string(before, 'a') + std::string(good)));
  }
}

Reason fault_in(std::string_view escaped) {
  std::string out(escaped.size(), '?');
  const Unescaped read = unescape(escaped, out.data());
  ck_assert_msg(read.bad_at == Unescaped::kNone, "%s", escaped.data());
  return read.fault;
}

std::string unescaped(std::string_view escaped) {
  std::string out(escaped.size(), '?');
  out.resize(unescape(escaped, out.data()).size);
  return out;
}

std::string utf8(char32_t c) {
  const auto tail = [&](int shift) { return static_cast<char>(0x80 | ((c >> shift) & 0x3F)); };
  if (c < 0x80) return {static_cast<char>(c)};
  if (c < 0x800) return {static_cast<char>(0xC0 | c >> 6), tail(0)};
  if (c < 0x10000) return {static_cast<char>(0xE0 | c >> 12), tail(6), tail(0)};
  return {static_cast<char>(0xF0 | c >> 18), tail(12), tail(6), tail(0)};
}

std::string as_json(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

}  // namespace

START_TEST(plain_text_is_good) {
  ck_assert(!find_bad_text(""));
  good_everywhere("{\"event\": \"paid\",\r\n\t\"sum\": 4}\x7F");
  good_everywhere("añ 日本語 𝄞 😀 \uFEFF \uFFFF");
}
END_TEST

START_TEST(every_code_point_but_surrogates_is_good) {
  for (char32_t c = 0x20; c <= 0x10FFFF; ++c) {
    const bool surrogate = c >= 0xD800 && c <= 0xDFFF;
    if (find_bad_text(utf8(c)).has_value() != surrogate) ck_abort_msg("U+%X", (unsigned)c);
  }
  ck_assert(find_bad_text(utf8(0x110000)).has_value());
}
END_TEST

START_TEST(control_characters_are_bad_but_for_white_space_of_json) {
  for (int c = 0; c < 0x20; ++c) {
    const char text[] = {static_cast<char>(c)};
    if (c == '\t' || c == '\n' || c == '\r') {
      good_everywhere({text, 1});
    } else {
      bad_everywhere({text, 1});
    }
  }
}
END_TEST

START_TEST(bytes_that_begin_nothing_are_bad) {
  for (int c = 0x80; c <= 0xBF; ++c) bad_everywhere(std::string(1, static_cast<char>(c)));
  for (const int c : {0xC0, 0xC1, 0xF5, 0xF6, 0xF8, 0xFC, 0xFE, 0xFF}) {
    bad_everywhere(std::string(1, static_cast<char>(c)) + "\x80\x80\x80\x80\x80");
  }
}
END_TEST

START_TEST(overlong_forms_are_bad) {
  for (const auto bad : {"\xC0\xAF"sv, "\xC1\xBF"sv, "\xE0\x80\xAF"sv, "\xE0\x9F\xBF"sv,
                         "\xF0\x80\x80\xAF"sv, "\xF0\x8F\xBF\xBF"sv}) {
    bad_everywhere(bad);
  }
}
END_TEST

START_TEST(surrogates_and_code_points_past_the_last_are_bad) {
  for (const auto bad : {"\xED\xA0\x80"sv, "\xED\xAF\xBF"sv, "\xED\xBF\xBF"sv,
                         "\xED\xA0\xBD\xED\xB8\x80"sv, "\xF4\x90\x80\x80"sv}) {
    bad_everywhere(bad);
  }
}
END_TEST

START_TEST(sequences_cut_short_are_bad_from_their_first_byte) {
  for (const auto bad : {"\xC3"sv, "\xE6\x97"sv, "\xE6"sv, "\xF0\x9F\x98"sv, "\xF0\x9F"sv, "\xF0"sv,
                         "\xC3\xC3\xB1"sv, "\xE6\x97\xC3"sv}) {
    bad_everywhere(bad);
  }
}
END_TEST

START_TEST(the_first_of_several_faults_is_named) {
  ck_assert_uint_eq(find_bad_text("ab\x01 cd \xC0\xAF").value(), 2);
  ck_assert_uint_eq(find_bad_text("ñ日\xFF\x01").value(), 5);
}
END_TEST

START_TEST(ordinary_escapes_are_good) {
  for (const auto raw : {R"("")"sv, R"("plain")"sv, R"("\"\\\/\b\f\n\r\t")"sv,
                         R"("\u0001\u00e9")"sv, R"("\uFFFF\uFEFF\ud7ff\ue000")"sv,
                         R"("\ud83d\ude00")"sv, R"("\uD834\uDD1E\uD83D\uDE00")"sv}) {
    ck_assert(fault_in(raw) == Reason::none);
  }
}
END_TEST

START_TEST(an_escaped_nul_is_named) {
  for (const auto raw : {R"("\u0000")"sv, R"("a\n\u0000b")"sv, R"("\\\u0000")"sv,
                         R"("\ud83d\ude00\u0000")"sv, R"("\u0000\ud800")"sv}) {
    ck_assert(fault_in(raw) == Reason::nul_character);
  }
}
END_TEST

START_TEST(an_escaped_backslash_starts_no_escape) {
  ck_assert(fault_in(R"("\\u0000")") == Reason::none);
  ck_assert(fault_in(R"("\\\\ud800")") == Reason::none);
  ck_assert(fault_in(R"("\\ud83d")") == Reason::none);
}
END_TEST

START_TEST(half_of_a_pair_is_named) {
  for (const auto raw :
       {R"("\ud800")"sv, R"("\uDBFF")"sv, R"("\udc00")"sv, R"("\uDFFF")"sv, R"("\ud800\u0041")"sv,
        R"("\ud83d\ud83d\ude00")"sv, R"("\ude00\ud83d")"sv, R"("\ud83dx\ude00")"sv,
        R"("\ud83d\n")"sv, R"("\ud83d\\ude00")"sv, R"("\ud83d")"sv, R"("\ud83d\u0000")"sv}) {
    ck_assert_msg(fault_in(raw) == Reason::lone_surrogate, "%s", raw.data());
  }
}
END_TEST

START_TEST(what_is_no_escape_is_told_with_its_place) {
  const std::pair<std::string_view, std::size_t> cases[] = {
      {"\\", 1},      {"ab\\x", 3},       {"\\u", 2},        {"\\u0", 3},         {"\\u000", 5},
      {"\\u00g0", 4}, {"\\ud83d\\u1", 9}, {"\\ud83d\\x", 7}, {"\\n\\\xc3\xb1", 3}};
  for (const auto& [escaped, place] : cases) {
    std::string out(escaped.size(), '?');
    const Unescaped read = unescape(escaped, out.data());
    ck_assert_msg(read.bad_at == place, "%s: %zu", escaped.data(), read.bad_at);
  }
}
END_TEST

START_TEST(reads_what_escapes_stand_for) {
  ck_assert_view_eq(unescaped(""), "");
  ck_assert_view_eq(unescaped("plain ñ 😀"), "plain ñ 😀");
  ck_assert_view_eq(unescaped(R"(\"\\\/\b\f\n\r\t)"), "\"\\/\b\f\n\r\t");
  ck_assert_view_eq(unescaped(R"(\u0041\u007f\u0080\u07FF\u0800\uffff)"),
                    "A\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF");
  ck_assert_view_eq(unescaped(R"(\ud800\udc00 \uDBFF\uDFFF)"), "\xF0\x90\x80\x80 \xF4\x8F\xBF\xBF");
  ck_assert_view_eq(unescaped(R"(a\u0000b)"), "a\0b"sv);
  ck_assert_view_eq(unescaped(R"(\ud83d\ud83d\ude00\ude00)"), "\xEF\xBF\xBD😀\xEF\xBF\xBD");
}
END_TEST

START_TEST(writes_strings_with_the_escapes_that_json_demands) {
  ck_assert_view_eq(as_json(""), "\"\"");
  ck_assert_view_eq(as_json("plain ñ 😀 / \x7F"), "\"plain ñ 😀 / \x7F\"");
  ck_assert_view_eq(as_json("\"\\\b\f\n\r\t"), R"("\"\\\b\f\n\r\t")");
  ck_assert_view_eq(as_json("\x01\x1F\0x"sv), R"("\u0001\u001f\u0000x")");
  ck_assert_view_eq(as_json("a\nb\"c"), R"("a\nb\"c")");
}
END_TEST

START_TEST(appends_behind_what_is_there) {
  std::string out = "{\"event\":";
  append_json_string(out, "paid");
  ck_assert_view_eq(out, "{\"event\":\"paid\"");
}
END_TEST

static const weir_test::Register kRegistered(
    "text",
    {plain_text_is_good, every_code_point_but_surrogates_is_good,
     control_characters_are_bad_but_for_white_space_of_json, bytes_that_begin_nothing_are_bad,
     overlong_forms_are_bad, surrogates_and_code_points_past_the_last_are_bad,
     sequences_cut_short_are_bad_from_their_first_byte, the_first_of_several_faults_is_named,
     ordinary_escapes_are_good, an_escaped_nul_is_named, an_escaped_backslash_starts_no_escape,
     half_of_a_pair_is_named, what_is_no_escape_is_told_with_its_place,
     reads_what_escapes_stand_for, writes_strings_with_the_escapes_that_json_demands,
     appends_behind_what_is_there});
