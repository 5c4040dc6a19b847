// The setter of weir_spool.
#pragma once

#include "ngx_module/directives.h"

namespace weir {

char* set_spool(ngx_conf_t* cf, MainConf& conf);

// Says, on a reload, that nobody empties the folder that the configuration before it named.
void warn_of_left_spool(const MainConf* old_conf, const MainConf* new_conf, ngx_log_t* log);

}  // namespace weir
