// What the flusher is told on its command line and in its configuration file.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "core/redis/address.h"

namespace weir::flusher {

struct Options {
  RedisAddress redis;
  std::string redis_user;           // empty: Redis' default user
  std::string redis_password_file;  // empty: no password
  std::string stream;
  std::string postgres;  // libpq's connection string
  std::size_t batch_rows = 10'000;
  std::size_t batch_bytes = 8 << 20;
  int linger_ms = 200;
  std::string log_level = "info";
  bool once = false;
};

// Reads the arguments, and the file that --config names. None: everything has been said on the
// terminal (help, version or what is wrong), and `exit_code` is what to leave with.
std::optional<Options> parse_options(int argc, const char* const* argv, int& exit_code);

}  // namespace weir::flusher
