#include "ngx_module/response.h"

#include "ngx_module/directives.h"
#include "ngx_module/worker.h"

namespace weir {
namespace {

// What the header points to lives as long as the request (core/http/answer.h).
bool add_header(ngx_http_request_t* r, const Header& header) {
  auto* element = static_cast<ngx_table_elt_t*>(ngx_list_push(&r->headers_out.headers));
  if (element == nullptr) return false;
  ngx_memzero(element, sizeof *element);
  element->hash = 1;
  element->key = to_ngx(header.name);
  element->value = to_ngx(header.value);
  return true;
}

bool set_head(ngx_http_request_t* r, const Answer& answer) {
  r->headers_out.status = static_cast<ngx_uint_t>(answer.status);
  r->headers_out.content_length_n = static_cast<off_t>(answer.body.size());
  r->headers_out.content_type = to_ngx(answer.media);
  r->headers_out.content_type_len = r->headers_out.content_type.len;
  for (const Header& header : answer.headers()) {
    if (!add_header(r, header)) return false;
  }
  return true;
}

}  // namespace

bool keep_body(ngx_http_request_t* r, Answer& answer) {
  ngx_str_t body = to_ngx(answer.body);
  auto* copy = ngx_pstrdup(r->pool, &body);
  answer.body = {reinterpret_cast<char*>(copy), body.len};
  return copy != nullptr;
}

ngx_int_t send_answer(ngx_http_request_t* r, Answer answer) {
  return keep_body(r, answer) ? send_kept(r, answer) : NGX_HTTP_INTERNAL_SERVER_ERROR;
}

ngx_int_t send_kept(ngx_http_request_t* r, const Answer& answer) {
  if (ngx_exiting) r->keepalive = 0;  // nginx closes then, and says so itself only since 1.21
  r->disable_not_modified = 1;        // or nginx puts 304 or 412 over it, by If-Match and its kin
#if (NGX_HTTP_GZIP)
  r->gzip_tested = 1;  // an answer of some 30 bytes keeps its Content-Length and is not compressed
  r->gzip_ok = 0;
#endif
  auto* buffer = static_cast<ngx_buf_t*>(ngx_calloc_buf(r->pool));
  if (buffer == nullptr || !set_head(r, answer)) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  current_worker()->edge.metrics.answered(location_of(r).endpoint, answer.status);
  const ngx_int_t rc = ngx_http_send_header(r);
  if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) return rc;

  const ngx_str_t body = to_ngx(answer.body);
  buffer->pos = body.data;
  buffer->last = body.data + body.len;
  buffer->memory = 1;  // read only: a static body is not nginx's to change
  buffer->last_buf = 1;
  buffer->last_in_chain = 1;
  ngx_chain_t out{buffer, nullptr};
  return ngx_http_output_filter(r, &out);
}

}  // namespace weir
