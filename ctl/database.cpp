#include "ctl/database.h"

namespace weir::ctl {

std::optional<pg::Connection> connect(const std::string& conninfo, std::string& error) {
  auto database = pg::Connection::open(conninfo, error, "weirctl");
  if (!database) {
    error.insert(0, "cannot connect to PostgreSQL: ");
    return std::nullopt;
  }
  if (database->exec("SET client_connection_check_interval = '1s'")) return database;
  error = database->error().message;
  return std::nullopt;
}

}  // namespace weir::ctl
