// The stream of rows of store.h: one COPY that is fed while Redis is read.
#include <utility>

#include "fault/fault_point.h"
#include "flusher/copy_format.h"
#include "flusher/database.h"
#include "flusher/store.h"

namespace weir::flusher {

Fault Store::begin_stream() {
  knows_measured_ = false;
  tally_.clear();
  buffer_.clear();
  streamed_ = 0;
  Fault fault = run("BEGIN");
  if (fault == Fault::none) fault = know_measured();
  if (fault != Fault::none) return abandon_stream(fault);
  auto copy = database_.copy_in(events().copy_rows);
  if (!copy) return abandon_stream(fault_of(database_));
  stream_.emplace(std::move(*copy));
  return stream_->write(kCopyHeader) ? Fault::none : abandon_stream(Fault::away);
}

Fault Store::stream(RowSpan rows) {
  WEIR_FAULT_POINT(streaming);
  tally_.add(rows);
  streamed_ += rows.count;
  return write_rows(*stream_, rows) ? Fault::none : abandon_stream(Fault::away);
}

Fault Store::end_stream(const Batch& rest, const Advance& advance, Stored& stored) {
  stored = {};
  stored.rows = streamed_;
  stored.dead = rest.dead().size();
  Fault fault = end_stream_copy();
  if (fault == Fault::none) fault = lock_weeks(rest);
  // All events before the roll-ups, which go through the users in their order once.
  RowSpan events_left = rest.events();
  std::vector<RowView> fresh;
  if (fault == Fault::none) fault = copy_new(events(), /*ask=*/false, events_left, fresh, stored);
  tally_.add(events_left);
  if (fault == Fault::none) fault = bring_tally();
  if (fault == Fault::none) fault = put(crashes(), rest.crashes(), /*ask=*/false, stored);
  if (fault == Fault::none) fault = finish(rest.dead(), advance);
  return fault == Fault::none ? commit() : abandon_stream(fault);
}

Fault Store::end_stream_copy() {
  const bool sent = stream_->write(buffer_) && stream_->write(kCopyTrailer);
  const bool stored = sent && stream_->finish();
  stream_.reset();
  if (stored) return Fault::none;
  return sent ? fault_of(database_) : Fault::away;
}

// Nothing of it stays but the error that says why.
Fault Store::abandon_stream(Fault fault) {
  stream_.reset();
  if (!database_.is_broken()) database_.exec("ROLLBACK");
  return fault;
}

}  // namespace weir::flusher
