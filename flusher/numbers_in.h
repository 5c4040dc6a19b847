// The numbers among the members of a JSON object, by name, as jsonb would have them: of a name that
// comes twice the last value counts, and what lies deeper down does not.
//
//   std::vector<std::string_view> literals;
//   numbers_in(R"({"a": 1.50, "b": "2"})", {"a", "b"}, literals);   // {"1.50", ""}
#pragma once

#include <string_view>
#include <vector>

namespace weir::flusher {

// For each of `names` the literal in `json`, "" where there is no number; none at all in what is no
// JSON, which PostgreSQL then refuses. The views point into `json`. For one thread.
void numbers_in(std::string_view json, const std::vector<std::string_view>& names,
                std::vector<std::string_view>& literals);

}  // namespace weir::flusher
