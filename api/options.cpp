#include "api/options.h"

#include <string>

#include <CLI/CLI.hpp>

#include "daemon/command_line.h"
#include "pg/conninfo.h"

namespace weir::api {
namespace {

using daemon::add_number;

const std::string kVersion = std::string("weir-api ") + WEIR_VERSION + ", for version " +
                             std::to_string(WEIR_SCHEMA_VERSION) + " of the schema";

constexpr const char* kAbout =
    "Serves Weir's figures over HTTP on a unix socket, behind a web server that asks its viewers\n"
    "for their names. `weirctl viewers` says which tenants each may see.";

constexpr const char* kFooter =
    "Every option but --help, --version, --config and --check can stand in the file, one a line, "
    "as "
    "in\n"
    "  socket = \"/run/weir-api/api.sock\"\n"
    "  postgres = \"host=/run/postgresql dbname=weir user=weir_api\"\n"
    "A password of PostgreSQL belongs into ~/.pgpass, see PGPASSFILE.\n"
    "SIGTERM answers what is in hand and leaves. So does SIGHUP: the file is read at the start "
    "alone.";

void add_places(CLI::App& app, Options& options) {
  app.add_option("--socket", options.socket, "the unix socket to listen at")
      ->type_name("PATH")
      ->capture_default_str();
  app.add_option("--group", options.group,
                 "the group that may open the socket, the web server's (default: our own)")
      ->type_name("NAME");
  app.add_option("--proof-file", options.proof_file,
                 "a file with a secret that the web server sends as X-Weir-Proof (default: it is "
                 "believed because it can open the socket)")
      ->type_name("FILE");
  app.add_option("--postgres", options.postgres,
                 "libpq's connection string (default: the PG* environment variables)")
      ->type_name("CONNINFO")
      ->check(CLI::Validator(pg::conninfo_fault, ""));
}

void add_bounds(CLI::App& app, Options& options) {
  add_number(app, "--sessions", options.sessions, "sessions of PostgreSQL for figures", 1, 64);
  add_number(app, "--stream-sessions", options.stream_sessions, "and for /v1/daily as format=csv",
             1, 64);
  add_number(
      app, "--busy-share", options.busy_share,
      "percent of each second that figures may have a session work at the least, while the web "
      "server takes many events in and the cores of this machine are wanted",
      1, 6400);
  add_number(app, "--queue", options.queue, "requests that may wait for a session", 1, 10'000);
  add_number(app, "--queue-seconds", options.queue_seconds, "and how long", 1, 60);
  add_number(app, "--statement-seconds", options.statement_seconds,
             "how long PostgreSQL may take for a figure", 1, 300);
  add_number(app, "--stream-seconds", options.stream_seconds,
             "and the whole of /v1/daily as format=csv, with its reader", 1, 3600);
  add_number(app, "--write-seconds", options.write_seconds,
             "how long a piece of an answer may be on its way to a slow reader", 1, 300);
  add_number(app, "--connections", options.connections, "connections of the web server", 1, 10'000);
  daemon::add_size(app, "--cache-bytes", options.cache_bytes, "16m",
                   "memory for answers that are kept; to 1g", 0, std::size_t{1} << 30);
  add_number(app, "--cache-seconds", options.cache_seconds, "and for how long, 0 not at all", 0,
             300);
}

}  // namespace

std::optional<Options> parse_options(int argc, const char* const* argv, int& exit_code) {
  Options options;
  CLI::App app(kAbout, "weir-api");
  daemon::begin_options(app, kVersion, kFooter);
  add_places(app, options);
  add_bounds(app, options);
  daemon::add_log_level(app, options.log_level);
  app.add_flag(
         "--check", options.check,
         "say whether the proof can be read, a socket can have this path, there is the group, and "
         "PostgreSQL can be asked, and leave")
      ->configurable(false);
  if (!daemon::parse(app, argc, argv, exit_code)) return std::nullopt;
  return options;
}

}  // namespace weir::api
