// weir-api as a whole: the loop, both pools, the service and the server, from start to the end of
// the drain.
//
//   return run(options);       // the exit status
//   return check(options);     // --check
#pragma once

#include "api/options.h"

namespace weir::api {

int run(const Options& options);
int check(const Options& options);

}  // namespace weir::api
