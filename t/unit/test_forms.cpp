// What becomes of each member of the three wire forms.
#include <string>

#include "core/event/form.h"
#include "t/unit/rows.h"
#include "t/unit/suite.h"

using weir::Reason;
using weir::WireForm;
using weir_test::Row;

namespace {

constexpr weir::Timestamp kNow = 1'795'262'400'000'000;  // 2026-11-21T12:00:00Z
constexpr std::int64_t kSecond = 1'000'000;

struct Encoded {
  Encoded(const WireForm& form, const std::string& event, bool strict = false) {
    weir::Capture capture;
    weir::UuidSource ids;
    ck_assert_msg(capture.read(event, form.names, limits) == weir::CaptureStatus::ok, "%s",
                  event.c_str());
    const weir::FormContext context{limits, strict, "default", kNow, std::nullopt, ids};
    writer.begin(form.kind, "default", kNow);
    const auto rejection = form.encode(capture.events()[0], context, writer);
    reason = rejection.reason;
    field = std::string(rejection.field);
    if (reason == Reason::none) row = weir_test::read_rows(writer.finish()).at(0);
    ck_assert_uint_eq(writer.rows(), reason == Reason::none ? 1 : 0);
  }

  weir::Limits limits;
  weir::RecordWriter writer;
  Reason reason;
  std::string field;
  Row row;
};

Encoded track(const std::string& members) {
  return Encoded(weir::track_form(), R"({"user_id":"u","event":"e")" + members + "}");
}

Encoded crash(const std::string& members) {
  return Encoded(
      weir::crash_form(),
      R"({"user_id":"u","app_version":"1","crash_type":"t","error_message":"m")" + members + "}");
}

Encoded cli(const std::string& members) {
  return Encoded(
      weir::cli_form(),
      R"({"session_id":"5F3E9A52-3C0E-4D4E-9E55-1F0C6F0A7B11","command":"icon","success":false,)"
      R"("timestamp":1640995200000,"version":"1.0.0")" +
          members + "}");
}

void assert_refused(const Encoded& encoded, std::string_view field, Reason reason) {
  ck_assert_view_eq(weir::reason_word(encoded.reason), weir::reason_word(reason));
  ck_assert_view_eq(encoded.field, field);
}

const std::optional<std::string>& column(const Encoded& encoded, std::string_view name) {
  ck_assert_msg(encoded.reason == Reason::none, "refused: %s %s", encoded.field.c_str(),
                std::string(weir::reason_word(encoded.reason)).c_str());
  return encoded.row.find(name)->second;
}

std::string text(const Encoded& encoded, std::string_view name) {
  return column(encoded, name).value_or("(null)");
}

std::int64_t time_of(const Encoded& encoded, std::string_view name) {
  return weir_test::micros(column(encoded, name));
}

}  // namespace

START_TEST(an_events_members_land_in_their_columns) {
  const auto e =
      track(R"(,"session_id":"s","properties":{"a": [1.0]},"app_version":"2.1","platform":"macOS",)"
            R"("country":"es","event_id":"0190d5a0-0000-4000-8000-000000000001")");
  ck_assert_view_eq(text(e, "tenant_id"), "default");
  ck_assert_view_eq(text(e, "user_id"), "u");
  ck_assert_view_eq(text(e, "event"), "e");
  ck_assert_view_eq(text(e, "session_id"), "s");
  ck_assert_view_eq(text(e, "properties"), "\x01{\"a\": [1.0]}");
  ck_assert_view_eq(text(e, "app_version"), "2.1");
  ck_assert_view_eq(text(e, "platform"), "macOS");
  ck_assert_view_eq(text(e, "country"), "ES");
  ck_assert_uint_eq(weir_test::big_endian(text(e, "event_id").substr(0, 8)), 0x0190d5a000004000);
}
END_TEST

START_TEST(what_is_not_given_or_null_is_null) {
  for (const char* members : {"", R"(,"session_id":null,"properties":null,"country":null,)"
                                  R"("timestamp":null,"event_id":null)"}) {
    const auto e = track(members);
    for (const char* name : {"session_id", "properties", "app_version", "platform", "country"}) {
      ck_assert_msg(!column(e, name).has_value(), "%s", name);
    }
    ck_assert_int_eq(time_of(e, "timestamp"), kNow);
    ck_assert_int_eq(time_of(e, "client_timestamp"), kNow);
    ck_assert_int_eq(text(e, "event_id")[6] >> 4, 7);
  }
}
END_TEST

