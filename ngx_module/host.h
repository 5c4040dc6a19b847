// What the core is lent of nginx: its clocks, which it reads once a turn of its loop, and its log.
#pragma once

#include "ngx_module/nginx.h"

#include "core/host/clock.h"
#include "core/host/log.h"

namespace weir {

class NginxClock final : public Clock {
 public:
  Time steady() const noexcept override {
    return Time(std::chrono::milliseconds(ngx_current_msec));
  }
  Timestamp wall() const noexcept override;
};

// The log of the configuration's top level.
class NginxLog final : public Log {
 public:
  void write(Level level, std::string_view sentence) noexcept override;
};

}  // namespace weir
