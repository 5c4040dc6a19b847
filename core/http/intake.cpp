#include "core/http/intake.h"

#include <charconv>

#include "core/event/form.h"
#include "core/event/members.h"
#include "core/host/memory.h"
#include "core/http/inflate.h"
#include "core/http/media.h"
#include "core/json/capture.h"
#include "core/record/record.h"

namespace weir {

// The worker's own memory, reused from request to request.
struct Intake::Scratch {
  Capture capture;
  UuidSource ids;
  RecordWriter record;
  std::string inflated;
  std::string answer;
  std::vector<Rejection> rejections;
  std::size_t body_size = 0;  // of the last, inflated, or as much as it may have been
  bool has_much = false;      // more than kMostKept, since a request before
  unsigned unneeded = 0;      // by so many requests in a row
};

namespace {

// Until write keys name the tenant, there is one.
constexpr std::string_view kTenant = "default";

// Over a rest() and a forget(), in bytes: in all; and where that was more, of each part.
constexpr std::size_t kMostKept = 512 << 10;
constexpr std::size_t kKept = 64 << 10;
constexpr std::size_t kSmallBody = 1 << 10;  // nothing grows beyond that by one of these

// Over a forget(), while there is need for it: else batches of hundreds would get and give back the
// same pages each time, which costs three times what decoding them does. A body needs it that is
// this part of it; so many that do not, one after the other, and it goes.
constexpr std::size_t kMostSteady = 3 << 20;
constexpr std::size_t kNeedingPart = 32;
constexpr unsigned kMostUnneeded = 32;

const WireForm& form_of(Endpoint endpoint) {
  switch (endpoint) {
    case Endpoint::crash:
      return crash_form();
    case Endpoint::cli:
      return cli_form();
    case Endpoint::track:
    case Endpoint::health:
    case Endpoint::metrics:
      break;
  }
  return track_form();
}

void append_number(std::string& out, std::uint64_t number) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, static_cast<std::size_t>(end - digits));
}

Answer make_answer(int status, std::string_view body) {
  Answer answer;
  answer.status = status;
  answer.body = body;
  return answer;
}

// 413, naming the limit and its value.
Answer over_limit(std::string& out, std::string_view limit, std::size_t most) {
  out.assign(R"({"error":"Over the limit \")").append(limit).append(R"(\" of )");
  append_number(out, most);
  out.append(R"(","limit":")").append(limit).append(R"(","maximum":)");
  append_number(out, most);
  out += '}';
  return make_answer(413, out);
}

Answer invalid_json(std::string& out, std::size_t offset, std::string_view reason) {
  out.assign(R"({"error":"Invalid JSON","details":[{"offset":)");
  append_number(out, offset);
  out.append(R"(,"reason":")").append(reason).append(R"("}]})");
  return make_answer(400, out);
}

void append_rejections(std::string& out, const std::vector<Rejection>& rejections) {
  out += '[';
  for (const Rejection& rejection : rejections) {
    if (out.back() != '[') out += ',';
    out.append(R"({"index":)");
    append_number(out, rejection.index);
    // Weir's own names need no escaping; a member's name from the body is escaped as it was sent.
    out.append(R"(,"field":")").append(rejection.field);
    out.append(R"(","reason":")").append(reason_word(rejection.reason)).append(R"("})");
  }
  out += ']';
}

Answer rejected(std::string& out, const std::vector<Rejection>& rejections) {
  out.assign(R"({"error":"Invalid data","details":)");
  append_rejections(out, rejections);
  out += '}';
  return make_answer(400, out);
}

// `plain` leaves the count out, as the CLI's contract has it.
Answer accepted(std::string& out, std::size_t count, const std::vector<Rejection>& rejections,
                bool plain) {
  if (plain && rejections.empty()) return make_answer(200, R"({"status":"ok"})");
  if (count == 1 && rejections.empty()) return make_answer(200, R"({"status":"ok","accepted":1})");
  out.assign(R"({"status":"ok","accepted":)");
  append_number(out, count);
  if (!rejections.empty()) {
    out.append(R"(,"rejected":)");
    append_rejections(out, rejections);
  }
  out += '}';
  return make_answer(200, out);
}

Answer wrong_method(std::string_view allow) {
  Answer answer = make_answer(405, R"({"error":"Method not allowed"})");
  answer.allow = allow;
  return answer;
}

// Fetch, "CORS-preflight request".
bool is_preflight(const RequestHead& head) {
  return head.method == "OPTIONS" && !head.origin.empty() &&
         !head.access_control_request_method.empty();
}

