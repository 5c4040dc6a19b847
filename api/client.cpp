#include "api/client.h"

namespace weir::api {

Response response_of(const Problem& problem) {
  Response response{problem.status,
                    "application/problem+json",
                    std::make_shared<const std::string>(problem_json(problem)),
                    {{"Cache-Control", "no-store"}}};
  if (problem.retry_after > 0) {
    response.headers.emplace_back("Retry-After", std::to_string(problem.retry_after));
  }
  return response;
}

}  // namespace weir::api
