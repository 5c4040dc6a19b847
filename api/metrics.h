// Counters of the server as a page for Prometheus (text format 0.0.4).
#pragma once

#include <string>

#include "api/flights.h"
#include "api/pool.h"
#include "api/server.h"

namespace weir::api {

std::string metrics_page(const ServerCounts& server, const PoolStatus& figures,
                         const PoolStatus& streams, const Flights& flights);

}  // namespace weir::api
