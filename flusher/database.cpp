#include "flusher/database.h"

#include <poll.h>

#include <charconv>
#include <utility>
#include <vector>

namespace weir::flusher {
namespace {

constexpr int kSchemaVersion = WEIR_SCHEMA_VERSION;

// Records hold UTF-8, whatever PGCLIENTENCODING says.
const std::string kOpenSession = "SET client_encoding = 'UTF8'; SELECT weir.open_session()";

const std::string kUnmigrated =
    "the database has no Weir schema yet: run `weirctl migrate` on it, then start weir-flusher";

// libpq gives no SQLSTATE for a refused connection. weirctl migrate makes the role.
bool is_missing_role(const std::string& error) {
  return error.find("role \"") != std::string::npos &&
         error.find("does not exist") != std::string::npos;
}

bool is_missing_schema(const std::string& sqlstate) {
  return sqlstate == pg::kUndefinedSchema || sqlstate == pg::kUndefinedFunction ||
         sqlstate == pg::kUndefinedTable;
}

int to_int(std::string_view digits) {
  int value = -1;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

std::string wrong_version(int version) {
  const std::string versions = "the database's schema is version " + std::to_string(version) +
                               ", this weir-flusher is made for version " +
                               std::to_string(kSchemaVersion) + ": ";
  return versions + (version < kSchemaVersion
                         ? "run `weirctl migrate` of the same release"
                         : "install weir-flusher of the release whose `weirctl migrate` was run");
}

}  // namespace

Database::Database(std::string conninfo, pg::Patience& patience)
    : conninfo_(std::move(conninfo)), patience_(patience) {}

Database::Open Database::open(std::string& error) {
  close();
  connection_ = pg::Connection::open(conninfo_, error, "weir-flusher", &patience_);
  if (!connection_) {
    if (!is_missing_role(error)) return Open::away;
    error = kUnmigrated + " (" + error + ")";
    return Open::refused;
  }
  const Open schema = check_schema(error);
  if (schema != Open::ready) {
    close();
    return schema;
  }
  if (connection_->exec(kOpenSession)) return Open::ready;
  error = this->error();
  close();
  return Open::away;
}

Database::Open Database::check_schema(std::string& error) {
  const auto rows = connection_->exec("SELECT weir.schema_version()");
  if (!rows) {
    error = this->error();
    if (!is_missing_schema(connection_->sqlstate())) return Open::away;
    error = kUnmigrated;
    return Open::refused;
  }
  const int version = to_int(rows->value(0, 0).value_or(""));
  if (version == kSchemaVersion) return Open::ready;
  error = wrong_version(version);
  return Open::refused;
}

std::optional<std::optional<StoredPosition>> Database::read_position(const std::string& stream) {
  const auto rows = connection_->exec_params(
      "SELECT p.position, p.epoch, p.previous FROM weir.read_position($1) AS p", {stream});
  if (!rows) return std::nullopt;
  if (rows->rows() == 0) return std::optional<StoredPosition>();
  const std::string_view position = rows->value(0, 0).value_or("");
  return StoredPosition{std::string(position), parse_stream_id(position),
                        std::string(rows->value(0, 1).value_or("")),
                        std::string(rows->value(0, 2).value_or(""))};
}

std::optional<int> Database::make_partitions() {
  const auto rows = connection_->exec("SELECT weir.make_partitions()");
  if (!rows) return std::nullopt;
  return to_int(rows->value(0, 0).value_or(""));
}

std::optional<std::vector<std::string>> Database::unread_streams(
    const std::vector<std::string>& others) {
  const auto rows =
      connection_->exec_params("SELECT weir.unread_streams($1)", {pg::array_of(others)});
  if (!rows) return std::nullopt;
  std::vector<std::string> names;
  names.reserve(static_cast<std::size_t>(rows->rows()));
  for (int i = 0; i < rows->rows(); ++i) names.emplace_back(rows->value(i, 0).value_or(""));
  return names;
}

// A word nobody asked for is a server's farewell, or a changed setting.
bool Database::is_alive() {
  pollfd poll_fd{connection_->socket(), POLLIN, 0};
  if (poll(&poll_fd, 1, 0) <= 0) return !connection_->is_broken();
  return connection_->exec("SELECT 1").has_value();
}

std::string Database::error() const {
  const pg::Error& error = connection_->error();
  return error.sqlstate.empty() ? error.message : error.message + " (" + error.sqlstate + ")";
}

Fault fault_of(const pg::Connection& connection) {
  return connection.is_broken() ? Fault::away : fault_of(connection.sqlstate());
}

}  // namespace weir::flusher
