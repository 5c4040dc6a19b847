// weirctl migrate: brings a database up to date with sql/migrations. sql/README.md is the contract.
#include <iostream>
#include <map>
#include <memory>

#include <CLI/CLI.hpp>

#include "ctl/command.h"
#include "ctl/database.h"
#include "ctl/migration_files.h"
#include "ctl/statements.h"
#include "pg/connection.h"

namespace weir::ctl {
namespace {

constexpr int kOldestServer = 150000;

// May this role have the three roles, by making them or by being weir_owner? And a schema? From
// version 16 on, a member of a role is not always one who can become it.
constexpr const char* kRights = R"(
  SELECT rolsuper OR rolcreaterole
      OR (SELECT count(*) = 3 AND bool_and(rolname <> 'weir_owner' OR pg_has_role(oid, membership))
          FROM pg_roles WHERE rolname IN ('weir_owner', 'weir_flusher', 'weir_reader')),
    has_database_privilege(current_database(), 'CREATE'), current_user, current_database()
  FROM pg_roles, (SELECT CASE WHEN current_setting('server_version_num')::integer < 160000
                     THEN 'MEMBER' ELSE 'SET' END) AS asked (membership)
  WHERE rolname = current_user)";

// These roles may have been made since, and who made them need not know what they may do.
constexpr const char* kAdmit = R"(
  DO $$
  DECLARE
    role text;
  BEGIN
    FOR role IN
      SELECT rolname FROM pg_roles WHERE rolname IN ('weir_api', 'weir_bi', 'weir_ledger')
        AND NOT has_database_privilege(rolname, current_database(), 'CONNECT')
    LOOP
      EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), role);
    END LOOP;
  END
  $$;
  SET LOCAL ROLE weir_owner;
  SELECT weir.admit_api(), weir.admit_bi(), weir.admit_ledger())";

constexpr const char* kRecord =
    "INSERT INTO weir.schema_migrations (version, name, checksum) VALUES ($1, $2, $3)";
constexpr const char* kRecordRepeatable =
    "INSERT INTO weir.repeatable_files AS f (name, checksum) VALUES ($1, $2)"
    " ON CONFLICT (name) DO UPDATE SET checksum = excluded.checksum, applied_at = now()";

struct Options {
  std::string postgres;
  std::string sql;
  bool check = false;
};

struct Applied {
  std::string name;
  std::string checksum;
};

// Applies migrations over one connection. What can fail returns one sentence, or "" for success.
class Migrator {
 public:
  Migrator(pg::Connection& db, const std::vector<MigrationFile>& files,
           const std::vector<MigrationFile>& repeatables)
      : db_(db), files_(files), repeatables_(repeatables) {}

  std::string lock();
  std::string stop_building();
  std::string read_applied();
  std::string compare() const;
  std::string check_rights();
  std::string apply_missing();
  std::string admit();

  // What is not in the database as it is here: numbered files, then those that can be repeated.
  std::vector<const MigrationFile*> missing() const;

 private:
  std::string lock(const std::string& name, const std::string& saying);
  bool is_first_time() const { return applied_.empty(); }
  std::string apply(const MigrationFile& file);
  std::string run(const MigrationFile& file, const Statement& statement);
  std::string record(const MigrationFile& file);
  std::string read_repeated();

  pg::Connection& db_;
  const std::vector<MigrationFile>& files_;
  const std::vector<MigrationFile>& repeatables_;
  std::map<int, Applied> applied_;
  std::map<std::string, std::string> repeated_;  // name and checksum
};

bool is_true(const std::optional<pg::Result>& result, int column = 0) {
  return result && result->rows() == 1 && result->value(0, column) == "t";
}

std::string at_line(const MigrationFile& file, int line, const std::string& message) {
  return file.path + ":" + std::to_string(line) + ": " + message +
         "; nothing of this file was applied";
}

std::string Migrator::lock() {
  return lock("weir.migrate", "another migration is running: waiting for it");
}

// While files are applied no day is built: by functions of before it would lack what a migration
// has already made of the others.
std::string Migrator::stop_building() {
  if (missing().empty()) return {};
  return lock("weir.roll_ups", "days are being built: waiting for the one at hand");
}

