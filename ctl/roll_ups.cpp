#include "ctl/roll_ups.h"

#include <charconv>
#include <string_view>

namespace weir::ctl {
namespace {

constexpr const char* kBacklog = "SELECT days, failing, oldest FROM weir.roll_up_backlog()";
constexpr const char* kMarked =
    "SELECT clock_timestamp(), count(*) FROM weir.days_to_build($1, NULL)";
constexpr const char* kStillMarked = "SELECT count(*) FROM weir.days_to_build($1, $2)";
constexpr const char* kLeftOut = "SELECT tenant_id, rows FROM weir.rows_out_of_time($1) ORDER BY 1";
constexpr const char* kChoose = "SELECT state, tenant_id, day FROM weir.choose_roll_up($1, $2)";
constexpr const char* kBuild = "SELECT state, trouble FROM weir.build_roll_up($1, $2)";
constexpr const char* kIsKnown =
    "SELECT EXISTS (SELECT FROM weir.events WHERE tenant_id = $1) OR "
    "EXISTS (SELECT FROM weir.crashes WHERE tenant_id = $1) OR "
    "EXISTS (SELECT FROM weir.users WHERE tenant_id = $1) OR "
    "EXISTS (SELECT FROM weir.day_measures WHERE tenant_id = $1) OR "
    "EXISTS (SELECT FROM weir.crash_days WHERE tenant_id = $1) OR "
    "EXISTS (SELECT FROM weir.day_counts WHERE tenant_id = $1) OR "
    "EXISTS (SELECT FROM weir.touched_days WHERE tenant_id = $1)";
constexpr const char* kParts = "SELECT kind, tenant_id, zone, day FROM weir.parts_to_verify($1)";
constexpr const char* kVerifySums =
    "SELECT part, subject, value, kept, counted FROM weir.verify_sums($1, $2)";
constexpr const char* kVerifyUsers =
    "SELECT part, subject, value, kept, counted FROM weir.verify_users($1)";
constexpr const char* kVerifyDay =
    "SELECT part, subject, value, kept, counted FROM weir.verify_day($1, $2, $3)";
constexpr const char* kBeginRebuild = "SELECT tenant_id, day FROM weir.begin_rebuild($1, $2)";
constexpr const char* kRebuildSums = "SELECT weir.rebuild_sums($1, $2, $3)";
constexpr const char* kRebuildDay = "SELECT weir.rebuild_day($1, $2, $3)";
constexpr const char* kRebuildUsers = "SELECT weir.rebuild_users($1)";
constexpr const char* kZones =
    "SELECT tenant_id, zone, ready_at IS NOT NULL FROM weir.report_zones ORDER BY 1, 2";
constexpr const char* kKeepZone = "SELECT weir.keep_zone($1, $2)";
constexpr const char* kDropZone = "SELECT weir.drop_zone($1, $2)";

std::string text(const pg::Result& rows, int row, int column) {
  return std::string(rows.value(row, column).value_or(""));
}

std::int64_t number(const pg::Result& rows, int row, int column) {
  const std::string_view digits = rows.value(row, column).value_or("0");
  std::int64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

std::string boolean(bool value) { return value ? "t" : "f"; }

}  // namespace

std::optional<pg::Result> RollUps::ask(const std::string& sql, const std::vector<pg::Param>& params,
                                       std::string& error) {
  auto rows = database_.exec_params(sql, params);
  if (rows) return rows;
  const pg::Error& said = database_.error();
  error = said.message;
  if (said.sqlstate == pg::kInsufficientPrivilege) {
    error += ": connect as a member of weir_owner (to compare, weir_reader is enough)";
  } else if (said.sqlstate == pg::kUndefinedFunction || said.sqlstate == pg::kUndefinedSchema) {
    error += ": run `weirctl migrate` first";
  } else if (!said.hint.empty()) {
    error += ": " + said.hint;
  }
  return std::nullopt;
}

std::optional<bool> RollUps::is_true(const std::string& sql, const std::vector<pg::Param>& params,
                                     std::string& error) {
  const auto rows = ask(sql, params, error);
  if (!rows) return std::nullopt;
  return rows->value(0, 0) == "t";
}

std::optional<Backlog> RollUps::backlog(std::string& error) {
  const auto rows = ask(kBacklog, {}, error);
  if (!rows) return std::nullopt;
  return Backlog{number(*rows, 0, 0), number(*rows, 0, 1), text(*rows, 0, 2)};
}

std::optional<Marked> RollUps::marked(const pg::Param& tenant, std::string& error) {
  const auto rows = ask(kMarked, {tenant}, error);
  if (!rows) return std::nullopt;
  return Marked{text(*rows, 0, 0), number(*rows, 0, 1)};
}

std::optional<std::int64_t> RollUps::still_marked(const pg::Param& tenant, const Marked& marked,
                                                  std::string& error) {
  const auto rows = ask(kStillMarked, {tenant, marked.until}, error);
  if (!rows) return std::nullopt;
  return number(*rows, 0, 0);
}

std::optional<RefreshStep> RollUps::refresh(const pg::Param& tenant, const Marked& marked,
                                            std::string& error) {
  const auto chosen = ask(kChoose, {tenant, marked.until}, error);
  if (!chosen) return std::nullopt;
  RefreshStep step{text(*chosen, 0, 0), text(*chosen, 0, 1), text(*chosen, 0, 2), ""};
  if (step.state != "chosen") return step;
  const auto built = ask(kBuild, {step.tenant, step.day}, error);
  if (!built) return std::nullopt;
  step.state = text(*built, 0, 0);
  step.trouble = text(*built, 0, 1);
  return step;
}

std::optional<bool> RollUps::is_known(const std::string& tenant, std::string& error) {
  return is_true(kIsKnown, {tenant}, error);
}

std::optional<std::vector<Part>> RollUps::parts(const pg::Param& tenant, std::string& error) {
  const auto rows = ask(kParts, {tenant}, error);
  if (!rows) return std::nullopt;
  std::vector<Part> parts;
  parts.reserve(static_cast<std::size_t>(rows->rows()));
  for (int i = 0; i < rows->rows(); ++i)
    parts.push_back({text(*rows, i, 0), text(*rows, i, 1), text(*rows, i, 2), text(*rows, i, 3)});
  return parts;
}

std::optional<std::vector<Difference>> RollUps::verify(const Part& part, std::string& error) {
  const auto rows = part.kind == "sums" ? ask(kVerifySums, {part.tenant, part.day}, error)
                    : part.kind == "users"
                        ? ask(kVerifyUsers, {part.tenant}, error)
                        : ask(kVerifyDay, {part.tenant, part.zone, part.day}, error);
  if (!rows) return std::nullopt;
  std::vector<Difference> found;
  found.reserve(static_cast<std::size_t>(rows->rows()));
  for (int i = 0; i < rows->rows(); ++i) {
    found.push_back({text(*rows, i, 0), text(*rows, i, 1), text(*rows, i, 2), text(*rows, i, 3),
                     text(*rows, i, 4)});
  }
  return found;
}

std::optional<std::vector<LeftOut>> RollUps::left_out(const pg::Param& tenant, std::string& error) {
  const auto rows = ask(kLeftOut, {tenant}, error);
  if (!rows) return std::nullopt;
  std::vector<LeftOut> found;
  found.reserve(static_cast<std::size_t>(rows->rows()));
  for (int i = 0; i < rows->rows(); ++i) found.push_back({text(*rows, i, 0), number(*rows, i, 1)});
  return found;
}

std::optional<std::vector<Day>> RollUps::begin_rebuild(const pg::Param& tenant, bool forget,
                                                       std::string& error) {
  const auto rows = ask(kBeginRebuild, {tenant, boolean(forget)}, error);
  if (!rows) return std::nullopt;
  std::vector<Day> days;
  days.reserve(static_cast<std::size_t>(rows->rows()));
  for (int i = 0; i < rows->rows(); ++i) days.push_back({text(*rows, i, 0), text(*rows, i, 1)});
  return days;
}

std::optional<bool> RollUps::rebuild_sums(const Day& day, bool forget, std::string& error) {
  return is_true(kRebuildSums, {day.tenant, day.day, boolean(forget)}, error);
}

std::optional<bool> RollUps::rebuild_day(const Day& day, bool forget, std::string& error) {
  return is_true(kRebuildDay, {day.tenant, day.day, boolean(forget)}, error);
}

bool RollUps::rebuild_users(const std::string& tenant, std::string& error) {
  return ask(kRebuildUsers, {tenant}, error).has_value();
}

std::optional<std::vector<Zone>> RollUps::zones(std::string& error) {
  const auto rows = ask(kZones, {}, error);
  if (!rows) return std::nullopt;
  std::vector<Zone> zones;
  zones.reserve(static_cast<std::size_t>(rows->rows()));
  for (int i = 0; i < rows->rows(); ++i)
    zones.push_back({text(*rows, i, 0), text(*rows, i, 1), rows->value(i, 2) == "t"});
  return zones;
}

std::optional<std::int64_t> RollUps::keep_zone(const Zone& zone, std::string& error) {
  const auto rows = ask(kKeepZone, {zone.tenant, zone.zone}, error);
  if (!rows) return std::nullopt;
  return number(*rows, 0, 0);
}

std::optional<bool> RollUps::drop_zone(const Zone& zone, std::string& error) {
  return is_true(kDropZone, {zone.tenant, zone.zone}, error);
}

}  // namespace weir::ctl
