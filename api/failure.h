// What PostgreSQL's errors mean here, and what a client is told of them.
//
//   Failure failure = failure_of({sqlstate, message, column});
//   Problem problem = problem_of(failure);
#pragma once

#include <string>
#include <string_view>

#include "api/database.h"
#include "api/problem.h"

namespace weir::api {

// `column` is what RAISE … USING COLUMN names: our functions put the parameter's name there.
Failure failure_of(std::string_view sqlstate, std::string message, std::string_view column);

Problem problem_of(const Failure& failure);

}  // namespace weir::api
