// What the Apache module is measured against: a handler that reads a request's body and answers
// 200, and does nothing else. bench/run measures it.
//
//   SetHandler bare
#include <httpd.h>

#include <http_config.h>
#include <http_core.h>
#include <http_protocol.h>

#include <string_view>

extern "C" {
extern module AP_MODULE_DECLARE_DATA bare_module;
}

namespace {

constexpr char kAnswer[] = R"({"status":"ok","accepted":1})";

// The number of bytes in the body, or -1.
apr_off_t read_body(request_rec* r) noexcept {
  apr_bucket_brigade* pieces = apr_brigade_create(r->pool, r->connection->bucket_alloc);
  apr_off_t size = 0;
  for (bool more = true; more;) {
    if (ap_get_brigade(r->input_filters, pieces, AP_MODE_READBYTES, APR_BLOCK_READ, 65536) !=
        APR_SUCCESS) {
      return -1;
    }
    for (apr_bucket* bucket = APR_BRIGADE_FIRST(pieces); bucket != APR_BRIGADE_SENTINEL(pieces);
         bucket = APR_BUCKET_NEXT(bucket)) {
      if (APR_BUCKET_IS_EOS(bucket)) more = false;
      const char* data = nullptr;
      apr_size_t length = 0;
      if (apr_bucket_read(bucket, &data, &length, APR_BLOCK_READ) != APR_SUCCESS) return -1;
      size += static_cast<apr_off_t>(length);
    }
    apr_brigade_cleanup(pieces);
  }
  return size;
}

int handle(request_rec* r) noexcept {
  if (r->handler == nullptr || std::string_view(r->handler) != "bare") return DECLINED;
  if (read_body(r) < 0) return HTTP_BAD_REQUEST;
  ap_set_content_type(r, "application/json");
  ap_set_content_length(r, sizeof kAnswer - 1);
  ap_rwrite(kAnswer, sizeof kAnswer - 1, r);
  return OK;
}

void register_hooks(apr_pool_t*) noexcept {
  ap_hook_handler(handle, nullptr, nullptr, APR_HOOK_MIDDLE);
}

}  // namespace

module AP_MODULE_DECLARE_DATA bare_module = {
    STANDARD20_MODULE_STUFF, nullptr, nullptr, nullptr, nullptr, nullptr, register_hooks,
    AP_MODULE_FLAG_NONE};
