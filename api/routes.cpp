#include "api/route.h"

#include <algorithm>

namespace weir::api {
namespace {

constexpr Parameter kFromDay{kFrom, Type::date, 0,
                             "The window's first day; 29 days before its last one if not given"};
constexpr Parameter kToDay{kTo, Type::date, 0, "The window's last day; today if not given"};

constexpr Parameter kZone{"tz", Type::zone, 0,
                          "The time zone whose days are meant; UTC if not given"};

}  // namespace

const std::vector<Route>& routes() {
  static const std::vector<Route> table{
      {"/health", Kind::health, "Whether figures can be had: 200, or 503 and why not"},
      {"/metrics", Kind::metrics, "Counters of this server, for Prometheus"},
      {"/v1/openapi.json", Kind::openapi, "This document"},
      {"/v1/daily",
       Kind::figure,
       "Figures of each day (UTC): users, recordings, minutes, costs, crashes",
       "SELECT weir_api.daily($1, $2, $3::date, $4::date)",
       "SELECT * FROM weir_api.daily_rows($1, $2, $3::date, $4::date)",
       {kFromDay, kToDay}},
      {"/v1/users",
       Kind::figure,
       "Users: totals, trends, retention, cohorts, stickiness, growth",
       "SELECT weir_api.users($1, $2, $3::date, $4::date, $5)",
       nullptr,
       {kFromDay, kToDay, kZone}},
  };
  return table;
}

const Route* find_route(std::string_view path) {
  const auto& table = routes();
  const auto found =
      std::find_if(table.begin(), table.end(), [&](const Route& r) { return r.path == path; });
  return found == table.end() ? nullptr : &*found;
}

}  // namespace weir::api
