// The flusher's figures in Prometheus' text format, made from what it published. The table in
// metrics.cpp names them all; docs/metrics.md is held against it.
//
//   const std::string page = metrics_page(board.read(), limit);
#pragma once

#include <chrono>
#include <string>

#include "flusher/status.h"

namespace weir::flusher {

// `limit` is that of health.h.
std::string metrics_page(const Status& status, std::chrono::seconds limit);

}  // namespace weir::flusher
