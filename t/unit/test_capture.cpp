#include <string>

#include "core/json/capture.h"
#include "t/unit/suite.h"

using weir::Capture;
using weir::CaptureStatus;
using weir::JsonValue;
using weir::Limits;
using weir::Reason;

namespace {

const weir::MemberNames kNames = {"a", "b", "sent_at"};

struct Reading {
  explicit Reading(std::string body, const Limits& limits = {})
      : text(std::move(body)), status(capture.read(text, kNames, limits)) {}

  const JsonValue& member(std::size_t event, std::size_t place) const {
    ck_assert_uint_gt(capture.events().size(), event);
    return capture.events()[event].members[place];
  }

  std::string text;
  Capture capture;
  CaptureStatus status;
};

Reason fault_of(const std::string& value, const Limits& limits = {}) {
  Reading reading("{\"a\":" + value + "}", limits);
  ck_assert(reading.status == CaptureStatus::ok);
  return reading.member(0, 0).fault;
}

void assert_invalid(const std::string& body, std::size_t offset, std::string_view reason) {
  Reading reading(body);
  ck_assert_msg(reading.status == CaptureStatus::invalid_json, "%s was taken", body.c_str());
  ck_assert_view_eq(reading.capture.error_reason(), reason);
  ck_assert_uint_eq(reading.capture.error_offset(), offset);
  ck_assert_uint_eq(reading.capture.events().size(), 0);
}

std::string nested(std::size_t levels) {
  return std::string(levels, '[') + std::string(levels, ']');
}

}  // namespace

START_TEST(one_object_is_one_event) {
  Reading reading(R"( {"a":"x","b":12.50} )");
  ck_assert(reading.status == CaptureStatus::ok);
  ck_assert_uint_eq(reading.capture.events().size(), 1);
  ck_assert_view_eq(reading.member(0, 0).text, "x");
  ck_assert_view_eq(reading.member(0, 0).raw, "\"x\"");
  ck_assert_view_eq(reading.member(0, 1).raw, "12.50");
  ck_assert(reading.member(0, 2).type == JsonValue::Type::absent);
}
END_TEST

START_TEST(an_array_is_a_batch) {
  Reading reading(R"([{"a":"1"},{"a":"2"},7,[1,{"a":"no"}],{"a":"3"}])");
  ck_assert_uint_eq(reading.capture.events().size(), 5);
  ck_assert_view_eq(reading.member(1, 0).text, "2");
  ck_assert(!reading.capture.events()[2].is_object);
  ck_assert(!reading.capture.events()[3].is_object);
  ck_assert_view_eq(reading.member(4, 0).text, "3");
}
END_TEST

START_TEST(events_and_batch_are_envelopes) {
  for (const char* name : {"events", "batch"}) {
    Reading reading(std::string(R"({"x":{"events":[{"a":"no"}]},")") + name +
                    R"(":[{"a":"1"},null,{"a":"2"}],"sent_at":"later"})");
    ck_assert(reading.status == CaptureStatus::ok);
    ck_assert_uint_eq(reading.capture.events().size(), 3);
    ck_assert_view_eq(reading.member(2, 0).text, "2");
    ck_assert_view_eq(reading.capture.envelope().members[2].text, "later");
  }
}
END_TEST

START_TEST(events_that_is_no_array_is_an_unknown_member) {
  Reading reading(R"({"a":"1","events":{"a":"2"},"batch":null})");
  ck_assert_uint_eq(reading.capture.events().size(), 1);
  ck_assert_view_eq(reading.member(0, 0).text, "1");
  ck_assert_uint_eq(reading.capture.unknown_fields(), 1);
  ck_assert_view_eq(reading.capture.events()[0].unknown_field, "events");
}
END_TEST

START_TEST(an_empty_batch_has_no_events) {
  for (const char* body : {"[]", R"({"events":[]})", R"({"batch":[],"a":1})"}) {
    Reading reading(body);
    ck_assert(reading.status == CaptureStatus::ok);
    ck_assert_uint_eq(reading.capture.events().size(), 0);
  }
}
END_TEST

START_TEST(a_scalar_document_is_an_event_that_is_no_object) {
  for (const char* body : {"true", "null", "12", "\"text\"", "-0.5e3"}) {
    Reading reading(body);
    ck_assert(reading.status == CaptureStatus::ok);
    ck_assert_uint_eq(reading.capture.events().size(), 1);
    ck_assert(!reading.capture.events()[0].is_object);
  }
}
END_TEST

