// The password of Redis in a file.
#include "core/redis/secret.h"

#include "t/unit/suite.h"

using weir::kMostSecretFile;
using weir::read_secret;

namespace {

void assert_holds(std::string_view bytes, std::string_view expected) {
  std::string secret = "before";
  ck_assert_view_eq(read_secret(bytes, secret), "");
  ck_assert_view_eq(secret, expected);
}

void assert_refused(std::string_view bytes, std::string_view why) {
  std::string secret = "before";
  const std::string fault = read_secret(bytes, secret);
  ck_assert_msg(fault.find(why) != std::string::npos, "'%s'", fault.c_str());
  ck_assert_view_eq(secret, "before");
}

START_TEST(the_first_line_is_the_secret) {
  assert_holds("hunter2", "hunter2");
  assert_holds("hunter2\n", "hunter2");
  assert_holds("hunter2\nmore\n", "hunter2");
}
END_TEST

START_TEST(a_carriage_return_ends_a_line_and_is_kept_within) {
  assert_holds("hunter2\r\n", "hunter2");
  assert_holds("hunter2\r", "hunter2");
  assert_holds("a\rb\n", "a\rb");
  assert_holds("a\r\r\n", "a\r");
}
END_TEST

START_TEST(blanks_and_odd_bytes_are_part_of_it) {
  assert_holds(" a b \t\n", " a b \t");
  assert_holds(std::string_view("a\0b\n", 4), std::string_view("a\0b", 3));
  assert_holds("gr\xc3\xbc\xff\n", "gr\xc3\xbc\xff");
}
END_TEST

START_TEST(an_empty_first_line_is_refused) {
  for (const std::string_view bytes : {"", "\n", "\r\n", "\r", "\nhunter2\n"}) {
    assert_refused(bytes, "on its first line");
  }
}
END_TEST

START_TEST(a_file_over_the_limit_is_refused_whole) {
  const std::string largest(kMostSecretFile, 'x');
  assert_holds(largest, largest);
  assert_refused(largest + "x", "longer than 4096 bytes");
  assert_refused("hunter2\n" + largest, "longer than 4096 bytes");
}
END_TEST

START_TEST(no_sentence_shows_the_file) {
  const std::string canary = "hunter2";
  std::string secret;
  const std::string fault = read_secret(canary + std::string(kMostSecretFile, 'x'), secret);
  ck_assert(!fault.empty());
  ck_assert(fault.find(canary) == std::string::npos);
}
END_TEST

const weir_test::Register kRegistered(
    "secret", {the_first_line_is_the_secret, a_carriage_return_ends_a_line_and_is_kept_within,
               blanks_and_odd_bytes_are_part_of_it, an_empty_first_line_is_refused,
               a_file_over_the_limit_is_refused_whole, no_sentence_shows_the_file});

}  // namespace
