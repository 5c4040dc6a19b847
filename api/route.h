// What the server answers, as one table: routes.cpp. A figure becomes an endpoint by a line there
// and a function in the schema weir_api (sql/migrations/0021_viewers.sql says what such a function
// promises).
//
//   if (const Route* route = find_route("/v1/daily")) …
//
// The same table makes the OpenAPI document, so that the two cannot differ.
//
// A figure's SQL is a constant. $1 is the viewer and $2 the tenant; the parameters that the route
// lists follow as $3, $4, …, NULL where one was not given. `json` returns one row: the body, which
// weir_api.bounded() holds to its bound there, and its version (flights.h). `csv` returns a table,
// whose names of columns become the first line. Nothing that a client sent is ever part of a
// statement.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace weir::api {

enum class Type : std::uint8_t {
  date,   // YYYY-MM-DD
  zone,   // the name of a time zone
  name,   // any text of 1 to `most` bytes
  count,  // a whole number from 1 to `most`
  json,   // a text of JSON, to `most` bytes; what is in it is for PostgreSQL to check
};

struct Parameter {
  std::string_view name;
  Type type;
  int most;
  std::string_view about;
  std::string_view example{};  // of `json`, and of what is needed
  bool needed = false;         // it has to be given
};

enum class Kind : std::uint8_t { figure, health, metrics, openapi };

struct Route {
  std::string_view path;
  Kind kind;
  std::string_view about;
  const char* json = nullptr;
  const char* csv = nullptr;  // null: format=csv is made of the answer
  std::string_view table{};   // what format=csv is without `table`: a list by its place (table.h)
  std::vector<Parameter> parameters{};
};

const std::vector<Route>& routes();

// Null: there is nothing at that path.
const Route* find_route(std::string_view path);

// Parameters that every figure has, besides its own.
constexpr std::string_view kTenant = "tenant";
constexpr std::string_view kFormat = "format";
constexpr std::string_view kTable = "table";
constexpr std::string_view kWholeAnswer;  // a route's `table`: all of it, as one line
constexpr int kMostTable = 64;            // bytes of a table's name
constexpr int kMostTenant = 200;          // bytes of a tenant's name
constexpr int kMostZone = 64;             // bytes of a time zone's name
constexpr int kMostDays = 1100;           // of a window
constexpr std::string_view kFrom = "from", kTo = "to";

}  // namespace weir::api