// Held until the connection ends. `name` as in SQL, where weir.builder_key() is one.
std::string Migrator::lock(const std::string& name, const std::string& saying) {
  const std::string key = "hashtextextended('" + name + "', 0)";
  const auto taken = db_.exec("SELECT pg_try_advisory_lock(" + key + ")");
  if (is_true(taken)) return {};
  std::cout << saying << std::endl;
  const bool waited = db_.exec("SELECT pg_advisory_lock(" + key + ")").has_value();
  return waited ? "" : "cannot wait for what holds up migrations: " + db_.error().message;
}

// The first migration makes the table; without it nothing was applied.
std::string Migrator::read_applied() {
  applied_.clear();
  const auto rows = db_.exec("SELECT version, name, checksum FROM weir.schema_migrations");
  if (!rows) {
    const bool none = db_.sqlstate() == pg::kUndefinedTable;
    return none ? "" : "cannot read weir.schema_migrations: " + db_.error().message;
  }
  for (int row = 0; row < rows->rows(); ++row) {
    const int version = std::stoi(std::string(rows->value(row, 0).value_or("0")));
    applied_[version] = {std::string(rows->value(row, 1).value_or("")),
                         std::string(rows->value(row, 2).value_or(""))};
  }
  return read_repeated();
}

// Older schemas know no such files.
std::string Migrator::read_repeated() {
  const auto rows = db_.exec("SELECT name, checksum FROM weir.repeatable_files");
  if (!rows) {
    const bool none = db_.sqlstate() == pg::kUndefinedTable;
    return none ? "" : "cannot read weir.repeatable_files: " + db_.error().message;
  }
  for (int row = 0; row < rows->rows(); ++row) {
    repeated_[std::string(rows->value(row, 0).value_or(""))] = rows->value(row, 1).value_or("");
  }
  return {};
}

// Does what was applied agree with the files?
std::string Migrator::compare() const {
  for (const auto& [version, applied] : applied_) {
    if (version < 1 || static_cast<std::size_t>(version) > files_.size()) {
      return "the database has " + applied.name +
             ", which is not among the migrations here: use the weirctl that brought it";
    }
    const MigrationFile& file = files_[static_cast<std::size_t>(version) - 1];
    if (file.checksum != applied.checksum) {
      return file.path + " has changed since it was applied to this database (as " + applied.name +
             "): restore it, and put the change into a new migration";
    }
  }
  return {};
}

// The rights that the first migration needs, asked for beforehand so that the answer says what to
// do.
std::string Migrator::check_rights() {
  if (!is_first_time()) return {};
  const auto rights = db_.exec(kRights);
  if (!rights) return "cannot look up the rights of this role: " + db_.error().message;
  const std::string role(rights->value(0, 2).value_or(""));
  const std::string database(rights->value(0, 3).value_or(""));
  if (!is_true(rights, 0)) {
    return "the role " + role +
           " may not create Weir's roles: give it CREATEROLE, or run this as a superuser";
  }
  if (!is_true(rights, 1)) {
    return "the role " + role + " may not create a schema in the database " + database +
           ": GRANT CREATE ON DATABASE " + database + " TO " + role;
  }
  return {};
}

std::vector<const MigrationFile*> Migrator::missing() const {
  std::vector<const MigrationFile*> missing;
  for (const MigrationFile& file : files_) {
    if (applied_.count(file.version) == 0) missing.push_back(&file);
  }
  for (const MigrationFile& file : repeatables_) {
    const auto known = repeated_.find(file.name);
    if (known == repeated_.end() || known->second != file.checksum) missing.push_back(&file);
  }
  return missing;
}

std::string Migrator::apply_missing() {
  for (const MigrationFile* file : missing()) {
    if (std::string error = apply(*file); !error.empty()) return error;
    std::cout << "applied " << file->name << std::endl;
  }
  return {};
}

