// One stream in Redis, as the flusher sees it.
//
//   RedisStream stream(link, "weir:{0}");
//   auto life = stream.claim("7 1763713800000-0", error);  // leaves our note, sees the last one
//   auto read = stream.read(after, 256, error);            // epoch, note and XREAD in one write
//   if (read && read->epoch == life->epoch && read->note == life->note) store(read->entries());
//   stream.trim(last_id, life->epoch, note, next_note, error);   // only after the COMMIT
//
// Two keys stand beside the stream. The epoch, a random name, goes with a Redis that lost all of
// its data. The note says who reads, by the token of its lease, and up to where it has deleted: a
// Redis that went back in time, or a second reader, shows by a note that is not the one last
// written. Nothing is deleted unless both are as they were, in one step with that look.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "flusher/batch.h"
#include "flusher/redis_link.h"
#include "flusher/stream_id.h"

namespace weir::flusher {

// What one XREAD brought. The entries point into the reply, which comes along.
struct Read {
  std::string epoch, note;  // at that moment; "" if there was none
  std::vector<Entry> entries;
  std::size_t largest = 0;  // bytes of the largest record
  ReplyPtr reply;
};

// What waits in a stream.
struct Backlog {
  std::size_t entries = 0;
  std::optional<StreamId> first;  // none in an empty one
  StreamId last;                  // that it ever gave
};

class RedisStream {
 public:
  RedisStream(RedisLink& link, std::string stream);

  // Writes `note` and tells what was there before. Gives the stream's life a name if it has none. A
  // full Redis refuses both: the epoch is then "", and the note stays as it was.
  std::optional<StreamLife> claim(const std::string& note, std::string& error);

  // The entries behind `after`, at most `count`, without waiting.
  std::optional<Read> read(StreamId after, std::size_t count, std::string& error);

  // The same in two: the connection is not to be used for anything else between ask() and answer().
  void ask(StreamId after, std::size_t count, std::string& error);
  std::optional<Read> answer(std::string& error);

  enum class Trim : std::uint8_t {
    done,
    another_life,  // epoch or note are others: nothing was deleted
    refused,       // Redis answered with an error: nothing was deleted, reading goes on
    away,
  };

  // Deletes the entries up to and with `last`, if epoch and note are the given ones, and writes the
  // next note, which is then in `note`; in a full Redis the old one stays.
  Trim trim(StreamId last, const std::string& epoch, std::string& note, const std::string& next,
            std::string& error);

  std::optional<Backlog> backlog(std::string& error);

  const std::string& name() const { return stream_; }

 private:
  RedisLink& link_;
  std::string stream_, epoch_key_, note_key_;
};

// How many entries each of some streams holds; 0 for one that is none, or that Redis does not let
// us look at. None: Redis is away.
std::optional<std::vector<std::uint64_t>> lengths_of(RedisLink& link,
                                                     const std::vector<std::string>& streams,
                                                     std::string& error);

// A stream and the entry behind which something new is waited for.
struct Place {
  std::string stream;
  StreamId after;
};

enum class News : std::uint8_t { some, none, stop, away };

// Waits until one of the streams has something new, until it is asked to stop, or for `wait`.
News wait_for_news(RedisLink& link, const std::vector<Place>& places,
                   std::chrono::milliseconds wait, std::string& error);

}  // namespace weir::flusher
