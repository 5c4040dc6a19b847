#include "ngx_module/host.h"

namespace weir {

Timestamp NginxClock::wall() const noexcept {
  const ngx_time_t* time = ngx_timeofday();
  return static_cast<Timestamp>(time->sec) * kMicrosPerSecond +
         static_cast<Timestamp>(time->msec) * 1000;
}

void NginxLog::write(Level level, std::string_view sentence) noexcept {
  const ngx_uint_t levels[] = {NGX_LOG_NOTICE, NGX_LOG_WARN, NGX_LOG_ERR};
  ngx_log_error(levels[static_cast<std::size_t>(level)], ngx_cycle->log, 0, "%*s",
                WEIR_TEXT(sentence));
}

}  // namespace weir
