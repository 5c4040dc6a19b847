// A way to Redis, as those see it who have records for it.
//
//   if (port.submit(record, customer, {}) != Courier::Submitted::taken) keep_elsewhere(record);
#pragma once

#include <string_view>

#include "core/redis/courier.h"

namespace weir {

// A courier together with the connection that moves its bytes.
class RedisPort {
 public:
  // As Courier::submit().
  virtual Courier::Submitted submit(std::string_view record, Customer& customer,
                                    Terms terms) noexcept = 0;

  // submit() may well take a record now.
  virtual bool takes() const noexcept = 0;

 protected:
  ~RedisPort() = default;
};

}  // namespace weir
