// weirctl viewers: which tenants' figures somebody may see whom the web server calls by a name.
// weir-api looks there at each request, and remembers for a second. docs/api-server.md.
#include <cstdint>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "core/json/text.h"
#include "ctl/command.h"
#include "ctl/database.h"
#include "ctl/terminal.h"
#include "pg/connection.h"

namespace weir::ctl {
namespace {

constexpr std::size_t kMostViewer = 128, kMostTenant = 200;  // bytes, as in api/

struct Options {
  std::string postgres;
  std::string viewer;
  std::vector<std::string> tenants;
  bool json = false;
};

constexpr const char* kAdd =
    "INSERT INTO weir.viewers (viewer, tenant_id) SELECT $1, unnest($2::text[]) ON CONFLICT DO "
    "NOTHING";
constexpr const char* kRemove =
    "DELETE FROM weir.viewers WHERE viewer = $1 AND ($2::text[] = '{}' OR tenant_id = ANY ($2))";
constexpr const char* kList =
    "SELECT viewer, tenant_id, to_json(v)::text FROM weir.viewers AS v WHERE $1 IN (viewer, '') "
    "ORDER BY viewer COLLATE \"C\", tenant_id COLLATE \"C\"";

// Empty, or what is wrong with a name that is to be written down.
std::string name_fault(const std::string& name, std::size_t most) {
  if (name.empty() || name.size() > most) {
    return "a name has to be 1 to " + std::to_string(most) + " bytes long";
  }
  const bool has_control = name.find_first_of("\t\r\n") != std::string::npos;
  if (has_control || find_bad_text(name))
    return "a name may hold no control character, and is UTF-8";
  return {};
}

std::string fault_of(const Options& options) {
  std::string fault = name_fault(options.viewer, kMostViewer);
  for (const std::string& tenant : options.tenants) {
    if (fault.empty()) fault = name_fault(tenant, kMostTenant);
  }
  return fault;
}

std::optional<pg::Result> ask(const Options& options, const char* sql,
                              const std::vector<pg::Param>& params, std::string& error) {
  auto db = connect(options.postgres, error);
  if (!db) return std::nullopt;
  auto rows = db->exec_params(sql, params);
  if (rows) return rows;
  error = "the viewers cannot be looked after: " + db->error().message;
  if (db->sqlstate() == pg::kUndefinedTable)
    error = "the database has no viewers: run weirctl migrate";
  if (db->sqlstate() == pg::kInsufficientPrivilege)
    error += "; connect as who runs weirctl migrate";
  return std::nullopt;
}

// How many rows it was; none: what is wrong has been said.
std::optional<std::uint64_t> change(const Options& options, const char* sql) {
  std::string error = fault_of(options);
  const auto rows = error.empty()
                        ? ask(options, sql, {options.viewer, pg::array_of(options.tenants)}, error)
                        : std::nullopt;
  if (!rows) {
    fail(error);
    return std::nullopt;
  }
  return rows->affected();
}

int add_viewer(const Options& options) {
  const auto added = change(options, kAdd);
  if (!added) return kFailed;
  std::cout << *added << " added" << std::endl;
  return kDone;
}

// Who takes a right away under a name that is misspelt is to hear that it is still there.
int remove_viewer(const Options& options) {
  const auto removed = change(options, kRemove);
  if (!removed) return kFailed;
  if (*removed == 0)
    return fail("nothing was to be removed: `weirctl viewers list` says who may see what");
  std::cout << *removed << " removed" << std::endl;
  return kDone;
}

int list(const Options& options) {
  std::string error;
  const auto rows = ask(options, kList, {options.viewer}, error);
  if (!rows) return fail(error);
  for (int row = 0; row < rows->rows(); ++row) {
    if (options.json) {
      std::cout << rows->value(row, 2).value_or("") << '\n';
      continue;
    }
    std::cout << terminal_text(rows->value(row, 0).value_or("")) << '\t'
              << terminal_text(rows->value(row, 1).value_or("")) << '\n';
  }
  std::cout << std::flush;
  return kDone;
}

CLI::App& add(CLI::App& parent, const std::shared_ptr<Options>& options, int& status,
              const char* name, const char* about, int (*run)(const Options&)) {
  CLI::App* command = parent.add_subcommand(name, about);
  command->add_option("--postgres", options->postgres,
                      "Connection string or URI; by default the PG* environment variables decide");
  command->callback([options, &status, run] { status = run(*options); });
  return *command;
}

constexpr const char* kExamples =
    "Examples:\n"
    "  weirctl viewers add ada acme globex\n"
    "  weirctl viewers add operator \"*\"\n"
    "  weirctl viewers remove ada globex\n"
    "  weirctl viewers remove ada\n"
    "  weirctl viewers list --json\n\n"
    "Who runs them is a member of weir_owner in PostgreSQL, as who runs weirctl migrate.";

void add_viewers(CLI::App& app, int& status) {
  auto options = std::make_shared<Options>();
  CLI::App* all = app.add_subcommand("viewers", "Say who may see which tenants' figures");
  all->require_subcommand(1);
  all->footer(kExamples);

  CLI::App& adds = add(*all, options, status, "add", "Let a viewer see tenants", add_viewer);
  adds.add_option("viewer", options->viewer, "The name that the web server asks for")->required();
  adds.add_option("tenant", options->tenants, "Tenants; \"*\" is every one")->required();

  CLI::App& removes =
      add(*all, options, status, "remove", "Let a viewer see tenants no more", remove_viewer);
  removes.add_option("viewer", options->viewer, "The name")->required();
  removes.add_option("tenant", options->tenants, "Tenants (default: all that were added)");

  CLI::App& lists = add(*all, options, status, "list", "List viewers and their tenants", list);
  lists.add_option("viewer", options->viewer, "Only this one");
  lists.add_flag("--json", options->json, "One JSON object a line");
}

const Register kRegistered(add_viewers);

}  // namespace
}  // namespace weir::ctl
