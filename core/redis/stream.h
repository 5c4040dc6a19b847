// The names of Weir's keys in Redis, known to edge and flusher alike. The braces make one hash tag
// of a shard's keys, so that a cluster keeps them together.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weir {

// The stream that holds the records. Only the flusher trims it, after its commit.
constexpr std::string_view kDefaultStream = "weir:{0}";

// Of the streams that share the records where there are several.
constexpr std::uint32_t kMostShards = 1024;

// The name of one of them, from 0.
inline std::string shard_stream(std::uint32_t shard) {
  return "weir:{" + std::to_string(shard) + "}";
}

// The key whose value, a random name, tells this stream's life from an earlier one: a Redis that
// lost its data has lost it too.
inline std::string epoch_key(std::string_view stream) { return std::string(stream) + ":epoch"; }

// The key in which the flusher notes how far it has deleted: a Redis that went back in time holds
// an older note than PostgreSQL.
inline std::string flushed_key(std::string_view stream) { return std::string(stream) + ":flushed"; }

}  // namespace weir
