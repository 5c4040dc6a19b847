// The handlers: screens a request, reads its body, has the core decide about it, hands the record
// to the writer's thread, and answers once it is kept.
//
//   ap_hook_handler(handle_request, nullptr, nullptr, APR_HOOK_MIDDLE);
#pragma once

#include "apache_module/apache.h"

namespace weir {

int handle_request(request_rec* r) noexcept;

}  // namespace weir
