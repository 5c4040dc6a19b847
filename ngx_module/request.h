// The content handler of a location with `weir`: screens a request, reads its body, has the core
// decide about it, hands the record to the keeper, and answers once it is kept.
//
//   clcf->handler = handle_request;
//
// The body is read unbuffered (nginx never writes it to a file) and gathered up to the location's
// limit. nginx counts who needs a request: ngx_http_read_client_request_body() raises the count,
// and each request that got as far is finalized exactly once.
#pragma once

#include "ngx_module/nginx.h"

namespace weir {

ngx_int_t handle_request(ngx_http_request_t* r) noexcept;

}  // namespace weir
