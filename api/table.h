// A list in an answer, as lines of CSV.
//
//   std::string csv;
//   if (auto problem = table_csv(answer, "cohorts.weeks", csv)) …     // there is no such list
//
// A list is named by its place: `days`, or `cohorts.weeks` inside of `cohorts`. Of a list of
// objects the columns are all names in it, in the order in which they come; of a list of lists they
// are 1, 2, …, and of `peak_hours` weekday (1 is Monday) and 0 to 23; of any other there is one,
// `value`. What is nested deeper is JSON in its field. A list with nothing in it has no columns,
// and so no line. The whole answer is one line, its columns named by their places, and a list
// in it is JSON. Numbers stay as PostgreSQL wrote them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/problem.h"

namespace weir::api {

// Without a place it is the whole answer.
std::optional<Problem> table_csv(std::string_view answer, std::string_view place, std::string& csv);

}  // namespace weir::api
