// The two clocks of the core, as nginx's event loop has them: read once a turn of the loop.
#pragma once

#include "ngx_module/nginx.h"

#include "core/event/timestamp.h"

namespace weir {

// For waiting and deadlines; never goes back.
inline std::chrono::steady_clock::time_point loop_time() {
  return std::chrono::steady_clock::time_point(std::chrono::milliseconds(ngx_current_msec));
}

// The time of day.
inline Timestamp wall_time() {
  const ngx_time_t* time = ngx_timeofday();
  return static_cast<Timestamp>(time->sec) * kMicrosPerSecond +
         static_cast<Timestamp>(time->msec) * 1000;
}

}  // namespace weir
