#include <string>

#include "core/http/intake.h"
#include "core/record/record.h"
#include "t/unit/metrics_zone.h"
#include "t/unit/rows.h"
#include "t/unit/suite.h"

using weir::Decision;
using weir::Endpoint;
using weir::Intake;
using weir::Location;
using weir::RequestHead;

namespace {

constexpr weir::Timestamp kNow = 1'795'262'400'000'000;  // 2026-11-21T12:00:00Z

struct Counting {
  std::string figure(std::string_view series) { return zone.figure(series); }
  int unknown_fields() { return std::stoi(figure("weir_unknown_fields_total")); }

  weir_test::Zone zone;
  weir::Metrics metrics{zone.memory(), 1, weir_test::always_alive};
  Intake intake{metrics};
};

Location location_for(Endpoint endpoint) {
  Location location;
  location.endpoint = endpoint;
  return location;
}

RequestHead post(std::string_view content_type = "application/json") {
  RequestHead head;
  head.method = "POST";
  head.content_type = content_type;
  return head;
}

void assert_answer(const Decision& decision, int status, std::string_view body) {
  ck_assert_view_eq(decision.answer.body, body);
  ck_assert_int_eq(decision.answer.status, status);
  ck_assert(decision.record.empty() == (status != 200));
}

void assert_screened(const Location& location, const RequestHead& head, int status) {
  Counting counting;
  Intake& intake = counting.intake;
  const auto answer = intake.screen(location, head);
  ck_assert_int_eq(answer ? answer->status : 0, status);
  if (answer) ck_assert(answer->body.front() == '{' && answer->body.back() == '}');
}

const char* const kValid = R"({"user_id":"u","event":"e"})";

}  // namespace

START_TEST(a_valid_event_is_accepted_and_recorded) {
  Counting counting;
  Intake& intake = counting.intake;
  const auto decision = intake.take(location_for(Endpoint::track), post(), kValid, kNow);
  assert_answer(decision, 200, R"({"status":"ok","accepted":1})");
  ck_assert_uint_eq(weir_test::read_rows(decision.record).size(), 1);
}
END_TEST

START_TEST(within_a_batch_the_valid_events_are_kept) {
  Counting counting;
  Intake& intake = counting.intake;
  const std::string body = std::string("[") + kValid + R"(,{"event":"e"},7,)" + kValid + "]";
  const auto decision = intake.take(location_for(Endpoint::track), post(), body, kNow);
  assert_answer(decision, 200,
                R"({"status":"ok","accepted":2,"rejected":[)"
                R"({"index":1,"field":"user_id","reason":"missing"},)"
                R"({"index":2,"field":"","reason":"not_an_object"}]})");
  ck_assert_uint_eq(weir_test::read_rows(decision.record).size(), 2);
}
END_TEST

START_TEST(without_a_valid_event_nothing_is_recorded) {
  Counting counting;
  Intake& intake = counting.intake;
  assert_answer(intake.take(location_for(Endpoint::track), post(), "[{}]", kNow), 400,
                R"({"error":"Invalid data","details":[)"
                R"({"index":0,"field":"user_id","reason":"missing"}]})");
  assert_answer(intake.take(location_for(Endpoint::track), post(), "[]", kNow), 400,
                R"({"error":"Invalid data","details":[)"
                R"({"index":0,"field":"events","reason":"empty"}]})");
}
END_TEST

START_TEST(broken_json_is_answered_with_its_place) {
  Counting counting;
  Intake& intake = counting.intake;
  assert_answer(intake.take(location_for(Endpoint::track), post(), "{\"a\":", kNow), 400,
                R"({"error":"Invalid JSON","details":[)"
                R"({"offset":5,"reason":"unexpected_end"}]})");
}
END_TEST

START_TEST(a_limit_on_the_request_is_named) {
  Counting counting;
  Intake& intake = counting.intake;
  Location location = location_for(Endpoint::track);
  location.limits.events = 1;
  assert_answer(intake.take(location, post(), "[{},{}]", kNow), 413,
                R"({"error":"Over the limit \"events\" of 1","limit":"events","maximum":1})");
  location.limits.body = 10;
  assert_answer(intake.take(location, post(), kValid, kNow), 413,
                R"({"error":"Over the limit \"body\" of 10","limit":"body","maximum":10})");
}
END_TEST

