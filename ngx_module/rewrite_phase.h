// What nginx's rewrite module does in a location before any handler is asked.
//
//   if (returns_at_once(cf)) return refuse(cf, "…");   // once the location has been read
#pragma once

#include "ngx_module/nginx.h"

namespace weir {

// True if the location that is being merged begins with a `return`, so that no other directive of
// its will ever answer. A `return` behind `set`, `rewrite` or `if` is not seen: what these compile
// to cannot be walked from outside.
bool returns_at_once(ngx_conf_t* cf);

}  // namespace weir
