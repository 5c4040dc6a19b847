#include "api/failure.h"

#include <utility>

namespace weir::api {
namespace {

using Kind = Failure::Kind;

Kind kind_of(std::string_view sqlstate) {
  const std::string_view family = sqlstate.substr(0, 2);
  if (sqlstate == "57014") return Kind::too_slow;  // query_canceled
  if (sqlstate == "42501") return Kind::forbidden;
  if (sqlstate == "54000") return Kind::too_large;  // program_limit_exceeded: weir_api.bounded()
  if (family == "22") return Kind::argument;
  if (sqlstate == "42883" || sqlstate == "42P01" || sqlstate == "3F000") return Kind::schema;
  // Connections, resources, an operator's doing, and no answer at all.
  if (family == "08" || family == "53" || family == "57" || sqlstate.empty()) return Kind::away;
  return Kind::broken;
}

// A migration dropped a function between the call's parse and its run. PostgreSQL says so by
// elog(), which has no state of its own and is not translated.
bool was_dropped_meanwhile(std::string_view sqlstate, std::string_view message) {
  constexpr std::string_view kSaid = "cache lookup failed for function";
  return sqlstate == "XX000" && message.substr(0, kSaid.size()) == kSaid;
}

}  // namespace

Failure failure_of(std::string_view sqlstate, std::string message, std::string_view column) {
  const Kind kind = was_dropped_meanwhile(sqlstate, message) ? Kind::schema : kind_of(sqlstate);
  return {kind, std::move(message), std::string(column)};
}

Problem problem_of(const Failure& failure) {
  switch (failure.kind) {
    case Kind::away:
      return {503, "database_away", "PostgreSQL cannot be asked now: try again in some seconds", "",
              2};
    case Kind::busy:
      return {503, "busy", failure.sentence, "", 1};
    case Kind::too_slow:
      return {
          504, "too_slow",
          "PostgreSQL did not finish this in the time that a request may take: ask for a shorter "
          "window"};
    case Kind::forbidden:
      return {403, "forbidden",
              "This viewer may not see this tenant: ask an operator for `weirctl "
              "viewers add`"};
    case Kind::argument:
      return {400, "bad_parameter",
              failure.sentence.empty() ? "PostgreSQL does not take a parameter" : failure.sentence,
              failure.parameter};
    case Kind::too_large:
      return {
          413, "answer_too_large",
          "The answer would be larger than 4 MB: ask for a shorter window or fewer of each list"};
    case Kind::schema:
      return {
          503, "schema_is_older",
          "The database lacks what this server was built for: run `weirctl migrate`, or wait until "
          "it has run",
          "", 30};
    case Kind::broken:
      break;
  }
  return internal_problem();
}

}  // namespace weir::api