START_TEST(values_inside_are_slices_of_the_body) {
  Reading reading(R"({"b":[1, {"a":"no"}],"a": {"k" : [ "\u00e9" ,2e1], "":{} } ,"x":1})");
  ck_assert_view_eq(reading.member(0, 0).raw, R"({"k" : [ "\u00e9" ,2e1], "":{} })");
  ck_assert_view_eq(reading.member(0, 1).raw, R"([1, {"a":"no"}])");
  ck_assert(reading.member(0, 0).fault == Reason::none);
}
END_TEST

START_TEST(escapes_are_decoded_and_kept_raw) {
  Reading reading(R"([{"\u0061" : "x\n\ud83d\ude00\"" , "b":"\\"},{"a":"\/"}])");
  ck_assert_view_eq(reading.member(0, 0).text, "x\n\xf0\x9f\x98\x80\"");
  ck_assert_view_eq(reading.member(0, 0).raw, R"("x\n\ud83d\ude00\"")");
  ck_assert_view_eq(reading.member(0, 1).text, "\\");
  ck_assert_view_eq(reading.member(1, 0).text, "/");
}
END_TEST

START_TEST(of_two_members_with_one_name_the_last_counts) {
  Reading reading(R"({"a":"\u0000","a":"good"})");
  ck_assert_view_eq(reading.member(0, 0).text, "good");
  ck_assert(reading.member(0, 0).fault == Reason::none);
}
END_TEST

START_TEST(what_postgresql_cannot_store_is_a_fault) {
  ck_assert(fault_of(R"("\u0000")") == Reason::nul_character);
  ck_assert(fault_of(R"("\ud800")") == Reason::lone_surrogate);
  ck_assert(fault_of(R"({"k":["\udc00"]})") == Reason::lone_surrogate);
  ck_assert(fault_of(R"({"k\u0000":1})") == Reason::nul_character);
  ck_assert(fault_of(R"({"\ud800x":1})") == Reason::lone_surrogate);
  ck_assert(fault_of("[1e400]") == Reason::number_out_of_range);
  ck_assert(fault_of(R"("\\u0000")") == Reason::none);
}
END_TEST

START_TEST(the_first_fault_is_the_one_that_is_told) {
  ck_assert(fault_of(R"(["\u0000", 1e999, "\ud800"])") == Reason::nul_character);
}
END_TEST

START_TEST(a_fault_stays_with_its_own_member) {
  Reading reading(R"({"b":["\u0000"],"a":"fine"})");
  ck_assert(reading.member(0, 0).fault == Reason::none);
  ck_assert(reading.member(0, 1).fault == Reason::nul_character);
}
END_TEST

START_TEST(depth_counts_from_the_event_whatever_is_around_it) {
  Limits limits;
  limits.depth = 4;
  ck_assert(fault_of(nested(3), limits) == Reason::none);
  ck_assert(fault_of(nested(4), limits) == Reason::too_deep);
  Reading list("{\"events\":[{\"a\":" + nested(3) + "},{\"a\":" + nested(4) + "}]}", limits);
  ck_assert(list.member(0, 0).fault == Reason::none);
  ck_assert(list.member(1, 0).fault == Reason::too_deep);
}
END_TEST

START_TEST(nesting_without_end_does_no_harm) {
  ck_assert(fault_of(nested(weir::kMaxNesting - 1)) == Reason::too_deep);
  ck_assert(!Reading(nested(weir::kMaxNesting)).capture.events()[0].is_object);
  assert_invalid(nested(weir::kMaxNesting + 1), weir::kMaxNesting, "too_deep");
  assert_invalid(std::string(8 << 20, '['), weir::kMaxNesting, "too_deep");
  std::string objects = "{\"user_id\":\"u\",\"a\":";
  for (int i = 0; i < 100000; ++i) objects += "{\"k\":";
  ck_assert_view_eq(Reading(objects).capture.error_reason(), "too_deep");
}
END_TEST

START_TEST(members_of_each_object_are_counted) {
  Limits limits;
  limits.properties = 2;
  ck_assert(fault_of(R"({"x":1,"y":{"x":1,"y":2}})", limits) == Reason::none);
  ck_assert(fault_of(R"({"x":1,"y":[{"x":1,"y":2,"z":3}]})", limits) ==
            Reason::too_many_properties);
  ck_assert(fault_of(R"({"x":1,"x":2,"x":3})", limits) == Reason::too_many_properties);
}
END_TEST

START_TEST(keys_and_strings_inside_are_bounded_in_decoded_bytes) {
  Limits limits;
  limits.key = 3;
  limits.string = 4;
  ck_assert(fault_of(R"({"abc":"\u00e9\u00e9"})", limits) == Reason::none);
  ck_assert(fault_of(R"({"abcd":1})", limits) == Reason::too_long);
  ck_assert(fault_of(R"(["\u00e9\u00e9x"])", limits) == Reason::too_long);
}
END_TEST

