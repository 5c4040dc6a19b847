// What a client is told. An Answer's views point into static memory or into the Intake that made
// it, and hold until that Intake's next call: a server copies what it sends later.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir {

struct Answer {
  int status = 200;
  std::string_view body;   // always application/json
  std::string_view allow;  // with 405 and preflights: the Allow header; else empty
  int retry_after = 0;     // seconds; 0: no Retry-After
};

// Redis did not take the record, or was not there to take it.
Answer unavailable_answer();

}  // namespace weir
