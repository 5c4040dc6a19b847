#include "api/database.h"

#include <utility>

namespace weir::api {

void end_query(const std::shared_ptr<Query>& query, const Failure* failure) {
  const auto on_end = std::move(query->on_end);
  forget_functions(*query);
  on_end(failure);
}

void forget_functions(Query& query) {
  query.on_columns = query.on_row = [](const Row&) {};
  query.on_end = [](const Failure*) {};
}

}  // namespace weir::api