START_TEST(the_cli_hears_ok_and_nothing_more) {
  Counting counting;
  Intake& intake = counting.intake;
  const auto decision = intake.take(
      location_for(Endpoint::cli), post(),
      R"({"session_id":"5f3e9a52-3c0e-4d4e-9e55-1f0c6f0a7b11","command":"icon","success":true,)"
      R"("timestamp":1640995200000,"version":"1.0.0"})",
      kNow);
  assert_answer(decision, 200, R"({"status":"ok"})");
}
END_TEST

START_TEST(a_batch_without_its_own_sent_at_uses_the_envelopes) {
  Counting counting;
  Intake& intake = counting.intake;
  const auto decision =
      intake.take(location_for(Endpoint::track), post(),
                  R"({"events":[{"user_id":"u","event":"e","timestamp":"2026-11-21T11:00:00Z"},)"
                  R"({"user_id":"u","event":"e","timestamp":"2026-11-21T11:00:00Z",)"
                  R"("sent_at":"2026-11-21T11:59:50Z"}],"sent_at":"2026-11-21T12:00:10Z"})",
                  kNow);
  const auto rows = weir_test::read_rows(decision.record);
  const std::int64_t eleven = kNow - 3600 * 1'000'000LL;
  ck_assert_int_eq(weir_test::micros(rows[0].find("timestamp")->second), eleven - 10'000'000);
  ck_assert_int_eq(weir_test::micros(rows[1].find("timestamp")->second), eleven + 10'000'000);
  ck_assert_int_eq(weir_test::micros(rows[0].find("client_timestamp")->second), eleven);
}
END_TEST

START_TEST(a_batch_with_a_broken_sent_at_is_refused_whole) {
  Counting counting;
  Intake& intake = counting.intake;
  assert_answer(intake.take(location_for(Endpoint::track), post(),
                            std::string("{\"events\":[") + kValid + "],\"sent_at\":\"now\"}", kNow),
                400,
                R"({"error":"Invalid data","details":[)"
                R"({"index":0,"field":"sent_at","reason":"not_a_timestamp"}]})");
}
END_TEST

START_TEST(a_strict_location_names_the_unknown_member) {
  Counting counting;
  Intake& intake = counting.intake;
  Location location = location_for(Endpoint::track);
  const std::string body = R"({"user_id":"u","event":"e","x\"\u0041":1})";
  ck_assert_int_eq(intake.take(location, post(), body, kNow).answer.status, 200);
  ck_assert_int_eq(counting.unknown_fields(), 1);
  location.strict = true;
  assert_answer(intake.take(location, post(), body, kNow), 400,
                R"({"error":"Invalid data","details":[)"
                R"({"index":0,"field":"x\"\u0041","reason":"unknown_field"}]})");
}
END_TEST

START_TEST(what_stands_beside_a_batch_is_counted) {
  Counting counting;
  Intake& intake = counting.intake;
  const std::string batch = std::string("{\"sent_at\":0,\"batch\":[") + kValid + "]";
  const Location location = location_for(Endpoint::track);
  const auto unknown = [&](const std::string& more) {
    const auto before = counting.unknown_fields();
    ck_assert_int_eq(intake.take(location, post(), batch + more + "}", kNow).answer.status, 200);
    return counting.unknown_fields() - before;
  };
  ck_assert_int_eq(unknown(""), 0);
  ck_assert_int_eq(unknown(R"(,"events":null)"), 0);
  ck_assert_int_eq(unknown(R"(,"api_key":"k","user_id":"u","country":null)"), 3);
  ck_assert_int_eq(unknown(R"(,"events":{})"), 1);
}
END_TEST

START_TEST(a_strict_location_refuses_a_batch_by_what_stands_beside_it) {
  Counting counting;
  Intake& intake = counting.intake;
  Location location = location_for(Endpoint::track);
  location.strict = true;
  const std::string batch = std::string("{\"sent_at\":0,\"batch\":[") + kValid + "]";
  const auto assert_refused = [&](const std::string& more, const std::string& field) {
    assert_answer(intake.take(location, post(), batch + more + "}", kNow), 400,
                  R"({"error":"Invalid data","details":[{"index":0,"field":")" + field +
                      R"(","reason":"unknown_field"}]})");
  };
  ck_assert_int_eq(intake.take(location, post(), batch + "}", kNow).answer.status, 200);
  assert_refused(R"(,"api\u005fkey":"k")", R"(api\u005fkey)");
  assert_refused(R"(,"user_id":"u")", "user_id");
  assert_refused(R"(,"events":7)", "events");
}
END_TEST

