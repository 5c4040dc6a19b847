// What a request asks for: the path and the query of its target, taken apart.
//
//   std::string fault;
//   const auto target = parse_target("/v1/daily?from=2026-11-01&tenant=a%20b", fault);
//   if (!target) …                       // fault: a sentence that says what to do
//   target->path; target->query[1].value;                      // "/v1/daily", "a b"
//
// Names and values come out as UTF-8 without control characters, or not at all. In a query '+' is a
// space, as forms send it. The path is kept as it was sent: no path of ours needs an escape.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::api {

constexpr std::size_t kMostTarget = 4096;  // bytes; the answer to more is 414
constexpr std::size_t kMostPairs = 32;     // parameters

struct Pair {
  std::string name, value;
};

struct Target {
  std::string path;
  std::vector<Pair> query;
};

std::optional<Target> parse_target(std::string_view text, std::string& fault);

}  // namespace weir::api
