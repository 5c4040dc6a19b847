#include "api/problem.h"

#include <utility>

#include "core/json/text.h"

namespace weir::api {
namespace {

void append_member(std::string& json, std::string_view name, std::string_view value) {
  json += json.size() > 1 ? "," : "";
  append_json_string(json, name);
  json += ':';
  append_json_string(json, value);
}

}  // namespace

Problem bad_parameter(std::string_view parameter, std::string detail) {
  return {400, "bad_parameter", std::move(detail), std::string(parameter)};
}

Problem internal_problem() {
  return {500, "internal", "Something went wrong here; the server's log says what"};
}

std::string_view status_text(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Internal Server Error";
  }
}

std::string problem_json(const Problem& problem) {
  std::string json = "{";
  append_member(json, "type", "about:blank");
  append_member(json, "title", status_text(problem.status));
  json += ",\"status\":" + std::to_string(problem.status);
  append_member(json, "reason", problem.reason);
  if (!problem.parameter.empty()) append_member(json, "parameter", problem.parameter);
  append_member(json, "detail", problem.detail);
  return json + "}\n";
}

}  // namespace weir::api