START_TEST(events_their_faults_and_bytes_are_counted) {
  Counting counting;
  Intake& intake = counting.intake;
  const Location location = location_for(Endpoint::track);
  const std::string body = std::string("[") + kValid + R"(,{"event":"e"},7,)" + kValid + "]";
  intake.take(location, post(), body, kNow);
  intake.take(location, post(), "[]", kNow);
  intake.take(location, post(), "[", kNow);
  intake.take(location, post(), R"({"events":[],"sent_at":true})", kNow);
  ck_assert_view_eq(counting.figure("weir_events_accepted_total"), "2");
  ck_assert_view_eq(counting.figure("weir_body_bytes_total"),
                    std::to_string(body.size() + 2 + 1 + 28));
  const auto refused = [&](std::string_view reason, std::string_view count) {
    const auto series = R"(weir_events_refused_total{reason=")" + std::string(reason) + "\"}";
    ck_assert_view_eq(counting.figure(series), count);
  };
  refused("missing", "1");
  refused("not_an_object", "1");
  refused("empty", "1");
  refused("not_a_timestamp", "1");
  refused("too_long", "0");
}
END_TEST

START_TEST(health_and_metrics_are_asked_for) {
  for (const Endpoint endpoint : {Endpoint::health, Endpoint::metrics}) {
    RequestHead head;
    for (const char* method : {"GET", "HEAD"}) {
      head.method = method;
      assert_screened(location_for(endpoint), head, 0);
    }
    assert_screened(location_for(endpoint), post(), 405);
  }
}
END_TEST

// Three properties make a record whose size the last of them sets.
START_TEST(a_record_may_be_as_large_as_one_can_be_kept_and_no_larger) {
  Counting counting;
  Intake& intake = counting.intake;
  Location location = location_for(Endpoint::track);
  location.limits.string = 16 << 20;
  location.limits.body = location.limits.inflated = 64 << 20;
  const auto body = [](std::size_t last) {
    const std::string full(15 << 20, 'x');
    return R"({"user_id":"u","event":"e","properties":{"a":")" + full + R"(","b":")" + full +
           R"(","c":")" + std::string(last, 'x') + "\"}}";
  };
  const std::size_t without = intake.take(location, post(), body(0), kNow).record.size();
  const auto at = intake.take(location, post(), body(weir::kMaxRecord - without), kNow);
  ck_assert_int_eq(at.answer.status, 200);
  ck_assert_uint_eq(at.record.size(), weir::kMaxRecord);
  assert_answer(intake.take(location, post(), body(weir::kMaxRecord - without + 1), kNow), 413,
                R"({"error":"Over the limit \"record\" of 33554432","limit":"record",)"
                R"("maximum":33554432})");
}
END_TEST

START_TEST(methods_are_screened) {
  const Location track = location_for(Endpoint::track);
  RequestHead head = post();
  assert_screened(track, head, 0);
  for (const char* method : {"GET", "PUT", "OPTIONS", "DELETE", "post"}) {
    head.method = method;
    assert_screened(track, head, 405);
  }
  head.method = "HEAD";
  assert_screened(location_for(Endpoint::health), head, 0);
  head.method = "POST";
  assert_screened(location_for(Endpoint::health), head, 405);
}
END_TEST

// A location that names one origin, and a request from there.
struct FromApp {
  explicit FromApp(Endpoint endpoint = Endpoint::track) {
    location.endpoint = endpoint;
    ck_assert_view_eq(location.cors.add_origin("https://app.example"), "");
    head = post();
    head.origin = "https://app.example";
  }

  weir::Answer screened() {
    const auto answer = intake.screen(location, head);
    ck_assert(answer.has_value());
    return *answer;
  }

  Counting counting;
  Intake& intake = counting.intake;
  Location location;
  RequestHead head;
};

