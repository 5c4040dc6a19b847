// Counters of the server as a page for Prometheus (text format 0.0.4).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/pool.h"
#include "api/server.h"
#include "api/service.h"

namespace weir::api {

using Pools = std::vector<std::pair<std::string_view, PoolStatus>>;

// `allowance` is what figures may have sessions work, in seconds a second.
std::string metrics_page(const ServerCounts& server, Service& service, const Pools& pools,
                         double allowance);

}  // namespace weir::api
