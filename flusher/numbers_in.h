// The numbers among the members of a JSON object, by name, as jsonb would have them: of a name that
// comes twice the last value counts, and what lies deeper down does not.
//
//   const WantedNumbers wanted({"a", "b"});             // made once, for many objects
//   std::vector<std::string_view> literals;
//   wanted.find(R"({"a": 1.50, "b": "2"})", literals);   // {"1.50", ""}
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "core/json/names.h"

namespace weir::flusher {

class WantedNumbers {
 public:
  WantedNumbers() = default;
  // The names have to live as long.
  explicit WantedNumbers(const std::vector<std::string_view>& names);

  std::size_t size() const { return size_; }

  // For each name the literal in `json`, "" where there is no number; none at all in what is no
  // JSON, which PostgreSQL then refuses. The views point into `json`. For one thread.
  void find(std::string_view json, std::vector<std::string_view>& literals) const;

 private:
  std::vector<MemberNames> names_;  // as many in each as a Capture takes at once
  std::size_t size_ = 0;
};

}  // namespace weir::flusher
