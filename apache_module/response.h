// Sends an Answer of the core through httpd's filters, and counts it.
//
//   return send_answer(r, child.writer.metrics(), endpoint, answer, Sent::after_body);
#pragma once

#include "apache_module/apache.h"

#include "core/http/answer.h"
#include "core/http/endpoint.h"
#include "core/metrics/metrics.h"

namespace weir {

// Whether the request's body was read. Where it was not, httpd reads the rest of it and throws it
// away; the client gets its answer first.
enum class Sent { early, after_body };

// Returns what a handler does. It copies the body, and throws where there is no memory for it.
int send_answer(request_rec* r, Metrics& metrics, Endpoint endpoint, const Answer& answer,
                Sent when);

}  // namespace weir
