// GET /health: can an event be kept right now, and how do the places look where events wait.
//
//   const Answer answer = health_answer(status, now, body);   // `body` holds what the answer shows
//
// 200 while Redis or the spool takes records, else 503 with Retry-After. It is this worker's view,
// and asks nobody.
#pragma once

#include <string>

#include "core/http/answer.h"
#include "core/keep/status.h"

namespace weir {

Answer health_answer(const KeepStatus& status, Timestamp now, std::string& body);

}  // namespace weir
