// `weir_redis`: reads it into a RedisTarget, password file and names looked up, so that a mistake
// is known to nginx -t and not to the workers.
#pragma once

#include "ngx_module/directives.h"

namespace weir {

char* set_redis(ngx_conf_t* cf, MainConf& conf);

}  // namespace weir
