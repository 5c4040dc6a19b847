#include "apache_module/body.h"

#include <algorithm>

namespace weir {
namespace {

constexpr apr_off_t kPiece = 64 << 10;

// True until the end of the body was among them.
bool append(apr_bucket_brigade* pieces, std::size_t most, std::string& body, apr_status_t& rv) {
  for (apr_bucket* bucket = APR_BRIGADE_FIRST(pieces);
       bucket != APR_BRIGADE_SENTINEL(pieces) && body.size() <= most;
       bucket = APR_BUCKET_NEXT(bucket)) {
    if (APR_BUCKET_IS_EOS(bucket)) return false;
    if (APR_BUCKET_IS_METADATA(bucket)) continue;
    const char* data = nullptr;
    apr_size_t size = 0;
    rv = apr_bucket_read(bucket, &data, &size, APR_BLOCK_READ);
    if (rv != APR_SUCCESS) return false;
    body.append(data, std::min<std::size_t>(size, most + 1 - body.size()));
  }
  return body.size() <= most;
}

}  // namespace

BodyRead read_body(request_rec* r, std::size_t most, std::string& body, int& status) {
  body.clear();
  apr_bucket_brigade* pieces = apr_brigade_create(r->pool, r->connection->bucket_alloc);
  apr_status_t rv = APR_SUCCESS;
  bool more = true;
  while (more && rv == APR_SUCCESS) {
    rv = ap_get_brigade(r->input_filters, pieces, AP_MODE_READBYTES, APR_BLOCK_READ, kPiece);
    if (rv == APR_SUCCESS) more = append(pieces, most, body, rv);
    apr_brigade_cleanup(pieces);
  }
  if (rv != APR_SUCCESS) {
    status = ap_map_http_request_error(rv, HTTP_BAD_REQUEST);
    return BodyRead::failed;
  }
  return body.size() > most ? BodyRead::too_large : BodyRead::ok;
}

std::size_t take_over_limit(request_rec* r, std::size_t most) {
  const apr_off_t theirs = ap_get_limit_req_body(r);
  if (theirs <= 0 || static_cast<std::size_t>(theirs) >= most) return most;
  ap_conf_vector_t* lifted = ap_create_per_dir_config(r->pool);
  static char no_path[] = "/";
  auto* core = static_cast<core_dir_config*>(core_module.create_dir_config(r->pool, no_path));
  core->limit_req_body = 0;
  ap_set_core_module_config(lifted, core);
  r->per_dir_config = ap_merge_per_dir_configs(r->pool, r->per_dir_config, lifted);
  return static_cast<std::size_t>(theirs);
}

}  // namespace weir
