#include "flusher/options.h"

#include <algorithm>
#include <string>

#include <CLI/CLI.hpp>

#include "core/redis/stream.h"
#include "daemon/command_line.h"
#include "flusher/exposer.h"
#include "pg/conninfo.h"

namespace weir::flusher {
namespace {

using daemon::add_number;

const std::string kVersion = std::string("weir-flusher ") + WEIR_VERSION + ", for version " +
                             std::to_string(WEIR_SCHEMA_VERSION) + " of the schema";

constexpr const char* kAbout =
    "Moves Weir's events from a Redis stream to PostgreSQL, each exactly once.\n"
    "Run it beside Redis or PostgreSQL. Several on the same streams share them; one that\n"
    "finds none left stands by.";

constexpr const char* kFooter =
    "Every option but --help, --version, --config and --once can stand in the file, one a line, as "
    "in\n"
    "  redis = \"unix:/run/redis/redis-server.sock\"\n"
    "  postgres = \"host=/run/postgresql dbname=weir user=weir_flusher\"\n"
    "  batch-bytes = \"8m\"\n"
    "A password of PostgreSQL belongs into ~/.pgpass, see PGPASSFILE.\n"
    "SIGTERM finishes the batch in hand and leaves. So does SIGHUP: the file is read at the start "
    "alone.";

std::string check_address(const std::string& text) {
  RedisAddress address;
  return parse_redis_address(text, address);
}

// What stands for several values: given once for each, as a list in the file, or with commas.
template <typename Option>
Option* several(Option* option) {
  return option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)->delimiter(',');
}

struct Words {
  std::vector<std::string> redis{"127.0.0.1:6379"};
  std::vector<std::string> streams;
  int shards = 0;
};

void add_places(CLI::App& app, Options& options, Words& words) {
  several(app.add_option("--redis", words.redis,
                         "where Redis listens: unix:/path or host:port; several where a replica may"
                         " become the master"))
      ->type_name("ADDRESS,...")
      ->capture_default_str()
      ->check(CLI::Validator(check_address, ""));
  app.add_option("--redis-user", options.redis_user, "Redis' user (default: Redis' own default)")
      ->type_name("NAME");
  app.add_option("--redis-password-file", options.redis_password_file,
                 "file whose first line is that user's password, read at each connection")
      ->type_name("FILE")
      ->check(CLI::ExistingFile.description(""));
  auto* streams = several(app.add_option("--stream", words.streams,
                                         "the streams' keys in Redis (default: weir:{0})"))
                      ->type_name("KEY,...");
  app.add_option("--shards", words.shards,
                 "the same for the streams weir:{0}, weir:{1}, ...: how many; to 1024")
      ->type_name("NUMBER")
      ->check(CLI::Range(1, static_cast<int>(kMostShards)).description(""))
      ->excludes(streams);
  app.add_option("--postgres", options.postgres,
                 "libpq's connection string (default: the PG* environment variables)")
      ->type_name("CONNINFO")
      ->check(CLI::Validator(pg::conninfo_fault, ""));  // what libpq never takes is no outage
}

void add_sizes(CLI::App& app, Options& options) {
  add_number(app, "--batch-rows", options.batch_rows,
             "rows of a batch, about; of a backlog a transaction has up to 64 times as many, "
             "below 1000 not",
             1, 1'000'000);
  daemon::add_size(app, "--batch-bytes", options.batch_bytes, "8m",
                   "bytes of records held in memory at once, about; from 64k to 1g",
                   std::size_t{64} << 10, std::size_t{1} << 30);
  add_number(app, "--linger-ms", options.linger_ms,
             "how long a batch that is not full waits for more, in milliseconds", 0, 60'000);
}

void add_rest(CLI::App& app, Options& options) {
  add_number(app, "--lease-seconds", options.lease_seconds,
             "after how long a flusher that hangs is replaced", 2, 300);
  app.add_option("--metrics", options.metrics,
                 "address to serve /metrics and /health at, as 127.0.0.1:9105; a port alone is on"
                 " 127.0.0.1; keep it from the public (default: nowhere)")
      ->type_name("ADDRESS")
      ->check(CLI::Validator(check_listen_address, ""));
  add_number(app, "--stalled-seconds", options.stalled_seconds,
             "after how long without progress /health says so", 1, 86'400);
  app.add_option(
         "--roll-ups", options.roll_ups_percent,
         "percent of the time in which roll-ups are built, at most, but after a step it rests a"
         " minute at most; 0 leaves that to other flushers, or to `weirctl rollup refresh`;"
         " to 100")
      ->type_name("PERCENT")
      ->capture_default_str()
      ->check(CLI::Range(0, 100).description(""));
  app.add_flag("--bury-newer", options.bury_newer,
               "put records of a newer Weir into dead_letters instead of waiting for an upgrade");
  daemon::add_log_level(app, options.log_level);
  app.add_flag("--once", options.once, "store what is in the stream now, then leave")
      ->configurable(false);
}

// What was said, in the form in which it is used.
void settle(const Words& words, Options& options) {
  for (const std::string& word : words.redis) {
    RedisAddress address;
    parse_redis_address(word, address);
    options.redis.push_back(std::move(address));
  }
  options.streams = words.streams;
  for (int i = 0; i < words.shards; ++i)
    options.streams.push_back(shard_stream(static_cast<std::uint32_t>(i)));
  if (options.streams.empty()) options.streams.emplace_back(kDefaultStream);
  std::sort(options.streams.begin(), options.streams.end());
  options.streams.erase(std::unique(options.streams.begin(), options.streams.end()),
                        options.streams.end());
}

}  // namespace

std::optional<Options> parse_options(int argc, const char* const* argv, int& exit_code) {
  Options options;
  Words words;
  CLI::App app(kAbout, "weir-flusher");
  daemon::begin_options(app, kVersion, kFooter);
  add_places(app, options, words);
  add_sizes(app, options);
  add_rest(app, options);
  if (!daemon::parse(app, argc, argv, exit_code)) return std::nullopt;
  settle(words, options);
  return options;
}

}  // namespace weir::flusher
