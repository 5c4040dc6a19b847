#include "api/route.h"

#include <algorithm>

namespace weir::api {
namespace {

constexpr Parameter kFromDay{kFrom, Type::date, 0,
                             "The window's first day; 29 days before its last one if not given"};
constexpr Parameter kToDay{kTo, Type::date, 0, "The window's last day; today if not given"};

constexpr Parameter kRiskDay{
    kTo, Type::date, 0,
    "The day at whose end users are looked at, by it and the 89 before; today if not given"};

constexpr Parameter kZone{
    "tz", Type::zone, 0,
    "The time zone whose days are meant; UTC if not given. One that is not kept takes longer, and "
    "`/stats`, segments and churn_risk refuse it, others where the days have many events"};

constexpr Parameter kTop{"top", Type::count, 100, "How many of each list; 20 if not given"};

constexpr Parameter kMeasure{
    "measure", Type::name, 200,
    "What is added up, by its name in weir.measures; cost_usd if not given"};

constexpr Parameter kHeavyBy{"measure", Type::name, 200,
                             "What is added up, by its name in weir.measures; events if not given"};

constexpr Parameter kEvent{"event", Type::name, 256, "Only events of this name"};
constexpr Parameter kProperty{"property", Type::name, 256, "Also the numbers in this property"};
constexpr Parameter kFeature{"feature", Type::name, 40,
                             "The subject whose values are features, no feature's own name; one "
                             "that is not kept has an empty list; `feature` if not given"};
constexpr Parameter kSplit{"split", Type::name, 40,
                           "The subject to split by; `source` if not given"};

constexpr Parameter kSteps{"steps",
                           Type::json,
                           2000,
                           "Two to eight events in their order, each with its name as event, and, "
                           "if wanted, what a filter may have",
                           R"([{"event":"login"},{"event":"sale","properties":{"paid":"pix"}}])",
                           true};
constexpr Parameter kWithin{"within", Type::count, 7776000,
                            "Seconds in which the whole way is to be gone; 604800 if not given"};
constexpr Parameter kSplitBy{"split", Type::name, 256,
                             "version, platform, country or a property to split by"};
constexpr Parameter kFilter{"filter", Type::json, 2000,
                            "Only events that have this version, platform, country, and these "
                            "properties: one to eight, each "
                            "with its value, a text, a number, true or false",
                            R"({"platform":"iOS","properties":{"plan":"pro"}})"};

constexpr Parameter kViewEvent{"event", Type::name, 256,
                               "The event that shows a screen; the usual names if not given"};
constexpr Parameter kViewProperty{
    "property", Type::name, 256, "Its property that names the screen; the usual ones if not given"};
constexpr Parameter kLength{"length", Type::count, 10, "Steps of a path; 4 if not given"};

constexpr Parameter kStart{
    "start",
    Type::json,
    1000,
    "The event that begins a task: its name as event, and, if wanted, what a filter may have",
    R"({"event":"recording_started"})",
    true};
constexpr Parameter kFinish{"finish",
                            Type::json,
                            1000,
                            "The event that ends it, as start",
                            R"({"event":"recording_completed"})",
                            true};
constexpr Parameter kKey{"key", Type::name, 256,
                         "The property that tells the tasks of a user apart"};
constexpr Parameter kTaskWithin{"within", Type::count, 7776000,
                                "Seconds that a task may take; 86400 if not given"};

constexpr Parameter kDuration{"property", Type::name, 256,
                              "The property with the duration; the usual ones if not given"};
constexpr Parameter kPage{"page", Type::name, 256,
                          "The property that names the page; the usual ones if not given"};
constexpr Parameter kAtLeast{"at_least", Type::count, 1000000,
                             "Only pages with so many measurements; 10 if not given"};
constexpr Parameter kClickEvent{"event", Type::name, 256,
                                "The event that is a click; the usual names if not given"};
constexpr Parameter kClicks{"clicks", Type::count, 20, "Clicks that make a burst; 3 if not given"};
constexpr Parameter kSeconds{"seconds", Type::count, 60,
                             "Seconds within which they come; 1 if not given"};
constexpr Parameter kSurveyEvent{"event", Type::name, 256,
                                 "The event that is an answer; the usual names if not given"};
constexpr Parameter kScore{"property", Type::name, 256,
                           "Its property with the score from 0 to 10; `score` if not given"};

constexpr Parameter kRule{
    "rule",
    Type::json,
    2000,
    "What users did, one to five events as in steps; and, if wanted, not, up to "
    "five that they did not, each with at_least if once is too little; where, a "
    "filter for all of them",
    R"({"did":[{"event":"sale","at_least":3}],"not":[{"event":"refund"}]})",
    true};

constexpr Parameter kFeaturePattern{
    "feature",
    Type::json,
    1000,
    "The event of who uses it: its name as event, and, if wanted, what a filter may have",
    R"({"event":"export"})",
    true};
constexpr Parameter kOutcome{"outcome",
                             Type::json,
                             1000,
                             "Each user's value: {\"retained\":7}, whether they were active on one "
                             "of so many days after the "
                             "window; {\"event\":\"sale\"}, whether they had it in the window; "
                             "with sum or last, the name of a "
                             "property: the sum, or the latest, of its numbers",
                             R"({"retained":7})",
                             true};

}  // namespace

// One line of the table after the other.
const std::vector<Route>& routes() {  // NOLINT(readability-function-size)
  static const std::vector<Route> table{
      {"/health", Kind::health, "Whether figures can be had: 200, or 503 and why not"},
      {"/metrics", Kind::metrics, "Counters of this server, for Prometheus"},
      {"/v1/openapi.json", Kind::openapi, "This document"},
      {"/stats",
       Kind::figure,
       "All key figures at once: users, usage, features, performance, crashes, costs",
       "SELECT weir_api.bounded(weir_api.stats($1, $2, $3::date, $4::date, $5)::text), "
       "weir_api.version($1, $2)",
       nullptr,
       "days",
       {kFromDay, kToDay, kZone}},
      {"/v1/ledger",
       Kind::figure,
       "The adoption ledger: five families of milestones, and active workspaces",
       "SELECT weir_api.bounded(weir_api.ledger($1, $2, $3::date, $4::date, $5)::text), "
       "weir_api.version($1, $2)",
       nullptr,
       "days",
       {kFromDay, kToDay, kZone}},
      {"/v1/heavy_users",
       Kind::figure,
       "Who uses it most, by events or a measure, and how uneven that is",
       "SELECT weir_api.bounded(weir_api.heavy_users($1, $2, $3::date, $4::date, $5, $6, "
       "$7::integer)::text), "
       "weir_api.version($1, $2)",
       nullptr,
       "users",
       {kFromDay, kToDay, kZone, kHeavyBy, kTop}},
      {"/v1/segments",
       Kind::figure,
       "Segments of users by week, new to churned, and moves between them",
       "SELECT weir_api.bounded(weir_api.segments($1, $2, $3::date, $4::date, $5)::text), "
       "weir_api.version($1, $2)",
       nullptr,
       "weeks",
       {kFromDay, kToDay, kZone}},
      {"/v1/churn_risk",
       Kind::figure,
       "Who is about to leave on a day, and what says so",
       "SELECT weir_api.bounded(weir_api.churn_risk($1, $2, $3::date, $4, $5::integer)::text), "
       "weir_api.version($1, $2)",
       nullptr,
       "users",
       {kRiskDay, kZone, kTop}},
      {"/v1/daily",
       Kind::figure,
       "Figures of each day (UTC): users, recordings, minutes, costs, crashes",
       "SELECT weir_api.bounded(weir_api.daily($1, $2, $3::date, $4::date)::text), "
       "weir_api.version($1, $2)",
       "SELECT * FROM weir_api.daily_rows($1, $2, $3::date, $4::date)",
       "days",
       {kFromDay, kToDay}},
      {"/v1/users",
       Kind::figure,
       "Users: totals, trends, retention, cohorts, stickiness, growth",
       "SELECT weir_api.bounded(weir_api.users($1, $2, $3::date, $4::date, $5)::text), "
       "weir_api.version($1, $2)",
       nullptr,
       "days",
       {kFromDay, kToDay, kZone}},
      {"/v1/crashes",
       Kind::figure,
       "Crashes: users and sessions without, trends, versions, systems, groups, the first one",
       "SELECT weir_api.bounded(weir_api.crashes($1, $2, $3::date, $4::date, $5, "
       "$6::integer)::text), "
       "weir_api.version($1, $2)",
       nullptr,
       "days",
       {kFromDay, kToDay, kZone, kTop}},
      {"/v1/crash_releases",
       Kind::figure,
       "Groups of crashes that are new in a release, or came back",
       "SELECT weir_api.bounded(weir_api.crash_releases($1, $2, $3::date, $4::date, $5, "
       "$6::integer)::text), "
       "weir_api.version($1, $2)",
       nullptr,
       "releases",
       {kFromDay, kToDay, kZone, kTop}},
      {"/v1/audience",
       Kind::figure,
       "Versions, platforms, countries, browsers, devices: users, shares by week, adoption by day",
       "SELECT weir_api.bounded(weir_api.audience($1, $2, $3::date, $4::date, $5, "
       "$6::integer)::text), "
       "weir_api.version($1, $2)",
       nullptr,
       "days",
       {kFromDay, kToDay, kZone, kTop}},
      {"/v1/costs",
       Kind::figure,
       "Costs, or another measure: in all, by time, for each user, growth",
       "SELECT weir_api.bounded(weir_api.costs($1, $2, $3::date, $4::date, $5, $6)::text), "
       "weir_api.version($1, $2)",
       nullptr,
       "days",
       {kFromDay, kToDay, kZone, kMeasure}},
      {"/v1/usage",
       Kind::figure,
       "Usage: counts, numbers, success, errors, peak hours, sessions, command line",
       "SELECT weir_api.bounded(weir_api.usage($1, $2, $3::date, $4::date, $5, $6, $7)::text), "
       "weir_api.version($1, $2)",
       nullptr,
       "days",
       {kFromDay, kToDay, kZone, kEvent, kProperty}},
      {"/v1/features",
       Kind::figure,
       "Features: adoption, stickiness, time to first use, unused ones; power and casual users",
       "SELECT weir_api.bounded(weir_api.features($1, $2, $3::date, $4::date, $5, $6, $7)::text), "
       "weir_api.version($1, $2)",
       nullptr,
       "features",
       {kFromDay, kToDay, kZone, kFeature, kSplit}},
      {"/v1/funnels",
       Kind::figure,
       "Funnels: how many users get how far on a way of steps, how long they take, by property",
       "SELECT weir_api.bounded(weir_api.funnels($1, $2, $3::date, $4::date, $5, $6, $7::integer, "
       "$8, $9, "
       "$10::integer)::text), "
       "weir_api.version($1, $2)",
       nullptr,
       "steps",
       {kFromDay, kToDay, kZone, kSteps, kWithin, kSplitBy, kFilter, kTop}},
      {"/v1/paths",
       Kind::figure,
       "Paths: ways through the screens, what comes next, where visits end",
       "SELECT weir_api.bounded(weir_api.paths($1, $2, $3::date, $4::date, $5, $6, $7, "
       "$8::integer, $9, "
       "$10::integer)::text), "
       "weir_api.version($1, $2)",
       nullptr,
       "paths",
       {kFromDay, kToDay, kZone, kViewEvent, kViewProperty, kLength, kFilter, kTop}},
      {"/v1/tasks",
       Kind::figure,
       "Tasks: time from a start to its finish, and how many are not finished",
       "SELECT weir_api.bounded(weir_api.tasks($1, $2, $3::date, $4::date, $5, $6, $7, $8, "
       "$9::integer, $10)::text), "
       "weir_api.version($1, $2)",
       nullptr,
       kWholeAnswer,
       {kFromDay, kToDay, kZone, kStart, kFinish, kKey, kTaskWithin, kFilter}},
      {"/v1/pages",
       Kind::figure,
       "Pages: how long they take, the slowest first",
       "SELECT weir_api.bounded(weir_api.pages($1, $2, $3::date, $4::date, $5, $6, $7, $8, "
       "$9::integer, $10, "
       "$11::integer)::text), "
       "weir_api.version($1, $2)",
       nullptr,
       "pages",
       {kFromDay, kToDay, kZone, kViewEvent, kDuration, kPage, kAtLeast, kFilter, kTop}},
      {"/v1/rage_clicks",
       Kind::figure,
       "Rage clicks: where users click again and again, by page and element",
       "SELECT weir_api.bounded(weir_api.rage_clicks($1, $2, $3::date, $4::date, $5, $6, "
       "$7::integer, $8::integer, "
       "$9, $10::integer)::text), "
       "weir_api.version($1, $2)",
       nullptr,
       "pages",
       {kFromDay, kToDay, kZone, kClickEvent, kClicks, kSeconds, kFilter, kTop}},
      {"/v1/nps",
       Kind::figure,
       "The net promoter score, by version and week",
       "SELECT weir_api.bounded(weir_api.nps($1, $2, $3::date, $4::date, $5, $6, $7, $8)::text), "
       "weir_api.version($1, $2)",
       nullptr,
       "weeks",
       {kFromDay, kToDay, kZone, kSurveyEvent, kScore, kFilter}},
      {"/v1/cohorts",
       Kind::figure,
       "Cohorts by rule: users who did this and not that, how active they are, whether they come "
       "back",
       "SELECT weir_api.bounded(weir_api.cohorts($1, $2, $3::date, $4::date, $5, $6)::text), "
       "weir_api.version($1, $2)",
       nullptr,
       "days",
       {kFromDay, kToDay, kZone, kRule}},
      {"/v1/correlation",
       Kind::figure,
       "Correlation: whether users of a feature differ from the others in a value; no proof of a "
       "cause",
       "SELECT weir_api.bounded(weir_api.correlation($1, $2, $3::date, $4::date, $5, $6, "
       "$7)::text), "
       "weir_api.version($1, $2)",
       nullptr,
       kWholeAnswer,
       {kFromDay, kToDay, kZone, kFeaturePattern, kOutcome}},
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
