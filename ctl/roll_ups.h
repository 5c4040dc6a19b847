// The roll-ups as weirctl sees them: questions to the functions of sql/migrations/0017 to 0019
// and from 0030 on.
//
//   RollUps roll_ups(connection);
//   std::string error;
//   const auto days = roll_ups.begin_rebuild({}, /*forget=*/false, error);
//   for (const Day& day : *days) if (!roll_ups.rebuild_sums(day, false, error)) return fail(error);
//
// Each call is a transaction of its own, or two (refresh()). None, or no value: `error` holds one
// sentence.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pg/connection.h"

namespace weir::ctl {

struct Backlog {
  std::int64_t days = 0, failing = 0;
  std::string oldest;  // as PostgreSQL prints it; "" for none
};

// What may be built of what was marked at a moment of PostgreSQL's clock.
struct Marked {
  std::string until;
  std::int64_t days = 0;
};

struct RefreshStep {
  std::string state, tenant, day, trouble;
};

struct Day {
  std::string tenant, day;
};

// Rows of a tenant whose time lies outside of what figures are made of.
struct LeftOut {
  std::string tenant;
  std::int64_t rows = 0;
};

struct Part {
  std::string kind, tenant, zone, day;
};

struct Difference {
  std::string part, subject, value, kept, counted;
};

struct Zone {
  std::string tenant, zone;
  bool is_ready = false;
};

class RollUps {
 public:
  explicit RollUps(pg::Connection& database) : database_(database) {}

  std::optional<Backlog> backlog(std::string& error);
  std::optional<Marked> marked(const pg::Param& tenant, std::string& error);
  // Of what was marked by then, how many days are left to build.
  std::optional<std::int64_t> still_marked(const pg::Param& tenant, const Marked& marked,
                                           std::string& error);
  // Builds a day of those that were marked by then: what comes later is for the next one.
  std::optional<RefreshStep> refresh(const pg::Param& tenant, const Marked& marked,
                                     std::string& error);

  // Whether there is a row of the tenant, anything that was made of rows, or a day to be built.
  std::optional<bool> is_known(const std::string& tenant, std::string& error);

  std::optional<std::vector<Part>> parts(const pg::Param& tenant, std::string& error);
  std::optional<std::vector<Difference>> verify(const Part& part, std::string& error);

  std::optional<std::vector<LeftOut>> left_out(const pg::Param& tenant, std::string& error);

  std::optional<std::vector<Day>> begin_rebuild(const pg::Param& tenant, bool forget,
                                                std::string& error);
  // False inside: rows of the day are gone, and what was kept of them still is.
  std::optional<bool> rebuild_sums(const Day& day, bool forget, std::string& error);
  std::optional<bool> rebuild_day(const Day& day, bool forget, std::string& error);
  bool rebuild_users(const std::string& tenant, std::string& error);

  // Whether the session is lost, and with it all that would come.
  bool is_broken() const { return database_.is_broken(); }

  std::optional<std::vector<Zone>> zones(std::string& error);
  std::optional<std::int64_t> keep_zone(const Zone& zone, std::string& error);
  std::optional<bool> drop_zone(const Zone& zone, std::string& error);

 private:
  std::optional<pg::Result> ask(const std::string& sql, const std::vector<pg::Param>& params,
                                std::string& error);
  std::optional<bool> is_true(const std::string& sql, const std::vector<pg::Param>& params,
                              std::string& error);

  pg::Connection& database_;
};

}  // namespace weir::ctl
