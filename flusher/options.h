// What the flusher is told on its command line and in its configuration file.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "core/redis/address.h"

namespace weir::flusher {

struct Options {
  std::vector<RedisAddress> redis;   // of which one is the master
  std::string redis_user;            // empty: Redis' default user
  std::string redis_password_file;   // empty: no password
  std::vector<std::string> streams;  // in their order, each once
  std::string postgres;              // libpq's connection string
  std::size_t batch_rows = 10'000;
  std::size_t batch_bytes = 8 << 20;
  int linger_ms = 200;
  int lease_seconds = 5;
  std::string metrics;  // where /metrics and /health are served; empty: nowhere
  int stalled_seconds = 60;
  int roll_ups_percent = 10;  // of the time, at most, in which roll-ups are built; 0: never
  bool bury_newer = false;
  std::string log_level = "info";
  bool once = false;
};

// Reads the arguments, and the file that --config names. None: everything has been said on the
// terminal (help, version or what is wrong), and `exit_code` is what to leave with.
std::optional<Options> parse_options(int argc, const char* const* argv, int& exit_code);

}  // namespace weir::flusher