START_TEST(required_members_are_required) {
  const WireForm& form = weir::track_form();
  assert_refused(Encoded(form, "{}"), "user_id", Reason::missing);
  assert_refused(Encoded(form, R"({"user_id":null})"), "user_id", Reason::missing);
  assert_refused(Encoded(form, R"({"user_id":"u"})"), "event", Reason::missing);
  assert_refused(Encoded(form, R"({"user_id":""})"), "user_id", Reason::empty);
  assert_refused(Encoded(form, R"({"user_id":7})"), "user_id", Reason::not_a_string);
  assert_refused(Encoded(form, "[7]"), "", Reason::not_an_object);
}
END_TEST

START_TEST(each_type_is_checked) {
  assert_refused(track(R"(,"session_id":{})"), "session_id", Reason::not_a_string);
  assert_refused(track(R"(,"properties":[])"), "properties", Reason::not_an_object);
  assert_refused(track(R"(,"properties":"{}")"), "properties", Reason::not_an_object);
  assert_refused(track(R"(,"timestamp":true)"), "timestamp", Reason::not_a_timestamp);
  assert_refused(track(R"(,"timestamp":"yesterday")"), "timestamp", Reason::not_a_timestamp);
  assert_refused(track(R"(,"event_id":"x")"), "event_id", Reason::not_a_uuid);
  assert_refused(track(R"(,"event_id":1)"), "event_id", Reason::not_a_uuid);
  assert_refused(track(R"(,"country":"ZZ")"), "country", Reason::not_a_country);
  assert_refused(track(R"(,"country":"Mars/Base")"), "country", Reason::not_a_country);
  assert_refused(track(R"(,"sent_at":"x","timestamp":1)"), "sent_at", Reason::not_a_timestamp);
}
END_TEST

START_TEST(faults_inside_a_stored_member_refuse_the_event) {
  assert_refused(track(R"(,"properties":{"a":["\u0000"]})"), "properties", Reason::nul_character);
  assert_refused(track(R"(,"session_id":"\ud800")"), "session_id", Reason::lone_surrogate);
  ck_assert(track(R"(,"not_stored":["\u0000"])").reason == Reason::none);
}
END_TEST

START_TEST(names_are_bounded) {
  const std::string most(200, 'x');
  ck_assert_view_eq(text(track(",\"platform\":\"" + most + "\""), "platform"), most);
  assert_refused(track(",\"platform\":\"" + most + "x\""), "platform", Reason::too_long);
}
END_TEST

START_TEST(a_country_comes_from_a_code_or_a_time_zone) {
  ck_assert_view_eq(text(track(R"(,"time_zone":"Europe/Madrid")"), "country"), "ES");
  ck_assert_view_eq(text(track(R"(,"country":"America/Mexico_City")"), "country"), "MX");
  ck_assert_view_eq(text(track(R"(,"country":"Japan")"), "country"), "JP");
  assert_refused(track(R"(,"country":"Etc/UTC")"), "country", Reason::not_a_country);
  ck_assert_view_eq(text(track(R"(,"country":"US","time_zone":"Europe/Madrid")"), "country"), "US");
  ck_assert_view_eq(text(track(R"(,"country":"","time_zone":"Europe/Madrid")"), "country"), "ES");
  ck_assert(!column(track(R"(,"time_zone":"Mars/Base")"), "country").has_value());
}
END_TEST

START_TEST(times_are_corrected_and_kept_as_sent) {
  const auto ahead = track(R"(,"timestamp":"2026-11-21T11:00:00Z","sent_at":1795262410000)");
  ck_assert_int_eq(time_of(ahead, "timestamp"), kNow - 3610 * kSecond);
  ck_assert_int_eq(time_of(ahead, "client_timestamp"), kNow - 3600 * kSecond);
  const auto future = track(R"(,"timestamp":"2026-11-22T11:00:00.000001Z")");
  ck_assert_int_eq(time_of(future, "timestamp"), kNow);
  ck_assert_int_eq(time_of(future, "client_timestamp"), kNow + 23 * 3600 * kSecond + 1);
  ck_assert_int_eq(time_of(future, "received_at"), kNow);
  const auto edge = track(R"(,"timestamp":"2026-11-22T11:00:00Z")");
  ck_assert_int_eq(time_of(edge, "timestamp"), kNow + 23 * 3600 * kSecond);
}
END_TEST

