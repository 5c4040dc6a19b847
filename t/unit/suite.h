// Unit tests with Check. A file t/unit/test_NAME.cpp holds one suite and registers it:
//
//   START_TEST(parses_an_offset) { ck_assert(...); } END_TEST
//   const weir_test::Register kRegistered("timestamp", {parses_an_offset, …});
//
// Names say the behaviour that holds. All suites end up in one program, t/unit/main.cpp.
#pragma once

#include <check.h>

#include <string>
#include <string_view>
#include <vector>

#include <initializer_list>

namespace weir_test {

std::vector<Suite*>& suites();

struct Register {
  Register(const char* name, std::initializer_list<const TTest*> tests) {
    Suite* suite = suite_create(name);
    for (const TTest* test : tests) {
      TCase* test_case = tcase_create(test->name);
      tcase_add_test(test_case, test);
      suite_add_tcase(suite, test_case);
    }
    suites().push_back(suite);
  }
};

}  // namespace weir_test

// Compares two things that std::string_view can be made of, and prints both where they differ.
#define ck_assert_view_eq(actual, expected)                                              \
  do {                                                                                   \
    const auto& actual_value = (actual);                                                 \
    const auto& expected_value = (expected);                                             \
    const std::string_view actual_view(actual_value), expected_view(expected_value);     \
    ck_assert_msg(actual_view == expected_view, "'%s' is not '%s'",                      \
                  std::string(actual_view).c_str(), std::string(expected_view).c_str()); \
  } while (0)
