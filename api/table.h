// A list in an answer, as lines of CSV.
//
//   std::string csv;
//   if (auto problem = table_csv(answer, "cohorts.weeks", csv)) …     // there is no such list
//
// A list is named by its place: `days`, or `cohorts.weeks` inside of `cohorts`. Of a list of
// objects the columns are all names in it, in the order in which they come; of a list of lists they
// are 1, 2, …, and of `peak_hours` weekday (1 is Monday) and 0 to 23; of any other there is one,
// `value`. What is nested deeper is JSON in its field. A list with nothing in it has no columns,
// and so no line. An answer without lists is one line, its columns named by their places. Numbers
// stay as PostgreSQL wrote them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/problem.h"

namespace weir::api {

// Without a name it is `days` where there is one, else the first list, else the whole answer.
std::optional<Problem> table_csv(std::string_view answer, const std::optional<std::string>& name,
                                 std::string& csv);

}  // namespace weir::api