START_TEST(a_time_outside_the_years_is_refused_after_correction) {
  assert_refused(track(R"(,"timestamp":"1999-12-31T23:59:59Z")"), "timestamp",
                 Reason::out_of_range);
  assert_refused(track(R"(,"timestamp":"2101-01-01T00:00:00Z")"), "timestamp",
                 Reason::out_of_range);
  assert_refused(track(R"(,"timestamp":1e300)"), "timestamp", Reason::out_of_range);
  ck_assert_int_eq(time_of(track(R"(,"timestamp":"2000-01-01T00:00:00Z")"), "timestamp"),
                   946684800 * kSecond);
  const auto reset_clock = track(R"(,"timestamp":"1970-01-01T00:10:00Z",)"
                                 R"("sent_at":"1970-01-01T00:20:00Z")");
  ck_assert_int_eq(time_of(reset_clock, "timestamp"), kNow - 600 * kSecond);
  ck_assert_int_eq(time_of(reset_clock, "client_timestamp"), 600 * kSecond);
}
END_TEST

START_TEST(without_a_timestamp_the_time_in_a_version_7_id_counts_as_the_clients) {
  const auto e = track(R"(,"event_id":"019a0000-0000-7000-8000-000000000000")");
  ck_assert_int_eq(time_of(e, "client_timestamp"), 0x019a00000000LL * 1000);
  ck_assert_int_eq(time_of(e, "timestamp"), kNow);
  const auto wild = track(R"(,"event_id":"ffffffff-ffff-7000-8000-000000000000")");
  ck_assert_int_eq(time_of(wild, "client_timestamp"), kNow);
}
END_TEST

START_TEST(a_crashs_members_land_in_their_columns) {
  const auto c =
      crash(R"X(,"os_version":"14.1","stack_trace":"at f (a.js:1:2)","context":{"m":1},)X"
            R"("crash_id":"0190d5a0-0000-4000-8000-000000000001",)"
            R"("event_id":"0190d5a0-0000-4000-8000-000000000002")");
  ck_assert_view_eq(text(c, "os_version"), "14.1");
  ck_assert_view_eq(text(c, "crash_type"), "t");
  ck_assert_view_eq(text(c, "error_message"), "m");
  ck_assert_view_eq(text(c, "stack_trace"), "at f (a.js:1:2)");
  ck_assert_view_eq(text(c, "context"), "\x01{\"m\":1}");
  ck_assert_view_eq(text(c, "fingerprint").substr(0, 2), "1-");
  ck_assert_int_eq(text(c, "crash_id").back(), 1);
}
END_TEST

START_TEST(a_crash_can_be_named_by_event_id) {
  const auto c = crash(R"(,"event_id":"0190d5a0-0000-4000-8000-000000000002")");
  ck_assert_int_eq(text(c, "crash_id").back(), 2);
}
END_TEST

START_TEST(a_crash_has_longer_texts) {
  const std::string trace(64 << 10, 't');
  ck_assert_uint_eq(text(crash(",\"stack_trace\":\"" + trace + "\""), "stack_trace").size(),
                    64 << 10);
  assert_refused(crash(",\"stack_trace\":\"" + trace + "t\""), "stack_trace", Reason::too_long);
  const std::string message(8 << 10, 'm');
  ck_assert_uint_eq(text(crash(",\"error_message\":\"" + message + "\""), "error_message").size(),
                    8 << 10);
  assert_refused(crash(",\"error_message\":\"" + message + "m\""), "error_message",
                 Reason::too_long);
  ck_assert_view_eq(text(crash(R"(,"error_message":"")"), "error_message"), "");
}
END_TEST

