#include "flusher/shard.h"

#include <algorithm>
#include <utility>

#include "daemon/log.h"
#include "daemon/notify.h"

namespace weir::flusher {
namespace {

using Clock = std::chrono::steady_clock;

// SQLSTATEs of a batch that took too long or too much: a smaller one may pass.
bool wants_less(std::string_view sqlstate) {
  return sqlstate == "57014" || sqlstate == "53200" || sqlstate == "25P03";
}

double seconds_since(StreamId id) {
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count();
  return std::max(0.0, (static_cast<double>(now) - static_cast<double>(id.milliseconds)) / 1000);
}

}  // namespace

Shard::Shard(const Options& options, RedisLink& link, std::string stream)
    : options_(options),
      link_(link),
      redis_(link, std::move(stream)),
      read_size_(options.batch_rows, options.batch_bytes),
      stream_rows_(kMostStreamed * options.batch_rows) {}

void Shard::lease(std::string token) {
  token_ = std::move(token);
  in_place_ = emptied_ = false;
  not_before_.reset();
  last_progress_ = Clock::now();
}

void Shard::drop() {
  token_.clear();
  in_place_ = false;
}

void Shard::try_again_in(std::chrono::milliseconds time) { not_before_ = Clock::now() + time; }

bool Shard::has_to_wait() const { return not_before_ && Clock::now() < *not_before_; }

Step Shard::step(Database& database, Store& store, Summary& summary, std::string& error) {
  if (!in_place_) {
    const Step found = find_place(database, error);
    if (!in_place_) return found;
  }
  read_size_.begin_batch();
  too_new_ = false;
  newer_at_.reset();
  const std::size_t count = read_size_.next(0, 0);
  auto first = redis_.read(after_, count, error);
  if (const auto failed = check(first)) return *failed;
  if (first->entries.size() == count && may_stream(store) && !is_too_new(first->entries.front())) {
    return stream_backlog(*std::move(first), count, database, store, summary, error);
  }
  std::vector<Read> reads;  // holds what the batch points into
  Batch batch;
  if (const auto failed = fill(*std::move(first), count, batch, reads, error)) return *failed;
  if (!batch.empty()) return store_batch(batch, database, store, summary, error);
  return nothing_left(error);
}

Step Shard::nothing_left(std::string& error) {
  if (too_new_) return Step::too_new;
  if (trim_refused_) {
    const Step trimmed = trim(error);
    if (trimmed != Step::again || !in_place_) return trimmed;
  }
  last_progress_ = Clock::now();
  emptied_ = true;
  return Step::idle;
}

// Says where reading goes on, leaves our note, and clears away what was stored but not trimmed.
// With Step::again all went well.
Step Shard::find_place(Database& database, std::string& error) {
  const auto stored = database.read_position(stream());
  if (!stored) return Step::postgres;
  const auto life = redis_.claim(make_note(token_, *stored ? (*stored)->text : ""), error);
  if (!life) return Step::redis;
  const ResumePoint point = resume_point(*stored, *life, was_watched(*life, *stored));
  tell_place(point, *life, *stored);
  after_ = point.after;
  epoch_ = life->epoch;
  note_ = life->note;
  stored_position_.reset();
  if (*stored) stored_position_ = (*stored)->text;
  connection_ = link_.connections();
  in_place_ = was_watching_ = true;
  return point.reason == Resume::at_position ? trim(error) : Step::again;
}

bool Shard::was_watched(const StreamLife& life, const std::optional<StoredPosition>& stored) const {
  const bool same_stream = was_watching_ && connection_ == link_.connections() &&
                           life.epoch == epoch_ && life.last_note == note_ && !note_.empty();
  return same_stream && stored && (stored->text == on_its_way_ || stored->text == stored_position_);
}

void Shard::tell_place(const ResumePoint& point, const StreamLife& life,
                       const std::optional<StoredPosition>& stored) const {
  const std::string position = stored ? stored->text : "none";
  const std::string noted(position_in_note(life.last_note));
  switch (point.reason) {
    case Resume::another_life:
      return daemon::log_warn(
          "the stream began a new life, reading it from its start",
          {{"stream", stream()}, {"position", position}, {"epoch", life.epoch}});
    case Resume::behind:
      return daemon::log_warn("the stream is behind the stored position, reading it from its start",
                              {{"stream", stream()},
                               {"position", position},
                               {"last_id", format_stream_id(life.last_id)}});
    case Resume::redis_went_back:
      return daemon::log_warn("Redis went back in time, reading the stream from its start",
                              {{"stream", stream()}, {"position", position}, {"noted", noted}});
    case Resume::postgres_went_back:
      return daemon::log_error(
          "PostgreSQL went back in time: what was stored between the two positions is lost there,"
          " and is not in Redis any more",
          {{"stream", stream()}, {"position", position}, {"noted", noted}});
    default:
      daemon::log_info("reading",
                       {{"stream", stream()}, {"position", position}, {"token", token_}});
  }
}

// Fills `batch`, beginning with a read of up to `count` entries, until it is full or the stream is
// empty. A step: nothing of the batch is of use.
std::optional<Step> Shard::fill(Read first, std::size_t count, Batch& batch,
                                std::vector<Read>& reads, std::string& error) {
  std::optional<Read> read = std::move(first);
  for (;;) {
    const std::size_t before = batch.entries();
    take(batch, *read);
    reads.push_back(*std::move(read));
    if (too_new_ || batch.entries() - before < count) return std::nullopt;
    count = read_size_.next(batch.rows(), batch.bytes());
    if (count == 0) return std::nullopt;
    read = redis_.read(after_, count, error);
    if (const auto failed = check(read)) return failed;
  }
}

// A step: what was read is of no use.
std::optional<Step> Shard::check(const std::optional<Read>& read) {
  if (!read) {
    in_place_ = false;
    return Step::redis;
  }
  if (connection_ != link_.connections() || read->epoch != epoch_ || read->note != note_) {
    in_place_ = false;
    return Step::again;
  }
  return std::nullopt;
}

void Shard::take(Batch& batch, const Read& read) {
  for (const Entry& entry : read.entries) {
    if (is_too_new(entry)) break;
    batch.add(entry);
    after_ = entry.id;
  }
  if (!read.entries.empty()) read_size_.took(read.entries.size(), read.largest);
}

bool Shard::is_too_new(const Entry& entry) {
  if (options_.bury_newer || !entry.record) return false;
  if (!too_new_ && newer_version(*entry.record)) {
    too_new_ = true;
    newer_at_ = entry.id;
  }
  return too_new_;
}

Step Shard::store_batch(const Batch& batch, Database& database, Store& store, Summary& summary,
                        std::string& error) {
  const auto begun = Clock::now();
  event_lag_.read(batch.first_id(), batch.entries(), batch.rows() + batch.dead().size());
  const bool may_be_more = read_size_.next(batch.rows(), batch.bytes()) == 0;
  on_its_way_ = format_stream_id(batch.last_id());
  Stored stored;
  storing_since_ = begun;
  const Fault outcome =
      store.store(batch, {stream(), token_, stored_position_, on_its_way_, epoch_}, stored);
  storing_since_.reset();
  if (outcome != Fault::none) return fault(outcome, database);
  read_size_.stored_in(Clock::now() - begun);
  return committed(stored, batch.entries(), begun, may_be_more, summary, error);
}

Step Shard::committed(const Stored& stored, std::size_t entries, SteadyTime begun, bool may_be_more,
                      Summary& summary, std::string& error) {
  event_lag_.stored();
  not_before_.reset();
  stored_position_ = on_its_way_;
  last_progress_ = Clock::now();
  summary.add(stored, entries, Clock::now() - begun);
  const Step trimmed = trim(error);
  if (trimmed != Step::again || !in_place_) return trimmed;
  return may_be_more ? Step::full : Step::partial;
}

Step Shard::fault(Fault fault, Database& database) {
  in_place_ = false;
  switch (fault) {
    case Fault::fenced:
      daemon::log_warn(
          "another flusher has taken this stream: nothing of the batch in hand is stored here",
          {{"stream", stream()}, {"token", token_}});
      return Step::fenced;
    case Fault::moved:
      daemon::log_warn("somebody else moved the stored position, reading it again",
                       {{"stream", stream()}});
      return Step::again;
    default:
      if (wants_less(database.connection().sqlstate())) read_size_.too_long();
      return Step::postgres;
  }
}

// Deletes what is stored, and says Step::again. Where that fails the entries stay: they are stored,
// and are deleted with the next batch, or when it is tried again while nothing comes: where the
// stream has grown too long for the edge, nothing does.
Step Shard::trim(std::string& error) {
  const std::string next = make_note(token_, stored_position_.value_or(""));
  switch (redis_.trim(after_, epoch_, note_, next, error)) {
    case RedisStream::Trim::done:
      if (std::exchange(trim_refused_, false))
        daemon::log_info("Redis takes XTRIM again", {{"stream", stream()}});
      return Step::again;
    case RedisStream::Trim::another_life:
      in_place_ = false;
      return Step::again;
    case RedisStream::Trim::refused:
      // A master that has become a replica takes nothing: another one is the master now.
      if (error.rfind("READONLY", 0) == 0) {
        link_.close();
        in_place_ = false;
        return Step::redis;
      }
      if (!std::exchange(trim_refused_, true)) {
        daemon::log_error("Redis refuses XTRIM, so the stream grows",
                          {{"stream", stream()}, {"error", error}});
      }
      return Step::again;
    case RedisStream::Trim::away:
      in_place_ = false;
      return Step::redis;
  }
  return Step::again;
}

std::optional<Place> Shard::place() const {
  if (!is_held() || !in_place_) return std::nullopt;
  return Place{stream(), after_};
}

bool Shard::measure(std::string& error) {
  auto backlog = redis_.backlog(error);
  if (!backlog) return false;
  if (!until_) until_ = backlog->last;
  if (went_back(*backlog)) in_place_ = was_watching_ = false;
  // Somebody who understands it has stored it.
  if (newer_at_ && (!backlog->first || *newer_at_ < *backlog->first)) newer_at_.reset();
  backlog_ = *backlog;
  backlog_events_ = event_lag_.events(backlog_->entries, backlog_->first);
  backlog_at_ = Clock::now();
  return true;
}

// What we have read is deleted: an entry that is not newer came after it was, whatever its id says.
bool Shard::went_back(const Backlog& backlog) const {
  if (!in_place_ || trim_refused_) return false;
  return backlog.last < after_ || (backlog.first && !(after_ < *backlog.first));
}

// Read up to there by us, or deleted up to there by whoever holds the lease.
bool Shard::is_done() const {
  if (!until_) return false;
  if (is_held()) return in_place_ && (emptied_ || !(after_ < *until_));
  return backlog_ && (!backlog_->first || *until_ < *backlog_->first);
}

ShardStatus Shard::status() const {
  ShardStatus status;
  status.stream = stream();
  status.is_held = is_held();
  status.token = token_;
  status.position = stored_position_.value_or("");
  if (backlog_) {
    status.backlog = backlog_->entries;
    status.backlog_events = backlog_events_;
    if (backlog_->first) status.backlog_seconds = seconds_since(*backlog_->first);
  }
  status.backlog_at = backlog_at_;
  status.last_progress = last_progress_;
  status.storing_since = storing_since_;
  status.needs_upgrade = newer_at_.has_value();
  return status;
}

}  // namespace weir::flusher
