// The figures of all workers together, as Prometheus reads them (text format 0.0.4,
// https://prometheus.io/docs/instrumenting/exposition_formats/).
//
//   const std::string text = render_metrics(memory, is_alive, now);   // send it as kMetricsMedia
//
// It reads while workers count: each figure is right at some moment of the call, not all at the
// same one. It holds figures and words of Weir's own, never anything that a client sent.
#pragma once

#include <string>
#include <string_view>

#include "core/event/timestamp.h"
#include "core/metrics/metrics.h"

namespace weir {

constexpr std::string_view kMetricsMedia = "text/plain; version=0.0.4";

// Gauges of owners that `is_alive` does not know any more are left out. Throws std::bad_alloc.
std::string render_metrics(const MetricsMemory& memory, IsAlive is_alive, Timestamp now);

// The earliest time that any live worker has in a gauge of times; 0 where none has one.
std::uint64_t earliest(const MetricsMemory& memory, Gauge gauge, IsAlive is_alive);

}  // namespace weir
