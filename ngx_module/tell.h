// The locations that take nothing and tell something: `weir health` and `weir metrics`.
//
//   if (!takes_events(location.endpoint)) return answer_early(r, tell(location.endpoint, page));
#pragma once

#include "ngx_module/nginx.h"

#include <string>

#include "core/http/answer.h"
#include "core/http/endpoint.h"

namespace weir {

// `page` holds what the answer shows.
Answer tell(Endpoint endpoint, std::string& page);

}  // namespace weir
