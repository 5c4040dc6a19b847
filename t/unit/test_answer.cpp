// Which headers go with an answer.
#include "core/http/answer.h"

#include <string>

#include "t/unit/suite.h"

using weir::Answer;
using weir::Header;
using weir::Headers;

namespace {

// "Name: value\n" for each.
std::string written(const Headers& headers) {
  std::string text;
  for (const Header& header : headers) {
    text.append(header.name).append(": ").append(header.value).append("\n");
  }
  return text;
}

START_TEST(an_ordinary_answer_has_no_headers_of_its_own) {
  ck_assert_view_eq(written(Answer().headers()), "");
}
END_TEST

START_TEST(allow_and_retry_after_are_said_where_they_are_given) {
  Answer answer;
  answer.allow = "POST";
  ck_assert_view_eq(written(answer.headers()), "Allow: POST\n");
  answer.allow = {};
  answer.retry_after = "2";
  ck_assert_view_eq(written(answer.headers()), "Retry-After: 2\n");
}
END_TEST

START_TEST(an_answer_that_differs_by_origin_says_so_to_everybody) {
  Answer answer;
  answer.cors.varies = true;
  ck_assert_view_eq(written(answer.headers()), "Vary: Origin\n");
}
END_TEST

START_TEST(a_named_origin_may_read_the_answer) {
  Answer answer;
  answer.cors = {true, false, "https://app.example"};
  ck_assert_view_eq(written(answer.headers()),
                    "Vary: Origin\n"
                    "Access-Control-Allow-Origin: https://app.example\n"
                    "Access-Control-Allow-Credentials: true\n"
                    "Access-Control-Expose-Headers: Retry-After\n");
}
END_TEST

START_TEST(a_preflight_is_told_what_may_be_sent) {
  Answer answer;
  answer.allow = weir::kCorsAllowMethods;
  answer.cors = {true, true, "https://app.example"};
  ck_assert_view_eq(written(answer.headers()),
                    "Allow: POST, OPTIONS\n"
                    "Vary: Origin\n"
                    "Access-Control-Allow-Origin: https://app.example\n"
                    "Access-Control-Allow-Credentials: true\n"
                    "Access-Control-Allow-Methods: POST, OPTIONS\n"
                    "Access-Control-Allow-Headers: Content-Type, Content-Encoding, Authorization, "
                    "X-Weir-Key\n"
                    "Access-Control-Max-Age: 86400\n");
}
END_TEST

START_TEST(a_preflight_from_another_origin_is_told_nothing) {
  Answer answer;
  answer.cors = {true, true, ""};
  ck_assert_view_eq(written(answer.headers()), "Vary: Origin\n");
}
END_TEST

START_TEST(the_list_takes_the_largest_answer_and_drops_what_is_over) {
  Answer largest;
  largest.allow = weir::kCorsAllowMethods;
  largest.retry_after = "2";
  largest.cors = {true, true, "https://app.example"};
  ck_assert_uint_le(largest.headers().size(), Headers::kMost);

  Headers headers;
  for (std::size_t i = 0; i < Headers::kMost; ++i) headers.add("A", "a");
  headers.add("B", "b");
  ck_assert_uint_eq(headers.size(), Headers::kMost);
  ck_assert(written(headers).find('B') == std::string::npos);
}
END_TEST

const weir_test::Register kRegistered("answer",
                                      {an_ordinary_answer_has_no_headers_of_its_own,
                                       allow_and_retry_after_are_said_where_they_are_given,
                                       an_answer_that_differs_by_origin_says_so_to_everybody,
                                       a_named_origin_may_read_the_answer,
                                       a_preflight_is_told_what_may_be_sent,
                                       a_preflight_from_another_origin_is_told_nothing,
                                       the_list_takes_the_largest_answer_and_drops_what_is_over});

}  // namespace
