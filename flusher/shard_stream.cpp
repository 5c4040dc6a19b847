// A backlog, as a stream of rows: while PostgreSQL copies what was read last, Redis is asked for
// more, and only that is in memory (and what has to wait for the COPY's end, which is bounded by
// batch_bytes). A transaction of many rows has fewer roll-ups for each row, since a user who comes
// again and again is one, and fewer syncs.
//
//   BEGIN ──► read ──► ask for the next ──► rows into COPY ──► its answer ──┐
//                           ▲                                               │
//                           └───────────────── more ────────────────────────┤
//                                                    empty, or long enough  ▼
//                                             COPY's end, roll-ups, position, COMMIT ──► trim
//
// After a failure the next one has batch_rows again, and each that passes doubles that, so that a
// backlog in which every 100,000th row is a duplicate is not stored twice over.
#include <algorithm>
#include <utility>

#include "flusher/shard.h"
#include "flusher/stop.h"

namespace weir::flusher {
namespace {

using Clock = std::chrono::steady_clock;

// Who asks for batches below this wants small transactions.
constexpr std::size_t kLeastRows = 1000;

}  // namespace

bool Shard::may_stream(const Store& store) const {
  const bool is_careful = careful_until_ && after_ < *careful_until_;
  return options_.batch_rows >= kLeastRows && !is_careful && !store.asks() &&
         !read_size_.is_halved();
}

Step Shard::stream_backlog(Read first, std::size_t count, Database& database, Store& store,
                           Summary& summary, std::string& error) {
  const auto begun = Clock::now();
  const StreamId began_after = after_;
  stream_end_ = begun + ReadSize::kLongest;
  storing_since_ = begun;
  Streamed streamed;
  Stored stored;
  streamed.fault = store.begin_stream();
  if (streamed.fault == Fault::none) {
    const auto stopped = stream_steps(std::move(first), count, store, streamed, error);
    if (stopped) store.give_up_stream();
    if (stopped) return storing_since_.reset(), *stopped;
  }
  const Batch& rest = streamed.rest;
  event_lag_.read(rest.first_id(), rest.entries(),
                  store.streamed_rows() + rest.rows() + rest.dead().size());
  on_its_way_ = format_stream_id(after_);
  if (streamed.fault == Fault::none) {
    streamed.fault =
        store.end_stream(rest, {stream(), token_, stored_position_, on_its_way_, epoch_}, stored);
  }
  storing_since_.reset();
  if (streamed.fault != Fault::none) return stream_failed(began_after, streamed.fault, database);
  stream_rows_ = std::min(2 * stream_rows_, kMostStreamed * options_.batch_rows);
  return committed(stored, rest.entries(), begun, !streamed.emptied, summary, error);
}

// Until the stream is empty or the transaction is as long as it may be. A step: what was read is of
// no use.
std::optional<Step> Shard::stream_steps(Read first, std::size_t count, Store& store,
                                        Streamed& streamed, std::string& error) {
  for (std::optional<Read> read = std::move(first);;) {
    Batch step;
    take(step, *read);
    streamed.emptied = !too_new_ && read->entries.size() < count;
    count =
        streamed.emptied || is_long_enough(store, streamed.rest) ? 0 : read_size_.next_streamed();
    if (count > 0) redis_.ask(after_, count, error);
    streamed.rest.keep_rest_of(step);
    streamed.fault = store.stream(step.events());
    if (count == 0) return std::nullopt;
    read = redis_.answer(error);
    if (streamed.fault != Fault::none) return std::nullopt;
    if (const auto failed = check(read)) return failed;
  }
}

bool Shard::is_long_enough(const Store& store, const Batch& rest) const {
  return too_new_ || stop_requested() || Clock::now() > stream_end_ ||
         store.streamed_rows() + rest.rows() >= stream_rows_ ||
         store.tallied_bytes() + rest.bytes() >= options_.batch_bytes;
}

// Where it may be a row's fault, the same is read again and stored in batches that can be looked
// into.
Step Shard::stream_failed(StreamId began_after, Fault outcome, Database& database) {
  stream_rows_ = options_.batch_rows;
  if (outcome != Fault::duplicate && outcome != Fault::data && outcome != Fault::odd) {
    return fault(outcome, database);
  }
  careful_until_ = after_;
  after_ = began_after;
  return Step::again;
}

}  // namespace weir::flusher
