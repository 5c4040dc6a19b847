#include "apache_module/request.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>

#include "apache_module/body.h"
#include "apache_module/check.h"
#include "apache_module/child.h"
#include "apache_module/directives.h"
#include "apache_module/keepalive_grace.h"
#include "apache_module/response.h"
#include "core/config/words.h"
#include "fault/fault_point.h"

namespace weir {
namespace {

// Has a record kept. It lies on the stack of the request's thread, which sleeps meanwhile.
class KeepErrand final : public Errand, public KeepCustomer {
 public:
  KeepErrand(std::string_view record, std::uint8_t replicas)
      : record_(record), replicas_(replicas) {}

  bool is_kept() const { return kept_; }
  void kept(bool kept) noexcept override {
    WEIR_FAULT_POINT(before_answer);
    kept_ = kept;
    done();
  }

 private:
  void run(Edge& edge) noexcept override {
    if (!edge.keeper.keep(record_, replicas_, *this, ticket_)) done();
  }
  void refuse() noexcept override { done(); }

  std::string_view record_;
  std::uint8_t replicas_;
  Keeper::Ticket ticket_;
  bool kept_ = false;
};

// Asks how it is.
class TellErrand final : public Errand {
 public:
  explicit TellErrand(Endpoint endpoint) : endpoint_(endpoint) {}

  const std::optional<Answer>& answer() const { return answer_; }

 private:
  void run(Edge& edge) noexcept override {
    try {
      answer_ = edge.tell(endpoint_, page_);
    } catch (...) {
      log_exception();
    }
    done();
  }
  void refuse() noexcept override { done(); }

  Endpoint endpoint_;
  std::string page_;
  std::optional<Answer> answer_;
};

// One request, from the moment that it is Weir's.
class Visit {
 public:
  Visit(request_rec* r, Child& child, Location location)
      : r_(r), child_(child), location_(std::move(location)) {}

  int answer();

 private:
  int answer_early(const Answer& answer) {
    const Sent when = head_.content_length.value_or(1) > 0 ? Sent::early : Sent::after_body;
    return send_answer(r_, metrics(), location_.endpoint, answer, when);
  }
  int send(const Answer& answer) {
    return send_answer(r_, metrics(), location_.endpoint, answer, Sent::after_body);
  }
  // False: it is answered, with what `status` then says.
  bool screen(int& status);
  int tell();
  int decide();
  bool keep(std::string_view record);
  Metrics& metrics() { return child_.writer.metrics(); }

  request_rec* r_;
  Child& child_;
  Location location_;
  RequestHead head_;
  std::string body_;
};

bool is_chunked(const request_rec* r) { return !header(r, "Transfer-Encoding").empty(); }

// httpd joins several lines of one name (RFC 9110 section 5.3), and has looked at the length.
RequestHead head_of(const request_rec* r) {
  RequestHead head;
  head.method = view(r->method);
  head.content_type = header(r, "Content-Type");
  head.content_encoding = header(r, "Content-Encoding");
  head.origin = header(r, "Origin");
  head.access_control_request_method = header(r, "Access-Control-Request-Method");
  apr_off_t length = 0;
  const char* announced = apr_table_get(r->headers_in, "Content-Length");
  if (announced != nullptr && ap_parse_strict_length(&length, announced)) {
    head.content_length = static_cast<std::uint64_t>(length);
  } else if (!is_chunked(r)) {
    head.content_length = 0;
  }
  return head;
}

// An intake is for as long as something is decided: whoever waits for a slow client needs none.
bool Visit::screen(int& status) {
  const IntakeLease intake(child_);
  const auto answer = intake->screen(location_, head_);
  if (answer) status = answer_early(*answer);
  return !answer;
}

int Visit::answer() {
  int status = OK;
  head_ = head_of(r_);
  if (!screen(status)) return status;
  if (!takes_events(location_.endpoint)) return tell();
  // Room that nobody has written to yet costs nothing, so what is announced may be believed.
  body_.reserve(std::min<std::size_t>(head_.content_length.value_or(0), location_.limits.body));
  switch (read_body(r_, location_.limits.body, body_, status)) {
    case BodyRead::failed:
      return status;
    case BodyRead::too_large:
      return answer_early(IntakeLease(child_)->body_too_large(location_, head_));
    case BodyRead::ok:
      break;
  }
  // mod_deflate, where it is told to, inflates bodies and takes the header away when it begins.
  head_.content_encoding = header(r_, "Content-Encoding");
  return decide();
}

int Visit::tell() {
  TellErrand errand(location_.endpoint);
  if (child_.writer.hand_in(errand)) errand.wait();
  if (!errand.answer()) return answer_early(Intake::unavailable(location_, head_));
  Answer answer = *errand.answer();
  answer.cors = location_.cors.grant(head_.origin);
  return answer_early(answer);
}

int Visit::decide() {
  using std::chrono::microseconds;
  using std::chrono::system_clock;
  const auto now = std::chrono::duration_cast<microseconds>(system_clock::now().time_since_epoch());
  const IntakeLease intake(child_);
  const Decision decision = intake->take(location_, head_, body_, now.count());
  intake->rest();
  if (decision.record.empty() || keep(decision.record)) return send(decision.answer);
  return send(Intake::unavailable(location_, head_));
}

bool Visit::keep(std::string_view record) {
  const auto since = std::chrono::steady_clock::now();
  KeepErrand errand(record, location_.replicas);
  if (!child_.writer.hand_in(errand)) return false;
  errand.wait();
  if (!errand.is_kept()) return false;
  metrics().kept_after(std::chrono::steady_clock::now() - since);
  return true;
}

int fail(const std::string& sentence) {
  log_fault(sentence);
  return HTTP_INTERNAL_SERVER_ERROR;
}

// A child that could not start its threads.
int answer_without_child(request_rec* r, Endpoint endpoint) {
  Metrics nowhere;
  const Answer answer = Intake::unavailable(settings_of(r).location(), head_of(r));
  return send_answer(r, nowhere, endpoint, answer, Sent::early);
}

int answer(request_rec* r) {
  const std::string_view handler = view(r->handler);
  const auto endpoint = endpoint_from_word(handler.substr(kHandlerPrefix.size()));
  if (!endpoint) return fail("weir has no handler " + quoted(handler));
  if (r->main != nullptr) {
    return fail("weir takes no subrequests: something includes its location");
  }
  Child* const child = current_child();
  if (child == nullptr) {
    if (server_conf(ap_server_conf).edge.redis) return answer_without_child(r, *endpoint);
    return fail("weir needs a Redis to keep events in: add \"WeirRedis\" to the configuration");
  }
  remember_connection(r->connection);
  Location location = settings_of(r).location();
  location.endpoint = *endpoint;
  location.limits.body = take_over_limit(r, location.limits.body);
  return Visit(r, *child, std::move(location)).answer();
}

}  // namespace

int handle_request(request_rec* r) noexcept {
  if (view(r->handler).substr(0, kHandlerPrefix.size()) != kHandlerPrefix) return DECLINED;
  try {
    return answer(r);
  } catch (...) {
    log_exception();
    return HTTP_INTERNAL_SERVER_ERROR;
  }
}

}  // namespace weir
