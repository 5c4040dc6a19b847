#include "ngx_module/response.h"

namespace weir {
namespace {

// Copies `text` into the request's pool; data is null if there is no memory.
ngx_str_t copy(ngx_http_request_t* r, std::string_view text) {
  ngx_str_t source{text.size(), reinterpret_cast<u_char*>(const_cast<char*>(text.data()))};
  ngx_str_t result{0, ngx_pstrdup(r->pool, &source)};
  if (result.data != nullptr) result.len = text.size();
  return result;
}

// `name` has to be static; `value` is copied.
bool add_header(ngx_http_request_t* r, std::string_view name, std::string_view value) {
  auto* header = static_cast<ngx_table_elt_t*>(ngx_list_push(&r->headers_out.headers));
  if (header == nullptr) return false;
  ngx_memzero(header, sizeof *header);
  header->hash = 1;
  header->key = {name.size(), reinterpret_cast<u_char*>(const_cast<char*>(name.data()))};
  header->value = copy(r, value);
  return header->value.data != nullptr;
}

bool add_number(ngx_http_request_t* r, std::string_view name, int number) {
  u_char digits[NGX_INT_T_LEN];
  const u_char* end = ngx_sprintf(digits, "%d", number);
  return add_header(r, name,
                    {reinterpret_cast<char*>(digits), static_cast<std::size_t>(end - digits)});
}

bool add_cors_headers(ngx_http_request_t* r, const CorsContext& context) {
  if (!context.cors.configured()) return true;
  if (!add_header(r, "Vary", "Origin")) return false;
  if (context.origin.empty() || !context.cors.allows(context.origin)) return true;
  if (!add_header(r, "Access-Control-Allow-Origin", context.origin) ||
      !add_header(r, "Access-Control-Allow-Credentials", "true")) {
    return false;
  }
  if (!context.preflight) return add_header(r, "Access-Control-Expose-Headers", "Retry-After");
  return add_header(r, "Access-Control-Allow-Methods", kCorsAllowMethods) &&
         add_header(r, "Access-Control-Allow-Headers", kCorsAllowHeaders) &&
         add_header(r, "Access-Control-Max-Age", kCorsMaxAge);
}

bool add_headers(ngx_http_request_t* r, const Answer& answer, const CorsContext& context) {
  r->headers_out.status = static_cast<ngx_uint_t>(answer.status);
  r->headers_out.content_length_n = static_cast<off_t>(answer.body.size());
  ngx_str_set(&r->headers_out.content_type, "application/json");
  r->headers_out.content_type_len = r->headers_out.content_type.len;
  if (!answer.allow.empty() && !add_header(r, "Allow", answer.allow)) return false;
  if (answer.retry_after > 0 && !add_number(r, "Retry-After", answer.retry_after)) return false;
  return add_cors_headers(r, context);
}

ngx_buf_t* body_buffer(ngx_http_request_t* r, std::string_view body) {
  ngx_buf_t* buffer = ngx_create_temp_buf(r->pool, body.size());
  if (buffer == nullptr) return nullptr;
  buffer->last = ngx_cpymem(buffer->pos, body.data(), body.size());
  buffer->last_buf = 1;
  buffer->last_in_chain = 1;
  return buffer;
}

}  // namespace

ngx_int_t send_answer(ngx_http_request_t* r, const Answer& answer, const CorsContext& context) {
  if (ngx_exiting) r->keepalive = 0;  // nginx closes after this answer anyway: tell the client
#if (NGX_HTTP_GZIP)
  r->gzip_tested = 1;  // an answer of some 30 bytes keeps its Content-Length and is not compressed
  r->gzip_ok = 0;
#endif
  ngx_buf_t* buffer = body_buffer(r, answer.body);
  if (buffer == nullptr || !add_headers(r, answer, context)) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  const ngx_int_t rc = ngx_http_send_header(r);
  if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) return rc;
  ngx_chain_t out{buffer, nullptr};
  return ngx_http_output_filter(r, &out);
}

}  // namespace weir
