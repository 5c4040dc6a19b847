#include "core/http/answer.h"

namespace weir {

Answer unavailable_answer() {
  Answer answer;
  answer.status = 503;
  answer.body = R"({"error":"Temporarily unable to keep events, send them again"})";
  answer.retry_after = 2;
  return answer;
}

}  // namespace weir
