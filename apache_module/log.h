// Weir's words in the error log of the main server, whatever virtual host a request was for. They
// name no client.
#pragma once

#include "apache_module/apache.h"

#include "core/host/log.h"

namespace weir {

class ApacheLog final : public Log {
 public:
  // From any thread.
  void write(Level level, std::string_view sentence) noexcept override;
};

// Something that keeps httpd from starting, or is wrong with one request.
void log_fault(std::string_view sentence) noexcept;

// The same for what was thrown; call it inside a catch.
void log_exception() noexcept;

}  // namespace weir