std::optional<Answer> refuse_method(const Location& location, std::string_view method) {
  if (!takes_events(location.endpoint)) {
    if (method == "GET" || method == "HEAD") return std::nullopt;
    return wrong_method("GET, HEAD");
  }
  if (method == "POST") return std::nullopt;
  if (!location.cors.configured()) return wrong_method("POST");
  if (method != "OPTIONS") return wrong_method(kCorsAllowMethods);
  Answer answer = make_answer(200, R"({"status":"ok"})");
  answer.allow = kCorsAllowMethods;
  return answer;
}

// Undoes the content coding, if there is one: `body` then points into `inflated`.
std::optional<Answer> inflate(std::string& inflated, std::string& answer, const Limits& limits,
                              std::string_view content_encoding, std::string_view& body) {
  Coding coding = parse_content_encoding(content_encoding);
  if (coding == Coding::identity && looks_like_gzip(body)) coding = Coding::gzip;
  if (coding == Coding::identity) return std::nullopt;
  switch (inflate_body(coding, body, limits, inflated)) {
    case InflateStatus::ok:
      body = inflated;
      return std::nullopt;
    case InflateStatus::too_large:
      return over_limit(answer, "inflated", limits.inflated);
    case InflateStatus::too_dense:
      return over_limit(answer, "ratio", limits.ratio);
    case InflateStatus::broken:
      break;
  }
  return invalid_json(answer, 0, "broken_compression");
}

struct UnknownMembers {
  std::string_view first;  // its name; without data() there is none
  std::size_t also = 0;    // those that an event may have, but a batch may not
};

UnknownMembers unknown_beside_batch(const CapturedEvent& envelope, const WireForm& form) {
  UnknownMembers unknown{envelope.unknown_field};
  const std::size_t places = form.names.size();
  for (std::size_t i = 0; i < places; ++i) {
    if (envelope.members[i].type == JsonValue::Type::absent || i == form.sent_at) continue;
    if (unknown.first.data() == nullptr) unknown.first = form.names[i];
    ++unknown.also;
  }
  return unknown;
}

}  // namespace

Intake::Intake(Metrics& metrics) : scratch_(std::make_unique<Scratch>()), metrics_(metrics) {}
Intake::~Intake() = default;

std::optional<Answer> Intake::screen(const Location& location, const RequestHead& head) {
  std::optional<Answer> answer = refuse_head(location, head);
  if (!answer) return std::nullopt;
  answer->cors = location.cors.grant(head.origin);
  answer->cors.preflight = answer->status == 200 && is_preflight(head);
  return answer;
}

std::optional<Answer> Intake::refuse_head(const Location& location, const RequestHead& head) {
  if (auto answer = refuse_method(location, head.method)) return answer;
  if (!takes_events(location.endpoint)) return std::nullopt;
  if (!takes_media_type(head.content_type)) {
    return make_answer(
        415, R"({"error":"Content-Type has to be application/json or text/plain, in UTF-8"})");
  }
  if (parse_content_encoding(head.content_encoding) == Coding::unsupported) {
    return make_answer(415, R"({"error":"Content-Encoding has to be gzip, deflate or identity"})");
  }
  if (head.content_length && *head.content_length > location.limits.body) {
    return over_limit(scratch_->answer, "body", location.limits.body);
  }
  return std::nullopt;
}

bool Intake::is_small() const { return scratch_->body_size <= kSmallBody || memory() <= kMostKept; }

void Intake::rest() noexcept {
  if (!is_small()) let_go();
}

void Intake::let_go() noexcept {
  scratch_->capture.forget();
  empty_keeping(scratch_->inflated, kKept);
  empty_keeping(scratch_->rejections, kKept / sizeof(Rejection));
}

// True: what is there stays for the next request.
bool Intake::may_keep() noexcept {
  Scratch& s = *scratch_;
  if (!s.has_much && s.body_size <= kSmallBody) return true;
  const std::size_t bytes = memory();
  s.has_much = bytes > kMostKept;
  if (!s.has_much) return true;
  if (bytes > kMostSteady) return false;
  s.unneeded = s.body_size >= bytes / kNeedingPart ? 0 : s.unneeded + 1;
  return s.unneeded < kMostUnneeded;
}

void Intake::forget() noexcept {
  if (!may_keep()) let_all_go();
}

void Intake::release() noexcept {
  if (!is_small()) let_all_go();
}

void Intake::let_all_go() noexcept {
  scratch_->has_much = false;
  scratch_->unneeded = 0;
  let_go();
  empty_keeping(scratch_->answer, kKept);
  scratch_->record.forget(kKept);
}

