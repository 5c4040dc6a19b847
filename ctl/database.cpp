#include "ctl/database.h"

namespace weir::ctl {

std::optional<pg::Connection> connect(const std::string& conninfo, std::string& error) {
  auto database = pg::Connection::open(conninfo, error, "weirctl", nullptr, pg::Notices::print);
  if (!database) {
    error.insert(0, "cannot connect to PostgreSQL: ");
    return std::nullopt;
  }
  // A server before PostgreSQL 14 does not know it: who asks for its version says what is needed.
  if (database->exec("SELECT set_config('client_connection_check_interval', '1s', false)"
                     " WHERE current_setting('server_version_num')::integer >= 140000")) {
    return database;
  }
  error = database->error().message;
  return std::nullopt;
}

}  // namespace weir::ctl