START_TEST(a_string_member_itself_is_left_to_the_form) {
  Limits limits;
  limits.string = 4;
  ck_assert(fault_of(R"("longer than four")", limits) == Reason::none);
}
END_TEST

START_TEST(unknown_members_are_counted_and_the_first_is_named) {
  Reading reading(R"([{"a":1,"x\u0041":[{"y":1}],"z":2},{"q":null}])");
  ck_assert_uint_eq(reading.capture.unknown_fields(), 3);
  ck_assert_view_eq(reading.capture.events()[0].unknown_field, R"(x\u0041)");
  Reading envelope(R"({"api_key":"k","batch":[{"a":1}]})");
  ck_assert_uint_eq(envelope.capture.unknown_fields(), 1);
  ck_assert_view_eq(envelope.capture.envelope().unknown_field, "api_key");
  Reading long_name("{\"" + std::string(129, 'n') + "\":1}");
  ck_assert_view_eq(long_name.capture.events()[0].unknown_field, "(too long)");
}
END_TEST

START_TEST(one_event_too_many_ends_the_reading) {
  Limits limits;
  limits.events = 2;
  ck_assert(Reading("[{},{}]", limits).status == CaptureStatus::ok);
  ck_assert(Reading("[{},{},{}]", limits).status == CaptureStatus::too_many_events);
  ck_assert(Reading("[1,2,3]", limits).status == CaptureStatus::too_many_events);
}
END_TEST

START_TEST(what_is_not_json_is_refused_with_the_place) {
  assert_invalid("", 0, "empty_body");
  assert_invalid("   ", 3, "unexpected_end");
  assert_invalid("{\"a\":1", 6, "unexpected_end");
  assert_invalid("{\"a\":1}x", 7, "unexpected_character");
  assert_invalid("{\"a\":1} {}", 8, "unexpected_character");
  assert_invalid("{\"a\":1} \"", 8, "unexpected_character");
  assert_invalid("[]\"x", 2, "unexpected_character");
  assert_invalid("12 \"", 3, "unexpected_character");
  assert_invalid("\"\"\"", 2, "unexpected_character");
  assert_invalid("[1,]", 3, "unexpected_character");
  assert_invalid("{\"a\":\"\xc0\xaf\"}", 6, "not_utf8");
  assert_invalid("{\"a\":\"\xed\xa0\x80\"}", 6, "not_utf8");
  assert_invalid("\xef\xbb\xbf{}", 0, "unexpected_character");
  assert_invalid("{\f}", 1, "control_character");
  assert_invalid(std::string("{\"a\":\"\0\"}", 9), 6, "control_character");
  assert_invalid("{\"a\":\"\t\"}", 6, "unexpected_character");
}
END_TEST

START_TEST(a_capture_can_be_used_again_after_anything) {
  Capture capture;
  const Limits limits;
  for (const char* body : {"[[{\"a\":", "{\"events\":[{\"a\":[[", "nonsense", "[1,2"}) {
    ck_assert(capture.read(body, kNames, limits) == CaptureStatus::invalid_json);
    ck_assert(capture.read(R"({"a":"ok"})", kNames, limits) == CaptureStatus::ok);
    ck_assert_uint_eq(capture.events().size(), 1);
    ck_assert_view_eq(capture.events()[0].members[0].text, "ok");
  }
}
END_TEST

static const weir_test::Register kRegistered("capture",
                                             {one_object_is_one_event,
                                              an_array_is_a_batch,
                                              events_and_batch_are_envelopes,
                                              events_that_is_no_array_is_an_unknown_member,
                                              an_empty_batch_has_no_events,
                                              a_scalar_document_is_an_event_that_is_no_object,
                                              values_inside_are_slices_of_the_body,
                                              escapes_are_decoded_and_kept_raw,
                                              of_two_members_with_one_name_the_last_counts,
                                              what_postgresql_cannot_store_is_a_fault,
                                              the_first_fault_is_the_one_that_is_told,
                                              a_fault_stays_with_its_own_member,
                                              depth_counts_from_the_event_whatever_is_around_it,
                                              nesting_without_end_does_no_harm,
                                              members_of_each_object_are_counted,
                                              keys_and_strings_inside_are_bounded_in_decoded_bytes,
                                              a_string_member_itself_is_left_to_the_form,
                                              unknown_members_are_counted_and_the_first_is_named,
                                              one_event_too_many_ends_the_reading,
                                              what_is_not_json_is_refused_with_the_place,
                                              a_capture_can_be_used_again_after_anything});
