// The migrations as files: found, numbered, read and summed.
//
//   std::string error;
//   auto files = read_migrations("sql", error);
//   if (!files) return fail(error);
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace weir::ctl {

struct MigrationFile {
  int version;       // from the name, 1 and up; 0 for one that can be repeated
  std::string name;  // 0001_roles_and_schema.sql
  std::string path;  // as the operator may open it
  std::string text;
  std::string checksum;  // SHA-256 in hexadecimal
};

// All files NNNN_subject.sql in the order of their numbers, which count up from 1 without gaps.
// `sql_directory` holds them, or a folder migrations/ that does. None: `error` holds one sentence.
std::optional<std::vector<MigrationFile>> read_migrations(const std::string& sql_directory,
                                                          std::string& error);

// The files of `sql_directory`/analytics in the order of their names (analytics/users.sql), which
// are applied again whenever they change; none where there is no such folder. None at all: as
// above.
std::optional<std::vector<MigrationFile>> read_repeatables(const std::string& sql_directory,
                                                           std::string& error);

// The sql/ folder unless somebody says otherwise: that of the checkout which this program was built
// in, or the installed one.
std::string default_sql_directory();

}  // namespace weir::ctl
