#include "api/options.h"

#include <string_view>

#include <CLI/CLI.hpp>

#include "pg/conninfo.h"

namespace weir::api {
namespace {

const std::string kVersion = std::string("weir-api ") + WEIR_VERSION + ", for version " +
                             std::to_string(WEIR_SCHEMA_VERSION) + " of the schema";

constexpr const char* kAbout =
    "Serves Weir's figures over HTTP on a unix socket, behind a web server that asks its viewers\n"
    "for their names. `weirctl viewers` says which tenants each may see.";

constexpr const char* kFooter =
    "Every option but --help, --version, --config and --check can stand in the file, one a line, "
    "as "
    "in\n"
    "  socket = \"/run/weir/api.sock\"\n"
    "  postgres = \"host=/run/postgresql dbname=weir user=weir_api\"\n"
    "A password of PostgreSQL belongs into ~/.pgpass, see PGPASSFILE.\n"
    "SIGTERM answers what is in hand and leaves.";

std::string check_conninfo(const std::string& text) { return pg::conninfo_fault(text); }

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
      ->check(CLI::Validator(check_conninfo, ""));
}

template <typename Value>
void add_number(CLI::App& app, const char* name, Value& value, const char* about, int least,
                int most) {
  app.add_option(
         name, value,
         std::string(about) + "; from " + std::to_string(least) + " to " + std::to_string(most))
      ->type_name("NUMBER")
      ->capture_default_str()
      ->check(CLI::Range(least, most).description(""));
}

void add_bounds(CLI::App& app, Options& options) {
  add_number(app, "--sessions", options.sessions, "sessions of PostgreSQL for figures", 1, 64);
  add_number(app, "--stream-sessions", options.stream_sessions, "and for format=csv", 1, 64);
  add_number(app, "--busy-share", options.busy_share,
             "percent of each second that figures may have a session work at the least, while "
             "PostgreSQL's machine, if it is this one, has nothing to spare",
             1, 6400);
  add_number(app, "--queue", options.queue, "requests that may wait for a session", 1, 10'000);
  add_number(app, "--queue-seconds", options.queue_seconds, "and how long", 1, 60);
  add_number(app, "--statement-seconds", options.statement_seconds,
             "how long PostgreSQL may take for a figure", 1, 300);
  add_number(app, "--stream-seconds", options.stream_seconds,
             "and a whole format=csv, with its reader", 1, 3600);
  add_number(app, "--write-seconds", options.write_seconds,
             "how long a piece of an answer may be on its way to a slow reader", 1, 300);
  add_number(app, "--connections", options.connections, "connections of the web server", 1, 10'000);
  app.add_option("--cache-bytes", options.cache_bytes, "memory for answers that are kept; to 1g")
      ->type_name("SIZE")
      ->default_str("16m")
      ->transform(CLI::AsSizeValue(false).description(""))
      ->check(CLI::Range(std::size_t{0}, std::size_t{1 << 30}).description(""));
  add_number(app, "--cache-seconds", options.cache_seconds, "and for how long, 0 not at all", 0,
             300);
}

std::string failure_of(const CLI::App* /*app*/, const CLI::Error& error) {
  constexpr std::string_view kUnknown = "INI was not able to parse ";
  std::string said = error.what();
  if (said.rfind(kUnknown, 0) == 0) {
    said = "the file of --config has \"" + said.substr(kUnknown.size()) +
           "\", which is no option that can stand there";
  }
  return said + "\nRun with --help for more information.\n";
}

}  // namespace

std::optional<Options> parse_options(int argc, const char* const* argv, int& exit_code) {
  Options options;
  CLI::App app(kAbout, "weir-api");
  app.footer(kFooter);
  app.failure_message(failure_of);
  app.set_config("--config", "", "file with these options")->type_name("FILE")->configurable(false);
  app.set_version_flag("--version", kVersion, "print the version, and that of the schema")
      ->configurable(false);
  app.allow_config_extras(CLI::config_extras_mode::error);
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  add_places(app, options);
  add_bounds(app, options);
  app.add_option("--log-level", options.log_level, "debug, info, warn or error")
      ->type_name("LEVEL")
      ->capture_default_str()
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}).description(""));
  app.add_flag("--check", options.check, "say whether PostgreSQL can be asked, and leave")
      ->configurable(false);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    exit_code = app.exit(error) == 0 ? 0 : kWrongUsage;
    return std::nullopt;
  }
  return options;
}

}  // namespace weir::api
