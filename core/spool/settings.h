// Where the spool is and how much it may take, from the words of a configuration: a directory, then
// parameters in any order.
//
//   /var/spool/weir size=1g segment=16m free=64m drain=16m
//
//   SpoolSettings settings;
//   if (auto fault = read_spool_settings(words, settings); !fault.empty()) report(fault);
//
// Sizes are bytes, or have k, m, g or t behind them (1024, 1024², …).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

struct SpoolSettings {
  std::string directory;            // as written; it has to be there
  std::uint64_t size = 1ULL << 30;  // that all files in it may have together, over all workers
  std::uint64_t segment =
      16ULL << 20;  // that a file gets at first; one with a larger record is larger
  std::optional<std::uint64_t> free;  // of the file system, that is left to others
  std::uint64_t drain = 16ULL << 20;  // bytes a second to Redis, of each worker
};

constexpr std::uint64_t kLeastSpoolSize = 1ULL << 20, kMostSpoolSize = 1ULL << 42;
constexpr std::uint64_t kLeastSegment = 64ULL << 10, kMostSegment = 1ULL << 30;
constexpr std::uint64_t kLeastDrain = 64ULL << 10, kMostDrain = 1ULL << 34;

// Files that a full spool may consist of: each is looked at every second.
constexpr std::uint64_t kMostSegments = 4096;

// What `segment` is where nothing is said: so many that 60 workers find room for one each, but none
// over 16 MiB, and none so small that a few large requests fill it.
std::uint64_t default_segment(std::uint64_t size);

// What is left to others of a file system of `capacity` bytes: `free`, or where nothing is said 64
// MiB or a twentieth, whichever is less.
std::uint64_t reserve(const SpoolSettings& settings, std::uint64_t capacity);

// Returns an empty string, or a sentence that says what is wrong and what would be right, and that
// does not name the directive.
std::string read_spool_settings(const std::vector<std::string_view>& words,
                                SpoolSettings& settings);

}  // namespace weir