std::size_t Intake::memory() const {
  const Scratch& s = *scratch_;
  return s.capture.memory() + s.inflated.capacity() + s.answer.capacity() + s.record.memory() +
         s.rejections.capacity() * sizeof(Rejection);
}

Answer Intake::body_too_large(const Location& location, const RequestHead& head) {
  Answer answer = over_limit(scratch_->answer, "body", location.limits.body);
  answer.cors = location.cors.grant(head.origin);
  return answer;
}

Answer Intake::unavailable(const Location& location, const RequestHead& head) {
  Answer answer =
      make_answer(503, R"({"error":"Temporarily unable to keep events, send them again"})");
  answer.retry_after = kRetryAfter;
  answer.cors = location.cors.grant(head.origin);
  return answer;
}

Decision Intake::take(const Location& location, const RequestHead& head, std::string_view body,
                      Timestamp now) {
  metrics_.add(Metric::body_bytes, body.size());
  Decision decision = decide(location, head.content_encoding, body, now);
  decision.answer.cors = location.cors.grant(head.origin);
  return decision;
}

Decision Intake::decide(const Location& location, std::string_view content_encoding,
                        std::string_view body, Timestamp now) {
  if (body.size() > location.limits.body) {
    return {over_limit(scratch_->answer, "body", location.limits.body), {}};
  }
  auto refused =
      inflate(scratch_->inflated, scratch_->answer, location.limits, content_encoding, body);
  scratch_->body_size = refused ? location.limits.inflated : body.size();
  if (refused) return {*refused, {}};
  const WireForm& form = form_of(location.endpoint);
  switch (scratch_->capture.read(body, form.names, location.limits)) {
    case CaptureStatus::ok:
      return encode(location, form, now);
    case CaptureStatus::too_many_events:
      return {over_limit(scratch_->answer, "events", location.limits.events), {}};
    case CaptureStatus::invalid_json:
      break;
  }
  return {invalid_json(scratch_->answer, scratch_->capture.error_offset(),
                       scratch_->capture.error_reason()),
          {}};
}

Decision Intake::encode(const Location& location, const WireForm& form, Timestamp now) {
  Scratch& s = *scratch_;
  s.rejections.clear();
  FormContext context{location.limits, location.strict, kTenant, now, std::nullopt, s.ids};
  if (!read_envelope(form, context)) {
    count_rejections();
    return {rejected(s.answer, s.rejections), {}};
  }

  s.record.begin(form.kind, kTenant, now);
  if (!encode_rows(form, context)) return {over_limit(s.answer, "record", kMaxRecord), {}};
  if (s.capture.events().empty()) s.rejections.push_back({0, "events", Reason::empty});
  metrics_.add(Metric::accepted_events, s.record.rows());
  count_rejections();
  if (s.record.rows() == 0) return {rejected(s.answer, s.rejections), {}};
  const bool plain = location.endpoint == Endpoint::cli;
  return {accepted(s.answer, s.record.rows(), s.rejections, plain), s.record.finish()};
}

void Intake::count_rejections() {
  for (const Rejection& rejection : scratch_->rejections) metrics_.refused(rejection.reason);
}

// False: the record grows larger than any may be.
bool Intake::encode_rows(const WireForm& form, const FormContext& context) {
  Scratch& s = *scratch_;
  std::size_t index = 0;
  for (const CapturedEvent& event : s.capture.events()) {
    Rejection rejection = form.encode(event, context, s.record);
    rejection.index = index++;
    if (rejection.reason != Reason::none) s.rejections.push_back(rejection);
    if (s.record.size() > kMaxRecord) return false;
  }
  return true;
}

// What stands beside a batch. One with a broken sent_at is refused whole, since no time in it could
// be corrected; and so is, where the location is strict, one with anything else beside it.
bool Intake::read_envelope(const WireForm& form, FormContext& context) {
  Scratch& s = *scratch_;
  const CapturedEvent& envelope = s.capture.envelope();
  const UnknownMembers unknown = unknown_beside_batch(envelope, form);
  if (const auto count = s.capture.unknown_fields() + unknown.also; count > 0) {
    metrics_.add(Metric::unknown_fields, count);
  }
  if (context.strict && unknown.first.data() != nullptr) {
    s.rejections.push_back({0, unknown.first, Reason::unknown_field});
    return false;
  }
  const JsonValue& value = envelope.members[form.sent_at];
  if (!value.given()) return true;
  Reason reason;
  context.sent_at = read_time(value, reason);
  if (!context.sent_at) s.rejections.push_back({0, "sent_at", reason});
  return context.sent_at.has_value();
}

}  // namespace weir