START_TEST(options_are_answered_where_origins_are_configured) {
  FromApp app;
  app.head.method = "OPTIONS";
  ck_assert_int_eq(app.screened().status, 200);
  ck_assert_view_eq(app.screened().allow, "POST, OPTIONS");
  app.head.method = "GET";
  ck_assert_int_eq(app.screened().status, 405);
  ck_assert_view_eq(app.screened().allow, "POST, OPTIONS");
}
END_TEST

START_TEST(a_preflight_has_an_origin_and_the_method_that_it_asks_for) {
  FromApp app;
  app.head.method = "OPTIONS";
  ck_assert(!app.screened().cors.preflight);
  app.head.access_control_request_method = "POST";
  ck_assert(app.screened().cors.preflight);
  app.head.origin = {};
  ck_assert(!app.screened().cors.preflight);
  FromApp health(Endpoint::health);
  health.head.method = "OPTIONS";
  health.head.access_control_request_method = "GET";
  ck_assert_int_eq(health.screened().status, 405);
  ck_assert(!health.screened().cors.preflight);
}
END_TEST

START_TEST(every_answer_says_whose_pages_may_read_it) {
  FromApp app;
  const auto granted = [&](const weir::Answer& answer) {
    return answer.cors.varies && answer.cors.origin == app.head.origin;
  };
  ck_assert(granted(app.intake.take(app.location, app.head, kValid, kNow).answer));
  ck_assert(granted(app.intake.take(app.location, app.head, "{", kNow).answer));
  ck_assert(granted(app.intake.body_too_large(app.location, app.head)));
  ck_assert(granted(Intake::unavailable(app.location, app.head)));
  app.head.content_type = "text/html";
  ck_assert(granted(app.screened()));
  FromApp health(Endpoint::health);
  ck_assert(granted(health.screened()));  // a wrong method
}
END_TEST

START_TEST(what_cannot_be_kept_is_to_be_sent_again) {
  const auto answer = Intake::unavailable(location_for(Endpoint::track), post());
  ck_assert_int_eq(answer.status, 503);
  ck_assert_view_eq(answer.retry_after, "2");
  ck_assert(!answer.cors.varies);
}
END_TEST

START_TEST(media_types_are_screened) {
  const Location track = location_for(Endpoint::track);
  for (const char* taken :
       {"", "application/json", "Application/JSON; charset=UTF-8", "text/plain;charset=\"utf-8\"",
        "application/json; profile=x", "text/plain ; charset = us-ascii"}) {
    assert_screened(track, post(taken), 0);
  }
  for (const char* refused :
       {"application/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
        "application/json; charset=utf-16", "text/plain; charset=latin1", "application/jsonx"}) {
    assert_screened(track, post(refused), 415);
  }
}
END_TEST

START_TEST(content_codings_and_lengths_are_screened) {
  Location track = location_for(Endpoint::track);
  RequestHead head = post();
  head.content_encoding = "br";
  assert_screened(track, head, 415);
  head.content_encoding = "gzip";
  head.content_length = track.limits.body;
  assert_screened(track, head, 0);
  head.content_length = track.limits.body + 1;
  assert_screened(track, head, 413);
}
END_TEST

START_TEST(broken_compression_is_answered) {
  Counting counting;
  Intake& intake = counting.intake;
  assert_answer(intake.take(location_for(Endpoint::track), post(), "\x1f\x8b\x08garbage", kNow),
                400,
                R"({"error":"Invalid JSON","details":[)"
                R"({"offset":0,"reason":"broken_compression"}]})");
}
END_TEST

START_TEST(a_rest_gives_back_what_decoding_took_and_leaves_the_decision) {
  Counting counting;
  Intake& intake = counting.intake;
  std::string batch = "[";
  for (int i = 0; i < 500; ++i) batch += std::string(i == 0 ? "" : ",") + kValid;
  const Decision decision = intake.take(location_for(Endpoint::track), post(), batch + "]", kNow);
  const std::string record(decision.record);
  intake.rest();
  ck_assert_view_eq(decision.answer.body, R"({"status":"ok","accepted":500})");
  ck_assert_view_eq(decision.record, record);
  ck_assert_uint_ge(intake.memory(), record.size());
  assert_answer(intake.take(location_for(Endpoint::track), post(), kValid, kNow), 200,
                R"({"status":"ok","accepted":1})");
}
END_TEST

std::string many(const std::string& event, int count) {
  std::string body = "[";
  for (int i = 0; i < count; ++i) body += (i == 0 ? "" : ",") + event;
  return body + "]";
}

