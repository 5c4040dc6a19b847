#include "ngx_module/request.h"

#include <new>
#include <type_traits>

#include "core/http/intake.h"
#include "fault/fault_point.h"
#include "ngx_module/body.h"
#include "ngx_module/directives.h"
#include "ngx_module/pool.h"
#include "ngx_module/response.h"
#include "ngx_module/worker.h"

namespace weir {
namespace {

// One request from the moment that its body is wanted.
class Visit final : public KeepCustomer {
 public:
  Visit(ngx_http_request_t* r, const Location& location, const RequestHead& head)
      : r_(r), location_(location), head_(head) {}

  void read_body();
  void kept(bool kept) noexcept override;

 private:
  static void on_gone(void* data) noexcept;

  void decide();
  bool keep(const Decision& decision);
  void count_wait() const;
  void too_large();
  void finish(const Answer& answer);

  ngx_http_request_t* r_;
  const Location& location_;
  RequestHead head_;
  Body body_;
  Answer answer_;  // for when the record is kept
  Keeper::Ticket ticket_;
  bool waiting_ = false;
  std::chrono::steady_clock::time_point since_;  // when it began to wait
};
static_assert(std::is_trivially_destructible_v<Visit>, "it lies in a pool and is never destroyed");

Visit* visit_of(ngx_http_request_t* r) {
  return static_cast<Visit*>(ngx_http_get_module_ctx(r, ngx_http_weir_module));
}

// Where a header belongs of which nginx keeps no pointer, or only one line; null: it is of no
// interest.
std::string_view* place_for(RequestHead& head, std::string_view lower_case_name) {
  if (lower_case_name == "content-type") return &head.content_type;
  if (lower_case_name == "origin") return &head.origin;
  if (lower_case_name == "content-encoding") return &head.content_encoding;
  if (lower_case_name == "access-control-request-method") {
    return &head.access_control_request_method;
  }
  return nullptr;
}

// Several lines of one name are one list (RFC 9110 section 5.3).
std::string_view join(ngx_http_request_t* r, std::string_view first, std::string_view second) {
  const std::size_t size = first.size() + 2 + second.size();
  auto* bytes = static_cast<u_char*>(ngx_pnalloc(r->pool, size));
  if (bytes == nullptr) throw std::bad_alloc();
  u_char* end = ngx_cpymem(bytes, first.data(), first.size());
  end = ngx_cpymem(end, ", ", 2);
  ngx_memcpy(end, second.data(), second.size());
  return {reinterpret_cast<char*>(bytes), size};
}

void add_header(ngx_http_request_t* r, RequestHead& head, const ngx_table_elt_t& header) {
  std::string_view* place = place_for(head, view({header.key.len, header.lowcase_key}));
  if (place == nullptr) return;
  *place = place->empty() ? view(header.value) : join(r, *place, view(header.value));
}

RequestHead head_of(ngx_http_request_t* r) {
  RequestHead head;
  head.method = view(r->method_name);
  if (r->headers_in.content_length_n >= 0) {
    head.content_length = static_cast<std::uint64_t>(r->headers_in.content_length_n);
  }
  for (ngx_list_part_t* part = &r->headers_in.headers.part; part != nullptr; part = part->next) {
    const auto* headers = static_cast<ngx_table_elt_t*>(part->elts);
    for (ngx_uint_t i = 0; i < part->nelts; i++) add_header(r, head, headers[i]);
  }
  return head;
}

// Answers without the body: whatever of it comes is thrown away.
ngx_int_t answer_early(ngx_http_request_t* r, const Answer& answer) {
  // A client that waits for "100 Continue" may take this answer and never send its body.
  if (r->headers_in.expect != nullptr || answer.status == NGX_HTTP_REQUEST_ENTITY_TOO_LARGE) {
    r->keepalive = 0;
  }
  r->expect_tested = 1;
  const ngx_int_t rc = ngx_http_discard_request_body(r);
  return rc == NGX_OK ? send_answer(r, answer) : rc;
}

ngx_int_t answer_from_within(ngx_http_request_t* r, const Location& location,
                             const RequestHead& head) {
  std::string page;
  Answer answer = current_worker()->edge.tell(location.endpoint, page);
  answer.cors = location.cors.grant(head.origin);
  return answer_early(r, answer);
}

// Inside a catch.
void log_exception() noexcept {
  std::string text;
  const auto sentence = exception_sentence(text);
  ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0, "%*s", WEIR_TEXT(sentence));
}

// Nothing is finalized yet when Visit throws on the way.
void read_body_of(ngx_http_request_t* r) noexcept {
  try {
    visit_of(r)->read_body();
  } catch (...) {
    log_exception();
    ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
  }
}

void Visit::read_body() {
  r_->read_event_handler = read_body_of;
  for (;;) {
    ngx_int_t rc = NGX_OK;
    if (r_->reading_body) {
      rc = ngx_http_read_unbuffered_request_body(r_);
      if (rc >= NGX_HTTP_SPECIAL_RESPONSE) return ngx_http_finalize_request(r_, rc);
    }
    const bool more = r_->request_body != nullptr && r_->request_body->bufs != nullptr;
    switch (body_.gather(r_, location_.limits.body, current_worker()->body_space)) {
      case Body::Gathered::too_large:
        return too_large();
      case Body::Gathered::failed:
        return ngx_http_finalize_request(r_, NGX_HTTP_INTERNAL_SERVER_ERROR);
      case Body::Gathered::ok:
        break;
    }
    if (!r_->reading_body) return decide();
    if (!more) return;  // nginx calls again
  }
}

void Visit::too_large() {
  r_->keepalive = 0;
#if (NGX_HTTP_V2)
  if (r_->stream != nullptr) r_->stream->skip_data = 1;
#endif
  finish(current_worker()->intake.body_too_large(location_, head_));
}

void Visit::decide() {
  Worker& worker = *current_worker();
  const Decision decision = worker.intake.take(location_, head_, body_.view(), worker.clock.wall());
  if (decision.record.empty()) {
    finish(decision.answer);
    return worker.intake.forget();
  }
  const bool waits = keep(decision);
  worker.intake.forget();
  if (!waits) return finish(Intake::unavailable(location_, head_));
  body_.release(r_);
  r_->connection->log->action = const_cast<char*>("waiting for Redis or the spool");
  // A client may have closed its half and still wait; whoever is gone costs one answer.
  r_->read_event_handler = ngx_http_block_reading;
}

// True: kept() will be told.
bool Visit::keep(const Decision& decision) {
  ngx_http_cleanup_t* cleanup = ngx_http_cleanup_add(r_, 0);
  if (cleanup == nullptr) return false;
  answer_ = decision.answer;
  if (!keep_body(r_, answer_)) return false;
  since_ = current_worker()->moment();
  waiting_ =
      current_worker()->edge.keeper.keep(decision.record, location_.replicas, *this, ticket_);
  if (waiting_) {
    cleanup->data = this;
    cleanup->handler = on_gone;
  }
  return waiting_;
}

void Visit::count_wait() const {
  Worker& worker = *current_worker();
  worker.edge.metrics.kept_after(worker.moment() - since_);
}

// Runs inside the handlers of the connection to Redis or of the thread pool, so that what nginx
// would do for the client's own events has to be done here.
void Visit::kept(bool kept) noexcept {
  WEIR_FAULT_POINT(before_answer);
  waiting_ = false;
  if (kept) count_wait();
  ngx_connection_t* connection = r_->connection;
  ngx_http_set_log_request(connection->log, r_);
  if (!kept) answer_ = Intake::unavailable(location_, head_);
  ngx_http_finalize_request(r_, send_kept(r_, answer_));
  ngx_http_run_posted_requests(connection);
}

// The request is over, answered or not.
void Visit::on_gone(void* data) noexcept {
  auto* visit = static_cast<Visit*>(data);
  if (visit->waiting_) current_worker()->edge.keeper.forget(visit->ticket_);
}

void Visit::finish(const Answer& answer) { ngx_http_finalize_request(r_, send_answer(r_, answer)); }

ngx_int_t handle(ngx_http_request_t* r) {
  Worker* worker = current_worker();
  if (worker == nullptr) return NGX_HTTP_SERVICE_UNAVAILABLE;
  if (r != r->main) {
    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "weir takes no subrequests: something includes or mirrors to its location");
    return NGX_HTTP_INTERNAL_SERVER_ERROR;
  }
  worker->grace.remember(r);
  const Location& location = location_of(r);
  const RequestHead head = head_of(r);
  if (auto answer = worker->intake.screen(location, head)) return answer_early(r, *answer);
  if (!takes_events(location.endpoint)) return answer_from_within(r, location, head);
  auto* visit = pool_new<Visit>(r->pool, r, location, head);
  if (visit == nullptr) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  ngx_http_set_ctx(r, visit, ngx_http_weir_module);

  r->request_body_no_buffering = 1;
  const ngx_int_t rc = ngx_http_read_client_request_body(r, read_body_of);
  return rc >= NGX_HTTP_SPECIAL_RESPONSE ? rc : NGX_DONE;
}

}  // namespace

ngx_int_t handle_request(ngx_http_request_t* r) noexcept {
  try {
    return handle(r);
  } catch (...) {
    log_exception();
    return NGX_HTTP_INTERNAL_SERVER_ERROR;
  }
}

}  // namespace weir
