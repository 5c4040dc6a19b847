// Which origins may be named, and which are then allowed.
#include "core/http/cors.h"

#include "t/unit/suite.h"

namespace {

using weir::Cors;

// Asserts that adding `configured` allows `sent`.
void assert_allows(std::string_view configured, std::string_view sent) {
  Cors cors;
  const std::string error = cors.add_origin(configured);
  ck_assert_view_eq(error, "");
  ck_assert_msg(cors.allows(sent), "'%s' does not allow '%s'", std::string(configured).c_str(),
                std::string(sent).c_str());
}

void assert_refused(std::string_view origin, std::string_view why) {
  Cors cors;
  const std::string error = cors.add_origin(origin);
  ck_assert_msg(error.find(why) != std::string::npos, "'%s'", error.c_str());
  for (const char c : error) ck_assert(c >= 0x20 || static_cast<unsigned char>(c) >= 0x80);
  ck_assert(!cors.configured());
  ck_assert(!cors.allows(origin));
}

START_TEST(nothing_is_allowed_unless_it_is_named) {
  Cors cors;
  ck_assert(!cors.configured());
  ck_assert(!cors.allows("https://app.example"));
  ck_assert(!cors.allows(""));
}
END_TEST

START_TEST(origins_are_allowed_exactly) {
  Cors cors;
  ck_assert(cors.add_origin("https://app.example").empty());
  ck_assert(cors.add_origin("http://localhost:3000").empty());
  ck_assert(cors.configured());
  ck_assert(cors.allows("https://app.example"));
  ck_assert(cors.allows("http://localhost:3000"));
  for (const std::string_view other :
       {"http://app.example", "https://app.example:8443", "https://app.example/",
        "https://app.example.evil.example", "https://evil-app.example", "https://sub.app.example",
        "https://app.example ", "https://app.exampl", "http://localhost", "http://localhost:30000",
        "null", "*", "", "https://"}) {
    ck_assert_msg(!cors.allows(other), "'%s' is allowed", std::string(other).c_str());
  }
}
END_TEST

START_TEST(scheme_and_host_may_be_named_in_any_case) {
  assert_allows("HTTPS://App.Example", "https://app.example");
  assert_allows("http://[2001:DB8::A]:3000", "http://[2001:db8::a]:3000");
}
END_TEST

START_TEST(a_default_port_is_no_part_of_an_origin) {
  assert_allows("https://app.example:443", "https://app.example");
  assert_allows("http://app.example:80", "http://app.example");
  assert_allows("http://[::1]:80", "http://[::1]");
  assert_allows("https://app.example:80", "https://app.example:80");
  assert_allows("http://app.example:443", "http://app.example:443");
  assert_allows("https://app.example:0443", "https://app.example");
}
END_TEST

START_TEST(shells_and_extensions_have_schemes_of_their_own) {
  assert_allows("capacitor://localhost", "capacitor://localhost");
  assert_allows("chrome-extension://abcdefghijklmnop", "chrome-extension://abcdefghijklmnop");
  assert_allows("http://xn--bcher-kva.example", "http://xn--bcher-kva.example");
}
END_TEST

START_TEST(an_origin_may_be_named_twice) {
  Cors cors;
  ck_assert(cors.add_origin("https://app.example").empty());
  ck_assert(cors.add_origin("https://APP.example:443").empty());
  ck_assert(cors.allows("https://app.example"));
}
END_TEST

START_TEST(everywhere_and_nowhere_are_refused_with_the_reason) {
  assert_refused("*", "answers allow credentials");
  assert_refused("null", "every sandboxed frame");
  assert_refused("", "is empty");
  assert_refused("https://*.example", "has a wildcard");
  assert_refused("https://*", "has a wildcard");
}
END_TEST

START_TEST(a_trailing_slash_or_a_path_is_refused) {
  assert_refused("https://app.example/", "ends in a slash, which no origin has; leave it away");
  assert_refused("https://app.example:8443/", "ends in a slash");
  for (const std::string_view path :
       {"https://app.example/app", "https://app.example//", "https://app.example?x",
        "https://app.example#x", "https://app.example\\x"}) {
    assert_refused(path, "has a path");
  }
}
END_TEST

START_TEST(bytes_that_no_origin_has_are_refused) {
  assert_refused(
      "https://b\xc3\xbc"
      "cher.example",
      "xn-- form");
  assert_refused("https://a.example https://b.example", "several words");
  assert_refused("https://a.example\r\nSet-Cookie: x", "no origin has");
  assert_refused(std::string_view("https://a\0.example", 18), "no origin has");
  assert_refused("https://a.example\x7f", "no origin has");
}
END_TEST

START_TEST(a_scheme_and_a_host_are_needed) {
  for (const std::string_view text :
       {"app.example", "//app.example", "://app.example", "1http://a.example", "ht_tp://a.example",
        "https:app.example", "https:/app.example"}) {
    assert_refused(text, "does not begin with a scheme");
  }
  for (const std::string_view text : {"https://", "https://:443", "https://a,b", "https://[]",
                                      "https://[::g]", "https://a%20b", "https://[::1"}) {
    assert_refused(text, "does not name a host");
  }
  assert_refused("https://user@app.example", "names a user");
}
END_TEST

START_TEST(a_port_is_a_number_in_range) {
  for (const std::string_view port : {"", "0", "65536", "-1", "+1", "8o", "443:1", "99999999999"}) {
    assert_refused("https://app.example:" + std::string(port), "from 1 to 65535");
  }
  assert_allows("https://app.example:65535", "https://app.example:65535");
}
END_TEST

START_TEST(a_long_word_is_quoted_in_part) {
  Cors cors;
  const std::string error = cors.add_origin(std::string(10000, '/'));
  ck_assert_uint_le(error.size(), 300);
}
END_TEST

START_TEST(a_grant_goes_to_a_named_origin_alone) {
  Cors cors;
  ck_assert(!cors.grant("https://app.example").varies);
  ck_assert(cors.add_origin("https://app.example").empty());
  const std::string_view origin = "https://app.example";
  ck_assert(cors.grant(origin).varies);
  ck_assert_ptr_eq(cors.grant(origin).origin.data(), origin.data());
  for (const std::string_view other : {"", "https://evil.example", "null"}) {
    ck_assert(cors.grant(other).varies);
    ck_assert(cors.grant(other).origin.empty());
  }
  ck_assert(!cors.grant(origin).preflight);
}
END_TEST

const weir_test::Register kRegistered(
    "cors", {nothing_is_allowed_unless_it_is_named, origins_are_allowed_exactly,
             scheme_and_host_may_be_named_in_any_case, a_default_port_is_no_part_of_an_origin,
             shells_and_extensions_have_schemes_of_their_own, an_origin_may_be_named_twice,
             everywhere_and_nowhere_are_refused_with_the_reason,
             a_trailing_slash_or_a_path_is_refused, bytes_that_no_origin_has_are_refused,
             a_scheme_and_a_host_are_needed, a_port_is_a_number_in_range,
             a_long_word_is_quoted_in_part, a_grant_goes_to_a_named_origin_alone});

}  // namespace
