// PostgreSQL as every subcommand of weirctl connects to it.
//
//   std::string error;
//   auto database = connect(options.postgres, error);
//   if (!database) return fail(error);
#pragma once

#include <optional>
#include <string>

#include "pg/connection.h"

namespace weir::ctl {

// What a weirctl that is ended was about to do is given up within a second, however long it would
// take: a backend would go on with it, and keep its locks. None: `error` holds one sentence.
std::optional<pg::Connection> connect(const std::string& conninfo, std::string& error);

}  // namespace weir::ctl