void take_small_ones(Intake& intake, int count) {
  for (int i = 0; i < count; ++i) {
    intake.take(location_for(Endpoint::track), post(), kValid, kNow);
    intake.forget();
  }
}

START_TEST(batches_of_hundreds_find_their_memory_until_no_more_come) {
  Counting counting;
  Intake& intake = counting.intake;
  const std::size_t at_first = intake.memory();
  const std::string body =
      many(R"({"event":"e","user_id":")" + std::string(250, 'u') + R"("})", 300);
  intake.take(location_for(Endpoint::track), post(), body, kNow);
  intake.forget();
  const std::size_t grown = intake.memory();
  ck_assert_uint_gt(grown, at_first + 300'000);
  ck_assert_uint_lt(grown, 3 << 20);
  for (int i = 0; i < 100; ++i) {
    take_small_ones(intake, 31);
    ck_assert_uint_eq(intake.memory(), grown);
    intake.take(location_for(Endpoint::track), post(), body, kNow);
    intake.forget();
    ck_assert_uint_eq(intake.memory(), grown);
  }
  take_small_ones(intake, 32);
  ck_assert_uint_le(intake.memory(), at_first + 100'000);
}
END_TEST

START_TEST(of_a_large_batch_no_memory_stays) {
  Counting counting;
  Intake& intake = counting.intake;
  const std::size_t at_first = intake.memory();
  const std::string long_id(900, 'u');
  const std::string taken = many(R"({"event":"e","user_id":")" + long_id + R"("})", 1000);
  for (const std::string& body : {taken, many(R"({"event":"e"})", 1000)}) {
    intake.take(location_for(Endpoint::track), post(), body, kNow);
    ck_assert_uint_gt(intake.memory(), at_first + 500'000);
    intake.forget();
    if (body == taken) ck_assert_uint_le(intake.memory(), at_first + 100'000);
    take_small_ones(intake, 32);
    ck_assert_uint_le(intake.memory(), at_first + 100'000);
  }
  assert_answer(intake.take(location_for(Endpoint::track), post(), kValid, kNow), 200,
                R"({"status":"ok","accepted":1})");
}
END_TEST

START_TEST(once_released_it_holds_nothing_large_however_often) {
  Counting counting;
  Intake& intake = counting.intake;
  const std::size_t at_first = intake.memory();
  for (const std::string& body : {many(R"({"event":"e"})", 20'000), many(kValid, 5'000)}) {
    for (int i = 0; i < 3; ++i) {
      intake.take(location_for(Endpoint::track), post(), body, kNow);
      ck_assert_uint_gt(intake.memory(), at_first + 500'000);
      intake.release();
      ck_assert_uint_le(intake.memory(), at_first + 100'000);
    }
  }
}
END_TEST

static const weir_test::Register kRegistered(
    "intake", {a_valid_event_is_accepted_and_recorded,
               within_a_batch_the_valid_events_are_kept,
               without_a_valid_event_nothing_is_recorded,
               broken_json_is_answered_with_its_place,
               a_limit_on_the_request_is_named,
               the_cli_hears_ok_and_nothing_more,
               a_batch_without_its_own_sent_at_uses_the_envelopes,
               a_batch_with_a_broken_sent_at_is_refused_whole,
               a_strict_location_names_the_unknown_member,
               what_stands_beside_a_batch_is_counted,
               events_their_faults_and_bytes_are_counted,
               health_and_metrics_are_asked_for,
               a_strict_location_refuses_a_batch_by_what_stands_beside_it,
               a_record_may_be_as_large_as_one_can_be_kept_and_no_larger,
               methods_are_screened,
               options_are_answered_where_origins_are_configured,
               a_preflight_has_an_origin_and_the_method_that_it_asks_for,
               every_answer_says_whose_pages_may_read_it,
               what_cannot_be_kept_is_to_be_sent_again,
               media_types_are_screened,
               content_codings_and_lengths_are_screened,
               broken_compression_is_answered,
               of_a_large_batch_no_memory_stays,
               once_released_it_holds_nothing_large_however_often,
               batches_of_hundreds_find_their_memory_until_no_more_come,
               a_rest_gives_back_what_decoding_took_and_leaves_the_decision});
