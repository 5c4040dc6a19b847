// The entries that are stored in one transaction, as rows: views into the records, which the reader
// keeps until the batch is stored. Pure: no Redis, no PostgreSQL.
//
//   Batch batch;
//   for (const Entry& entry : read.entries()) batch.add(entry);
//   store(batch.events(), batch.crashes(), batch.dead(), batch.last_id());
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/record/record.h"
#include "flusher/stream_id.h"

namespace weir::flusher {

// One entry of the stream.
struct Entry {
  StreamId id;
  std::optional<std::string_view> record;  // none: it has no field kRecordField
};

// What could not be stored as rows, and why.
struct DeadLetter {
  std::string tenant;                    // "" if the record does not tell
  std::optional<Timestamp> received_at;  // none if the record does not tell
  std::string reason;
  std::string payload;  // a record: the whole one, or one that holds just this row
};

class Batch {
 public:
  // Takes an entry apart. What is no record becomes a dead letter.
  void add(const Entry& entry);

  // Counts the entries of `step`, and takes over all of it that is no plain row of an event, bytes
  // included: dead letters, crashes, and events that need the wide check. The others are left in
  // `step`.
  void keep_rest_of(Batch& step);

  const std::vector<RowView>& events() const { return events_; }
  const std::vector<RowView>& crashes() const { return crashes_; }
  const std::vector<DeadLetter>& dead() const { return dead_; }

  bool empty() const { return entries_ == 0; }
  std::size_t entries() const { return entries_; }
  std::size_t rows() const { return events_.size() + crashes_.size(); }
  std::size_t bytes() const { return bytes_; }  // of all records
  StreamId first_id() const { return first_id_; }
  StreamId last_id() const { return last_id_; }

 private:
  void bury(std::string_view payload, std::string reason);
  void keep(std::vector<RowView>& rows, const RowView& row);

  std::vector<RowView> events_;
  std::vector<RowView> crashes_;
  std::vector<DeadLetter> dead_;
  std::deque<std::string> kept_;  // tuples that rows point into
  std::size_t entries_ = 0;
  std::size_t bytes_ = 0;
  StreamId first_id_, last_id_;
};

// A stretch of rows.
struct RowSpan {
  const RowView* first = nullptr;
  std::size_t count = 0;

  RowSpan() = default;
  RowSpan(const std::vector<RowView>& rows) : first(rows.data()), count(rows.size()) {}
  RowSpan(const RowView* start, std::size_t size) : first(start), count(size) {}

  const RowView* begin() const { return first; }
  const RowView* end() const { return first + count; }
  RowSpan front_half() const { return {first, count / 2}; }
  RowSpan back_half() const { return {first + count / 2, count - count / 2}; }
};

// True if one of `rows` needs the wide check.
bool any_wide(RowSpan rows);

// The weeks of those that do, each once, counted from Monday, 1970-01-05, UTC: those of the
// partitions.
std::vector<std::int64_t> wide_weeks(RowSpan events, RowSpan crashes);

// `rows` in their order, but of those with the same tenant and id only the first.
std::vector<RowView> without_repeats(RowSpan rows);

// `row` alone, as a record that can be put into the stream again.
DeadLetter dead_row(RecordKind kind, const RowView& row, std::string reason);

}  // namespace weir::flusher
