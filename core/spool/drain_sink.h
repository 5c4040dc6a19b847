// Where records of the spool go once Redis is ready again: to the courier, behind whatever rules
// the keeper has for them.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir {

class Customer;  // core/redis/courier.h

class DrainSink {
 public:
  // True: `customer` will be told by settled() what became of the record, exactly once, not from
  // inside this call, and on this thread. False: not now; it is offered again at a later tick.
  //
  // Nobody waits for a drained record: it should get the whole time that Redis has for an answer,
  // not the patience that a live request has, lest a large record come back as late for ever.
  virtual bool offer(std::string_view record, std::uint8_t replicas,
                     Customer& customer) noexcept = 0;

 protected:
  ~DrainSink() = default;
};

}  // namespace weir
