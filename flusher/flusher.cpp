#include "flusher/flusher.h"

#include <utility>

#include "flusher/log.h"
#include "flusher/notify.h"
#include "flusher/stop.h"

namespace weir::flusher {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kIdleWait{500};   // of an XREAD, when there is nothing to do
constexpr milliseconds kLeaseWait{500};  // between two looks at a lease that another one holds
constexpr std::chrono::hours kPartitionsEvery{1};
constexpr std::chrono::minutes kPartitionsAgain{1};  // after a failure

}  // namespace

Flusher::Flusher(const Options& options)
    : options_(options),
      database_(options.postgres, options.stream),
      stream_(options),
      postgres_outage_("PostgreSQL"),
      redis_outage_("Redis"),
      read_size_(options.batch_rows, options.batch_bytes) {}

int Flusher::run() {
  log_info("weir-flusher starts", {{"stream", options_.stream}, {"once", options_.once}});
  while (!stop_requested() && !exit_code_) {
    notify_alive();
    if (ensure_database() && ensure_lease() && ensure_stream()) step();
  }
  summary_.tell(/*now=*/true);
  notify_stopping();
  log_info("weir-flusher leaves", {{"rows", summary_.rows()}, {"exit", exit_code_.value_or(0)}});
  return exit_code_.value_or(0);
}

bool Flusher::ensure_database() {
  if (database_.is_open()) return true;
  std::string error;
  switch (database_.open(error)) {
    case Database::Open::ready:
      return true;
    case Database::Open::away:
      postgres_outage_.failed(error);
      return false;
    case Database::Open::refused:
      log_error(error);
      exit_code_ = 1;
      return false;
  }
  return false;
}

bool Flusher::ensure_lease() {
  if (store_) return true;
  switch (database_.take_lease()) {
    case Database::Lease::away:
      lose_database(database_.error());
      return false;
    case Database::Lease::held_by_another:
      postgres_outage_.recovered();
      if (!std::exchange(is_standby_, true)) {
        log_info("another flusher holds the lease on this stream, standing by",
                 {{"stream", options_.stream}});
        notify_ready();
        notify_status("standing by");
      }
      wait_for(kLeaseWait);
      return false;
    case Database::Lease::taken:
      break;
  }
  is_standby_ = false;
  store_.emplace(database_.connection());
  partitions_due_ = {};
  return true;
}

bool Flusher::ensure_stream() {
  if (in_place_ && stream_.is_connected()) return true;
  std::string error;
  in_place_ = false;
  if (!stream_.is_connected() && !stream_.connect(error)) {
    lose_stream(error);
    return false;
  }
  const auto life = stream_.look(error);
  if (!life) {
    lose_stream(error);
    return false;
  }
  const auto stored = database_.read_position();
  if (!stored) {
    lose_database(database_.error());
    return false;
  }
  find_place(*life, *stored);
  return in_place_;
}

// Says where reading goes on, and clears away what a predecessor stored but did not trim.
void Flusher::find_place(const StreamLife& life, const std::optional<StoredPosition>& stored) {
  const ResumePoint point = resume_point(stored, life);
  const std::string position = stored ? stored->text : "none";
  if (point.reason == Resume::another_life) {
    log_warn("the stream began a new life, reading it from its start",
             {{"position", position}, {"epoch", life.epoch}});
  } else if (point.reason == Resume::behind) {
    log_warn("the stream is behind the stored position, reading it from its start",
             {{"position", position}, {"last_id", format_stream_id(life.last_id)}});
  } else {
    log_info("reading", {{"stream", options_.stream}, {"position", position}});
  }
  after_ = point.after;
  epoch_ = life.epoch;
  stored_position_.reset();
  if (stored) stored_position_ = stored->text;
  if (!once_until_ && options_.once) once_until_ = life.last_id;
  in_place_ = true;
  notify_ready();
  if (point.reason == Resume::at_position) trim();
}

// Reads a batch and stores it; with nothing to read, looks after the rest.
void Flusher::step() {
  make_partitions();
  if (!store_) return;
  std::vector<Read> reads;  // holds what the batch points into
  Batch batch;
  if (!fill(batch, reads)) return;
  if (batch.empty()) {
    rest();
  } else {
    store_batch(batch);
  }
  if (once_until_ && in_place_ && !(after_ < *once_until_)) exit_code_ = 0;
}

