// Redis' wire protocol as far as Weir speaks it (RESP2,
// https://redis.io/docs/reference/protocol-spec/): commands go out as arrays of bulk strings,
// replies are read by hiredis' reader, which touches no socket.
//
//   std::string out;
//   append_command(out, {"XLEN", "weir:{0}"});
//
//   ReplyReader reader;
//   reader.give(bytes);                                    // bytes stay in place while next() runs
//   while (reader.next() == ReplyReader::Next::reply) take(reader.reply());
//
// Replies are small here (an entry's id, an error, a setting), so that almost everything else is
// taken for a sign that this is not the Redis it should be: the reader breaks on one that exceeds
// its bounds. Only strings may have any length, since Redis sends the stream's oldest entry to
// whoever asks for its id: of a long one the beginning is kept, and the rest is dropped as it
// comes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct redisReader;

namespace weir {

// Appends the head of an array of `count` bulk strings, or one such string. Any byte may stand in
// it.
void append_array(std::string& out, std::size_t count);
void append_bulk(std::string& out, std::string_view bytes);

// More bytes than append_bulk() adds to what it is given.
constexpr std::size_t kBulkOverhead = 32;

// Appends a whole command, its name first.
void append_command(std::string& out, std::initializer_list<std::string_view> words);

struct Reply {
  enum class Type : std::uint8_t { nil, integer, status, string, error, array };

  Type type = Type::nil;
  long long integer = 0;
  std::string text;                // of a status, string or error: its first kMostText bytes
  std::vector<std::string> items;  // of an array: its elements' texts likewise, "" where there is
                                   // none, nested ones behind their array; the first kMostItems
};

class ReplyReader {
 public:
  static constexpr std::size_t kMostText = 512;
  static constexpr std::size_t kMostItems = 8;
  static constexpr std::size_t kMostElements = 1024;     // in one reply, nested ones included
  static constexpr std::size_t kMostPending = 16 << 10;  // bytes of an element still incomplete

  ReplyReader() noexcept;
  ~ReplyReader();
  ReplyReader(const ReplyReader&) = delete;
  ReplyReader& operator=(const ReplyReader&) = delete;

  // Forgets everything: the next byte begins a reply.
  void restart() noexcept;

  // The bytes that next() reads from. They are not copied here, and have to stay until next() says
  // something else than reply.
  void give(std::string_view bytes) noexcept { rest_ = bytes; }

  enum class Next : std::uint8_t {
    reply,   // reply() holds it until the next call
    none,    // everything given has been taken
    broken,  // error() says why; only restart() mends it
  };
  Next next() noexcept;

  const Reply& reply() const { return reply_; }

  // One clause such as `Protocol error, got "H" as reply type byte`, without anything longer than a
  // byte from what was read.
  std::string_view error() const noexcept;

 private:
  friend struct ReplyCallbacks;
  struct Free {
    void operator()(redisReader* reader) const;
  };

  bool hiredis_is_idle() const noexcept;
  bool take_short_string() noexcept;
  bool take_slice() noexcept;
  bool shorten() noexcept;
  bool give_to_hiredis(std::string_view bytes) noexcept;

  std::unique_ptr<redisReader, Free> reader_;
  std::string_view rest_;
  std::uint64_t skip_ = 0;  // bytes to come of a string that is too long
  Reply reply_;
  std::size_t elements_ = 0;  // announced by the arrays of the reply that is being read
  const char* fault_ = nullptr;
};

}  // namespace weir
