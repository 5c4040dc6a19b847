#include "flusher/unread_streams.h"

#include <algorithm>
#include <utility>

#include "core/redis/stream.h"

namespace weir::flusher {
namespace {

bool holds(const std::vector<UnreadStream>& list, const std::string& stream) {
  return std::any_of(list.begin(), list.end(),
                     [&](const UnreadStream& one) { return one.stream == stream; });
}

bool same_names(const std::vector<UnreadStream>& a, const std::vector<UnreadStream>& b) {
  return a.size() == b.size() && std::all_of(a.begin(), a.end(), [&](const UnreadStream& one) {
           return holds(b, one.stream);
         });
}

bool is_ours(const std::vector<std::string>& streams, const std::string& stream) {
  return std::find(streams.begin(), streams.end(), stream) != streams.end();
}

}  // namespace

std::vector<std::string> neighbours_of(const std::vector<std::string>& streams) {
  std::uint32_t behind = 0;
  for (std::uint32_t shard = 0; shard < kMostShards; ++shard) {
    if (is_ours(streams, shard_stream(shard))) behind = shard + 1;
  }
  std::vector<std::string> names;
  const auto add = [&](std::uint32_t shard) {
    std::string name = shard_stream(shard);
    if (!is_ours(streams, name)) names.push_back(std::move(name));
  };
  if (behind > 0) add(0);
  for (std::uint32_t n = 0; n < kNeighbours && behind + n < kMostShards; ++n) add(behind + n);
  return names;
}

bool UnreadStreams::took(std::vector<UnreadStream> seen) {
  std::vector<UnreadStream> twice;
  for (const UnreadStream& one : seen) {
    if (holds(seen_, one.stream)) twice.push_back(one);
  }
  is_sure_ = same_names(seen, twice);
  seen_ = std::move(seen);
  const bool changed = !same_names(twice, found_);
  found_ = std::move(twice);
  return changed;
}

}  // namespace weir::flusher