// Fills `batch` until it is full or the stream is empty, and lingers once for more. False: the
// stream is lost, or another; nothing of the batch is then of use.
bool Flusher::fill(Batch& batch, std::vector<Read>& reads) {
  read_size_.begin_batch();
  milliseconds wait = options_.once ? milliseconds(0) : kIdleWait;
  bool lingered = false;
  while (const std::size_t count = read_size_.next(batch.rows(), batch.bytes())) {
    const std::size_t before = batch.entries();
    if (!read_into(batch, reads, count, wait)) return false;
    wait = milliseconds(0);
    if (batch.entries() - before == count) continue;
    if (lingered || !may_linger(batch)) break;
    wait_for(milliseconds(options_.linger_ms));
    lingered = true;
  }
  return true;
}

bool Flusher::may_linger(const Batch& batch) const {
  return !batch.empty() && !options_.once && !stop_requested();
}

bool Flusher::read_into(Batch& batch, std::vector<Read>& reads, std::size_t count,
                        milliseconds wait) {
  std::string error;
  auto read = stream_.read(after_, count, wait, error);
  if (!read) {
    lose_stream(error);
    return false;
  }
  redis_outage_.recovered();
  if (read->stopped) return false;
  if (read->epoch != epoch_) {
    in_place_ = false;
    return false;
  }
  for (const Entry& entry : read->entries) batch.add(entry);
  if (read->entries.empty()) return true;
  read_size_.took(read->entries.size(), read->largest);
  after_ = batch.last_id();
  reads.push_back(std::move(*read));
  return true;
}

void Flusher::store_batch(const Batch& batch) {
  const auto begun = Clock::now();
  const std::string position = format_stream_id(batch.last_id());
  Stored stored;
  switch (store_->store(batch, {options_.stream, stored_position_, position, epoch_}, stored)) {
    case Fault::none:
      break;
    case Fault::moved:
      log_warn("somebody else moved the stored position, reading it again");
      in_place_ = false;
      return;
    default:
      return lose_database(database_.error());
  }
  postgres_outage_.recovered();
  stored_position_ = position;
  summary_.add(stored, batch.entries(), Clock::now() - begun);
  trim();
}

// Deletes what is stored. Where that fails the entries stay: they are stored, and the next batch
// that goes through deletes them too.
void Flusher::trim() {
  std::string error;
  switch (stream_.trim(after_, epoch_, error)) {
    case RedisStream::Trim::done:
      trim_refused_ = false;
      return;
    case RedisStream::Trim::another_life:
      in_place_ = false;
      return;
    case RedisStream::Trim::refused:
      if (!std::exchange(trim_refused_, true)) {
        log_error("Redis refuses XTRIM, so the stream grows", {{"error", error}});
      }
      return;
    case RedisStream::Trim::away:
      return lose_stream(error);
  }
}

void Flusher::rest() {
  summary_.tell();
  if (!database_.is_alive()) return lose_database(database_.error());
  postgres_outage_.recovered();
}

void Flusher::make_partitions() {
  if (Clock::now() < partitions_due_) return;
  const auto made = database_.make_partitions();
  partitions_due_ = Clock::now() + (made ? Clock::duration(kPartitionsEvery) : kPartitionsAgain);
  if (made) {
    if (*made > 0) log_info("made partitions", {{"partitions", *made}});
    partitions_failed_ = false;
  } else if (database_.connection().is_broken()) {
    lose_database(database_.error());
  } else if (!std::exchange(partitions_failed_, true)) {
    log_warn("could not make partitions, rows without one go to the default partition",
             {{"error", database_.error()}});
  }
}

void Flusher::lose_database(const std::string& error) {
  store_.reset();
  database_.close();
  in_place_ = false;
  postgres_outage_.failed(error);
}

void Flusher::lose_stream(const std::string& error) {
  stream_.close();
  in_place_ = false;
  redis_outage_.failed(error);
}

}  // namespace weir::flusher
