// What weir-api is told on its command line and in its configuration file.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace weir::api {

struct Options {
  std::string socket = "/run/weir-api/api.sock";
  std::string group;       // empty: the process' own
  std::string proof_file;  // empty: none is asked for
  std::string postgres;    // libpq's connection string
  std::size_t sessions = 3, stream_sessions = 2;
  int busy_share = 20;  // percent of a second
  std::size_t queue = 256, connections = 1000;
  int queue_seconds = 10, statement_seconds = 10, stream_seconds = 60, write_seconds = 30;
  std::size_t cache_bytes = 16 << 20;
  int cache_seconds = 5;
  std::string log_level = "info";
  bool check = false;
};

// Reads the arguments, and the file that --config names. None: everything has been said on the
// terminal (help, version or what is wrong), and `exit_code` is what to leave with.
std::optional<Options> parse_options(int argc, const char* const* argv, int& exit_code);

}  // namespace weir::api