START_TEST(a_command_becomes_an_event_without_a_user) {
  const auto c = cli(R"(,"execution_time":3450,"error_type":null,"prompt_length":45,)"
                     R"("output_format":"p\u006eg","model_used":"dall-e-3")");
  ck_assert(!column(c, "user_id").has_value());
  ck_assert_view_eq(text(c, "event"), "cli_command");
  ck_assert_view_eq(text(c, "session_id"), "5f3e9a52-3c0e-4d4e-9e55-1f0c6f0a7b11");
  ck_assert_view_eq(text(c, "app_version"), "1.0.0");
  ck_assert_view_eq(text(c, "properties"),
                    "\x01{\"command\":\"icon\",\"success\":false,\"execution_time\":3450,"
                    "\"prompt_length\":45,\"output_format\":\"p\\u006eg\","
                    "\"model_used\":\"dall-e-3\"}");
  ck_assert_int_eq(time_of(c, "timestamp"), 1640995200 * kSecond);
}
END_TEST

START_TEST(a_commands_time_is_corrected_too) {
  const auto c = cli(R"(,"timestamp":"2026-11-21T11:00:00Z","sent_at":"2026-11-21T12:00:10Z")");
  ck_assert_int_eq(time_of(c, "timestamp"), kNow - 3610 * kSecond);
  assert_refused(cli(R"(,"sent_at":"soon")"), "sent_at", Reason::not_a_timestamp);
}
END_TEST

START_TEST(a_commands_country_is_kept) {
  ck_assert_view_eq(text(cli(R"(,"country":"ES")"), "country"), "ES");
  ck_assert_view_eq(text(cli(R"(,"country":"Asia/Tokyo")"), "country"), "JP");
  ck_assert_view_eq(text(cli(R"(,"time_zone":"Europe/Madrid")"), "country"), "ES");
  ck_assert(!column(cli(R"(,"time_zone":"Etc/UTC")"), "country").has_value());
  ck_assert(!column(cli(R"(,"country":null)"), "country").has_value());
  assert_refused(cli(R"(,"country":"Spain")"), "country", Reason::not_a_country);
  assert_refused(cli(R"(,"country":34)"), "country", Reason::not_a_string);
  const auto c = cli(R"(,"country":"ES")");
  ck_assert_view_eq(text(c, "properties"), "\x01{\"command\":\"icon\",\"success\":false}");
}
END_TEST

START_TEST(a_commands_types_are_checked) {
  assert_refused(cli(R"(,"session_id":"s")"), "session_id", Reason::not_a_uuid);
  assert_refused(cli(R"(,"success":"true")"), "success", Reason::not_a_boolean);
  assert_refused(cli(R"(,"success":null)"), "success", Reason::missing);
  assert_refused(cli(R"(,"timestamp":null)"), "timestamp", Reason::missing);
  assert_refused(cli(R"(,"version":"")"), "version", Reason::empty);
  assert_refused(cli(R"(,"command":null)"), "command", Reason::missing);
  for (const char* number : {"-1", "1.5", "2147483648", "1e3", "\"1\""}) {
    assert_refused(cli(std::string(",\"execution_time\":") + number), "execution_time",
                   Reason::not_an_integer);
  }
  ck_assert(cli(R"(,"prompt_length":2147483647)").reason == Reason::none);
}
END_TEST

START_TEST(the_first_fault_in_the_forms_order_is_told) {
  assert_refused(Encoded(weir::track_form(), R"({"properties":7,"event":7})"), "user_id",
                 Reason::missing);
  assert_refused(Encoded(weir::track_form(), R"({"x":1,"properties":7})", true), "x",
                 Reason::unknown_field);
}
END_TEST

static const weir_test::Register kRegistered(
    "forms", {an_events_members_land_in_their_columns, what_is_not_given_or_null_is_null,
              required_members_are_required, each_type_is_checked,
              faults_inside_a_stored_member_refuse_the_event, names_are_bounded,
              a_country_comes_from_a_code_or_a_time_zone, times_are_corrected_and_kept_as_sent,
              a_time_outside_the_years_is_refused_after_correction,
              without_a_timestamp_the_time_in_a_version_7_id_counts_as_the_clients,
              a_crashs_members_land_in_their_columns, a_crash_can_be_named_by_event_id,
              a_crash_has_longer_texts, a_command_becomes_an_event_without_a_user,
              a_commands_time_is_corrected_too, a_commands_country_is_kept,
              a_commands_types_are_checked, the_first_fault_in_the_forms_order_is_told});
