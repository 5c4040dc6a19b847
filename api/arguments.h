// The parameters of a request, checked against its route: each known, given once, of its type and
// within its bound. What is left goes to PostgreSQL as values, never as text of a statement.
//
//   auto read = read_arguments(*route, target.query, today);
//   if (auto* problem = std::get_if<Problem>(&read)) …       // 400, and the parameter's name
//   std::get<Arguments>(read).values[0];                     // of the route's first parameter
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "api/problem.h"
#include "api/route.h"
#include "api/target.h"
#include "core/event/day.h"

namespace weir::api {

enum class Format : std::uint8_t { json, csv };

struct Arguments {
  std::optional<std::string> tenant;
  Format format = Format::json;
  std::optional<std::string> table;                // which list of the answer, for Format::csv
  std::vector<std::optional<std::string>> values;  // in the order of the route's parameters
};

// `today` in UTC: a window without an end is taken to end tomorrow at the latest, for its bound.
std::variant<Arguments, Problem> read_arguments(const Route& route, const std::vector<Pair>& query,
                                                Day today);

}  // namespace weir::api
