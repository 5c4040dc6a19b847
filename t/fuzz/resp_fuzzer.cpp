// Replies read alike however they are cut: all at once, where short strings never meet hiredis;
// byte by byte, where hiredis reads everything; and in pieces as the input says. The same replies
// in the same order, and broken or not.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/redis/resp.h"
#include "t/fuzz/require.h"

namespace {

using weir::Reply;
using weir::ReplyReader;

struct Read {
  std::vector<Reply> replies;
  bool broken = false;
};

// Gives `bytes` in an allocation of their own, so that AddressSanitizer sees who reads behind it.
void give(ReplyReader& reader, std::string_view bytes, Read& read) {
  const std::unique_ptr<char[]> copy(new char[bytes.size()]);
  bytes.copy(copy.get(), bytes.size());
  reader.give({copy.get(), bytes.size()});
  for (;;) {
    const auto next = reader.next();
    read.broken = next == ReplyReader::Next::broken;
    if (next != ReplyReader::Next::reply) break;
    read.replies.push_back(reader.reply());
    REQUIRE(reader.reply().text.size() <= ReplyReader::kMostText);
    REQUIRE(reader.reply().items.size() <= ReplyReader::kMostItems);
  }
  if (read.broken) REQUIRE(!reader.error().empty());
}

// `cuts` says how long each piece is, over and over.
Read read_in_pieces(std::string_view bytes, std::string_view cuts) {
  Read read;
  ReplyReader reader;
  for (std::size_t piece = 0; !bytes.empty() && !read.broken; ++piece) {
    const std::size_t wanted = static_cast<unsigned char>(cuts[piece % cuts.size()]) + 1U;
    const std::string_view here = bytes.substr(0, wanted);
    give(reader, here, read);
    bytes.remove_prefix(here.size());
  }
  return read;
}

Read read_at_once(std::string_view bytes) {
  Read read;
  ReplyReader reader;
  give(reader, bytes, read);
  return read;
}

void require_same(const Read& one, const Read& other) {
  REQUIRE(one.broken == other.broken);
  REQUIRE(one.replies.size() == other.replies.size());
  for (std::size_t i = 0; i < one.replies.size(); ++i) {
    const Reply &a = one.replies[i], &b = other.replies[i];
    REQUIRE(a.type == b.type && a.integer == b.integer && a.text == b.text && a.items == b.items);
  }
}

}  // namespace

// The first byte says how many that follow are lengths of pieces, the rest are what Redis says.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  // What is longer may be too long or not, by how much of it comes at once.
  if (input.size() < 2 || input.size() > ReplyReader::kMostPending) return 0;
  const std::size_t count = data[0] % 16U + 1U;
  const std::string_view cuts = input.substr(1, count);
  input.remove_prefix(1 + cuts.size());
  if (cuts.empty()) return 0;
  const Read bytewise = read_in_pieces(input, std::string_view("\0", 1));
  require_same(bytewise, read_at_once(input));
  require_same(bytewise, read_in_pieces(input, cuts));
  return 0;
}
