#include "apache_module/response.h"

#include <cstdlib>
#include <cstring>
#include <new>

namespace weir {
namespace {

void add_header(request_rec* r, const Header& header) {
  const char* name = in_pool(r->pool, header.name);
  const char* value = in_pool(r->pool, header.value);
  if (header.name == "Vary") {
    apr_table_mergen(r->headers_out, name, value);
  } else {
    apr_table_setn(r->headers_out, name, value);
  }
}

void set_head(request_rec* r, const Answer& answer) {
  r->status = answer.status;
  ap_set_content_type(r, in_pool(r->pool, answer.media));
  ap_set_content_length(r, static_cast<apr_off_t>(answer.body.size()));
  for (const Header& header : answer.headers()) add_header(r, header);
  // An answer of some 30 bytes keeps its Content-Length and is not compressed.
  apr_table_setn(r->subprocess_env, "no-gzip", "1");
  apr_table_setn(r->subprocess_env, "no-brotli", "1");
  if (answer.status == HTTP_REQUEST_ENTITY_TOO_LARGE) r->connection->keepalive = AP_CONN_CLOSE;
}

// httpd would cut a piece out of any answer with 200 for a client that asks for one.
void forget_ranges(request_rec* r) {
  apr_table_unset(r->headers_in, "Range");
  apr_table_unset(r->headers_in, "Request-Range");
}

void add(apr_bucket_brigade* out, apr_bucket* bucket) { APR_BRIGADE_INSERT_TAIL(out, bucket); }

// A refused batch has a line for each of its events. In the request's pool, each connection's
// allocator would keep that: up to MaxMemFree, which is 2 MiB where nobody set it.
apr_bucket* body_bucket(std::string_view body, apr_bucket_alloc_t* buckets) {
  auto* copy = static_cast<char*>(std::malloc(body.size()));
  if (copy == nullptr) throw std::bad_alloc();
  std::memcpy(copy, body.data(), body.size());
  return apr_bucket_heap_create(copy, body.size(), std::free, buckets);
}

}  // namespace

int send_answer(request_rec* r, Metrics& metrics, Endpoint endpoint, const Answer& answer,
                Sent when) {
  set_head(r, answer);
  forget_ranges(r);
  apr_bucket_alloc_t* buckets = r->connection->bucket_alloc;
  apr_bucket_brigade* out = apr_brigade_create(r->pool, buckets);
  if (!answer.body.empty()) add(out, body_bucket(answer.body, buckets));
  if (when == Sent::early) add(out, apr_bucket_flush_create(buckets));
  add(out, apr_bucket_eos_create(buckets));
  metrics.answered(endpoint, answer.status);
  ap_pass_brigade(r->output_filters, out);  // whoever is gone costs one answer
  return OK;
}

}  // namespace weir
