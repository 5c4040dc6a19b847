// The stream in Redis, as the flusher sees it: over one blocking connection of hiredis.
//
//   RedisStream stream(options);
//   std::string error;
//   if (!stream.connect(error)) …                          // away: try again later
//   auto life = stream.look(error);                        // sets the epoch where there is none
//   auto read = stream.read(after, 256, wait, error);      // GET epoch and XREAD in one write
//   if (read && read->epoch == life->epoch) store(read->entries());
//   stream.trim(last_id, life->epoch, error);              // only after the COMMIT
//
// Any failure closes the connection: what was asked and not answered is then of no concern. A reply
// that does not come within kTimeout is a failure.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/redis/address.h"
#include "flusher/batch.h"
#include "flusher/options.h"
#include "flusher/stream_id.h"

struct redisContext;
struct redisReply;

namespace weir::flusher {

struct FreeReply {
  void operator()(redisReply* reply) const;
};
using ReplyPtr = std::unique_ptr<redisReply, FreeReply>;

// What one XREAD brought. The entries point into the reply, which comes along.
struct Read {
  std::string epoch;  // at that moment; "" if there was none
  std::vector<Entry> entries;
  std::size_t largest = 0;  // bytes of the largest record
  ReplyPtr reply;
  bool stopped = false;  // it was asked to stop first; the connection is closed
};

class RedisStream {
 public:
  static constexpr std::chrono::seconds kTimeout{5};

  explicit RedisStream(const Options& options);
  ~RedisStream();
  RedisStream(const RedisStream&) = delete;
  RedisStream& operator=(const RedisStream&) = delete;

  bool is_connected() const { return context_ != nullptr; }
  void close();

  // Connects and authenticates. False: `error` holds one sentence.
  [[nodiscard]] bool connect(std::string& error);

  // The stream's present life, to which it gives a name if it has none and Redis takes one; else
  // the epoch is "".
  std::optional<StreamLife> look(std::string& error);

  // The entries behind `after`, at most `count`; waits up to `wait` for the first (0: not at all),
  // or until it is asked to stop.
  std::optional<Read> read(StreamId after, std::size_t count, std::chrono::milliseconds wait,
                           std::string& error);

  enum class Trim : std::uint8_t {
    done,
    another_life,  // `epoch` is not the stream's any more: nothing was deleted
    refused,       // Redis answered with an error: nothing was deleted, reading goes on
    away,
  };

  // Deletes the entries up to and with `last`, if the stream still lives in `epoch`: ids of another
  // life may be smaller although nobody has read them.
  Trim trim(StreamId last, const std::string& epoch, std::string& error);

 private:
  using Words = std::initializer_list<std::string_view>;

  bool authenticate(std::string& error);
  bool name_life(std::string& epoch, std::string& error);
  bool get_epoch(std::string& epoch, std::string& error);
  void send(Words words);
  ReplyPtr receive(std::string& error);
  ReplyPtr ask(Words words, std::string& error);
  ReplyPtr wait_for_reply(std::chrono::milliseconds wait, bool& stopped, std::string& error);
  void fail(std::string& error);

  RedisAddress address_;
  std::string user_, password_file_, stream_, epoch_key_;
  redisContext* context_ = nullptr;
};

}  // namespace weir::flusher
