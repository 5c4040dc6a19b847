#include "flusher/options.h"

#include <CLI/CLI.hpp>

#include "core/redis/stream.h"

namespace weir::flusher {
namespace {

constexpr int kWrongUsage = 2;

constexpr const char* kAbout =
    "Moves Weir's events from a Redis stream to PostgreSQL, each exactly once.\n"
    "Run it beside Redis or PostgreSQL; a second one on the same stream stands by.";

constexpr const char* kFooter =
    "Every option but --help, --config and --once can stand in the file, one a line, as in\n"
    "  redis = \"unix:/run/redis/redis-server.sock\"\n"
    "  postgres = \"host=/run/postgresql dbname=weir user=weir_flusher\"\n"
    "  batch-bytes = \"8m\"\n"
    "A password of PostgreSQL belongs into ~/.pgpass, see PGPASSFILE.\n"
    "SIGTERM finishes the batch in hand and leaves.";

std::string check_address(const std::string& text) {
  RedisAddress address;
  return parse_redis_address(text, address);
}

void add_places(CLI::App& app, Options& options, std::string& redis) {
  app.add_option("--redis", redis, "where Redis listens: unix:/path or host:port")
      ->type_name("ADDRESS")
      ->capture_default_str()
      ->check(CLI::Validator(check_address, ""));
  app.add_option("--redis-user", options.redis_user, "Redis' user (default: Redis' own default)")
      ->type_name("NAME");
  app.add_option("--redis-password-file", options.redis_password_file,
                 "file whose first line is that user's password, read at each connection")
      ->type_name("FILE");
  app.add_option("--stream", options.stream, "the stream's key in Redis")
      ->type_name("KEY")
      ->capture_default_str();
  app.add_option("--postgres", options.postgres,
                 "libpq's connection string (default: the PG* environment variables)")
      ->type_name("CONNINFO");
}

void add_sizes(CLI::App& app, Options& options) {
  app.add_option("--batch-rows", options.batch_rows,
                 "rows that one transaction stores, about; from 1 to 1000000")
      ->type_name("NUMBER")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000'000).description(""));
  app.add_option("--batch-bytes", options.batch_bytes,
                 "bytes of records held in memory at once, about; from 64k to 1g")
      ->type_name("SIZE")
      ->default_str("8m")
      ->transform(CLI::AsSizeValue(false).description(""))
      ->check(CLI::Range(std::size_t{64 << 10}, std::size_t{1 << 30}).description(""));
  app.add_option("--linger-ms", options.linger_ms,
                 "how long a batch that is not full waits for more, in milliseconds; to 60000")
      ->type_name("NUMBER")
      ->capture_default_str()
      ->check(CLI::Range(0, 60'000).description(""));
}

void add_rest(CLI::App& app, Options& options) {
  app.add_option("--log-level", options.log_level, "debug, info, warn or error")
      ->type_name("LEVEL")
      ->capture_default_str()
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}).description(""));
  app.add_flag("--once", options.once, "store what is in the stream now, then leave")
      ->configurable(false);
}

}  // namespace

std::optional<Options> parse_options(int argc, const char* const* argv, int& exit_code) {
  Options options;
  options.stream = kDefaultStream;
  std::string redis = "127.0.0.1:6379";
  CLI::App app(kAbout, "weir-flusher");
  app.footer(kFooter);
  app.set_config("--config", "", "file with these options")->type_name("FILE")->configurable(false);
  app.allow_config_extras(CLI::config_extras_mode::error);
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  add_places(app, options, redis);
  add_sizes(app, options);
  add_rest(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    exit_code = app.exit(error) == 0 ? 0 : kWrongUsage;
    return std::nullopt;
  }
  parse_redis_address(redis, options.redis);
  return options;
}

}  // namespace weir::flusher
