// One stream and how far it is read: a batch at a time, while its lease is held.
//
//             lease()             position read, note left
//   +------+ --------> +--------+ ------------------------> +----------+  step(): read a batch,
//   | idle |           | leased |                           | in place | ──┐ store it, trim
//   +------+ <-------- +--------+ <------------------------ +----------+ <─┘
//             drop(), or fenced     any failure, epoch or note
//                                   are others, position moved
//
// A step whose first read comes back full is a backlog: its rows go on to PostgreSQL while the next
// ones are read, many more of them in a transaction than memory holds (shard_stream.cpp). Where
// that fails for what a row holds, or a row is there already, the same entries are read again and
// stored in batches that are kept, which can be looked into: up to careful_until_.
//
// Nothing survives a step back but what the servers hold, except one thing: where the same
// connection to Redis brought every entry up to the stored position, reading goes on there
// (StreamLife, Resume). So a COMMIT whose answer was lost needs no case of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "flusher/batch.h"
#include "flusher/database.h"
#include "flusher/event_lag.h"
#include "flusher/options.h"
#include "flusher/read_size.h"
#include "flusher/redis_stream.h"
#include "flusher/status.h"
#include "flusher/store.h"
#include "flusher/summary.h"

namespace weir::flusher {

// What a step came to.
enum class Step : std::uint8_t {
  idle,      // nothing to read
  partial,   // the stream was emptied
  full,      // a batch was stored, and there may be more
  again,     // something has changed: what to read is found anew with the next step
  postgres,  // PostgreSQL did not take it, see Database::error(); it may be broken
  redis,     // Redis is away
  fenced,    // the lease is another one's
  too_new,   // a record of a newer Weir is the next one
};

class Shard {
 public:
  Shard(const Options& options, RedisLink& link, std::string stream);

  const std::string& stream() const { return redis_.name(); }
  bool is_held() const { return !token_.empty(); }
  const std::string& token() const { return token_; }
  void lease(std::string token);
  void drop();
  void lose_place() { in_place_ = false; }

  // PostgreSQL did not take the batch, for whatever reason: it is tried again after a while, and
  // other streams go on meanwhile.
  void try_again_in(std::chrono::milliseconds time);
  bool has_to_wait() const;

  // `error` holds a sentence with Step::redis.
  Step step(Database& database, Store& store, Summary& summary, std::string& error);

  // Where something new is waited for; none while the place is not known.
  std::optional<Place> place() const;

  // Looks at what waits. False: Redis is away.
  bool measure(std::string& error);

  // True when all that was in the stream at the first measure() is stored.
  bool is_done() const;

  ShardStatus status() const;

 private:
  Step find_place(Database& database, std::string& error);
  void tell_place(const ResumePoint& point, const StreamLife& life,
                  const std::optional<StoredPosition>& stored) const;
  bool went_back(const Backlog& backlog) const;
  bool was_watched(const StreamLife& life, const std::optional<StoredPosition>& stored) const;
  std::optional<Step> fill(Read first, std::size_t count, Batch& batch, std::vector<Read>& reads,
                           std::string& error);
  std::optional<Step> check(const std::optional<Read>& read);
  void take(Batch& batch, const Read& read);
  Step nothing_left(std::string& error);
  Step store_batch(const Batch& batch, Database& database, Store& store, Summary& summary,
                   std::string& error);
  Step committed(const Stored& stored, std::size_t entries, SteadyTime begun, bool may_be_more,
                 Summary& summary, std::string& error);
  Step fault(Fault fault, Database& database);
  Step trim(std::string& error);
  bool is_too_new(const Entry& entry);

  // Of a backlog: shard_stream.cpp.
  struct Streamed {
    Batch rest;  // what waits for the end of the COPY
    Fault fault = Fault::none;
    bool emptied = false;  // nothing is left in Redis
  };
  bool may_stream(const Store& store) const;
  Step stream_backlog(Read first, std::size_t count, Database& database, Store& store,
                      Summary& summary, std::string& error);
  std::optional<Step> stream_steps(Read first, std::size_t count, Store& store, Streamed& streamed,
                                   std::string& error);
  bool is_long_enough(const Store& store, const Batch& rest) const;
  Step stream_failed(StreamId began_after, Fault outcome, Database& database);

  // A stream of rows has this many times batch_rows at most.
  static constexpr std::size_t kMostStreamed = 64;

  const Options& options_;
  RedisLink& link_;
  RedisStream redis_;
  ReadSize read_size_;
  EventLag event_lag_;

  std::string token_;      // "" without a lease
  bool in_place_ = false;  // what follows is known
  StreamId after_;         // entries up to here are read
  std::optional<std::string> stored_position_;
  std::string on_its_way_;  // the position of the batch that was stored last, or was tried to be
  std::string epoch_, note_;
  std::uint64_t connection_ = 0;  // of Redis, over which all of it was read

  std::optional<StreamId>
      careful_until_;        // a stream of rows has failed: no other before that entry
  std::size_t stream_rows_;  // of the next one, at most
  SteadyTime stream_end_{};  // of this one, at the latest

  bool was_watching_ = false;  // and nothing spoke against what it brought
  bool too_new_ = false, trim_refused_ = false, emptied_ = false;
  std::optional<StreamId> until_;  // the last entry at the first look
  std::optional<Backlog> backlog_;
  std::uint64_t backlog_events_ = 0;
  std::optional<SteadyTime> backlog_at_, last_progress_, storing_since_, not_before_;
  std::optional<StreamId> newer_at_;  // a record of a newer Weir
};

}  // namespace weir::flusher
