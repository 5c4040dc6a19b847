// Sends an Answer of the core through nginx's filters.
//
//   return send_answer(r, answer);                           // from a content handler
//   ngx_http_finalize_request(r, send_answer(r, answer));    // from anywhere else
//
//   keep_body(r, answer); … send_kept(r, answer);            // later, once the Intake has gone on
#pragma once

#include "ngx_module/nginx.h"

#include "core/http/answer.h"

namespace weir {

// Both count the answer, and return what ngx_http_finalize_request() wants. nginx may go on sending
// after they return: send_kept() wants a body that lives as long as the request.
ngx_int_t send_answer(ngx_http_request_t* r, Answer answer);
ngx_int_t send_kept(ngx_http_request_t* r, const Answer& answer);

// Copies the body into the request's pool. False: no memory.
bool keep_body(ngx_http_request_t* r, Answer& answer);

}  // namespace weir