std::string Migrator::admit() {
  if (!db_.exec("BEGIN")) return db_.error().message;
  const auto is_there = db_.exec(kAdmit);
  if (!is_there || !db_.exec("COMMIT")) {
    return "the roles weir_api, weir_bi and weir_ledger cannot be let in (" + db_.error().message +
           "): run this as the owner of the database, or as a superuser";
  }
  if (!is_true(is_there)) {
    std::cout << "there is no role weir_api, as which weir-api connects: once it is made (CREATE "
                 "ROLE weir_api LOGIN), run this again"
              << std::endl;
  }
  return {};
}

// One file, one transaction. A failure ends with the connection, which rolls back.
std::string Migrator::apply(const MigrationFile& file) {
  std::string error;
  int line = 0;
  const auto statements = split_statements(file.text, error, line);
  if (!statements) return at_line(file, line, error);
  if (!db_.exec("BEGIN")) return db_.error().message;
  for (const Statement& statement : *statements) {
    error = run(file, statement);
    if (!error.empty()) return error;
  }
  return record(file);
}

std::string Migrator::run(const MigrationFile& file, const Statement& statement) {
  if (is_transaction_control(statement.text)) {
    return at_line(file, statement.line, "a migration may not begin or end a transaction");
  }
  if (db_.exec(std::string(statement.text))) return {};
  const pg::Error& error = db_.error();
  std::string message = error.message;
  if (!error.detail.empty()) message += " (" + error.detail + ")";
  if (!error.hint.empty()) message += " (hint: " + error.hint + ")";
  return at_line(file, line_of_position(statement, error.position), message);
}

std::string Migrator::record(const MigrationFile& file) {
  const bool is_repeatable = file.version == 0;
  const auto recorded =
      is_repeatable
          ? db_.exec_params(kRecordRepeatable, {file.name, file.checksum})
          : db_.exec_params(kRecord, {std::to_string(file.version), file.name, file.checksum});
  if (recorded && db_.exec("COMMIT")) return {};
  return file.path + ": cannot be recorded as applied: " + db_.error().message +
         "; nothing of this file was applied";
}

int check(Migrator& migrator) {
  const auto missing = migrator.missing();
  for (const MigrationFile* file : missing) std::cout << "missing " << file->name << "\n";
  if (missing.empty()) {
    std::cout << "the database is up to date" << std::endl;
    return kDone;
  }
  return fail("the database is not up to date: run weirctl migrate");
}

int bring_up_to_date(Migrator& migrator, std::size_t version) {
  const std::size_t count = migrator.missing().size();
  for (const auto step : {&Migrator::check_rights, &Migrator::stop_building,
                          &Migrator::apply_missing, &Migrator::admit}) {
    if (std::string error = (migrator.*step)(); !error.empty()) return fail(error);
  }
  std::cout << (count == 0 ? "nothing to apply" : std::to_string(count) + " applied")
            << ": the database is at version " << version << std::endl;
  return kDone;
}

int migrate(const Options& options) {
  std::string error;
  const auto files = read_migrations(options.sql, error);
  const auto repeatables = files ? read_repeatables(options.sql, error) : std::nullopt;
  if (!repeatables) return fail(error);
  auto db = connect(options.postgres, error);
  if (!db) return fail(error);
  if (db->server_version() < kOldestServer) {
    return fail("this PostgreSQL is version " + std::to_string(db->server_version() / 10000) +
                ": Weir needs 15 or newer");
  }
  Migrator migrator(*db, *files, *repeatables);
  if (!options.check) error = migrator.lock();
  if (error.empty()) error = migrator.read_applied();
  if (error.empty()) error = migrator.compare();
  if (!error.empty()) return fail(error);
  return options.check ? check(migrator) : bring_up_to_date(migrator, files->size());
}

void add_migrate(CLI::App& app, int& status) {
  auto options = std::make_shared<Options>();
  options->sql = default_sql_directory();
  CLI::App* command = app.add_subcommand("migrate", "Bring the database's schema up to date");
  command->add_option("--postgres", options->postgres,
                      "Connection string or URI; by default the PG* environment variables decide");
  command->add_option("--sql", options->sql, "Directory of the migrations")->capture_default_str();
  command->add_flag("--check", options->check,
                    "Change nothing; exit with 1 if something is missing");
  command->callback([options, &status] { status = migrate(*options); });
}

const Register kRegistered(add_migrate);

}  // namespace
}  // namespace weir::ctl
