// Sends an Answer of the core through nginx's filters.
//
//   return send_answer(r, answer, {location.cors, head.origin});   // from a content handler
//   ngx_http_finalize_request(r, send_answer(…));                  // from anywhere else
#pragma once

#include "ngx_module/nginx.h"

#include "core/http/answer.h"
#include "core/http/cors.h"

namespace weir {

// What the answer may tell pages of other origins.
struct CorsContext {
  const Cors& cors;
  std::string_view origin;  // the request's; may be empty
  bool preflight = false;
};

// Copies all of the answer into the request's pool. Returns what ngx_http_finalize_request() wants.
ngx_int_t send_answer(ngx_http_request_t* r, const Answer& answer, const CorsContext& context);

}  // namespace weir
