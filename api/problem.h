// An error as a client is told it: application/problem+json (RFC 9457). `reason` is a stable word
// that a program may compare; `detail` is a sentence for a person that says what to do.
//
//   return bad_parameter("from", "from is no date: write it as 2026-11-21");
//   send(problem_json(problem));   // {"type":"about:blank","title":"Bad Request","status":400,…}
//
// No problem quotes a value that a client sent, so that it can never speak in a log or a page.
#pragma once

#include <string>
#include <string_view>

namespace weir::api {

struct Problem {
  int status = 500;
  std::string reason;
  std::string detail;
  std::string parameter{};  // which one is wrong; empty: none
  int retry_after = 0;      // seconds; 0: not said
};

Problem bad_parameter(std::string_view parameter, std::string detail);

// A fault of ours.
Problem internal_problem();

// What HTTP calls a status, such as "Bad Request".
std::string_view status_text(int status);

std::string problem_json(const Problem& problem);

}  // namespace weir::api
