#include "flusher/batch.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <tuple>
#include <utility>

namespace weir::flusher {

void Batch::add(const Entry& entry) {
  if (++entries_ == 1) first_id_ = entry.id;
  last_id_ = entry.id;
  if (!entry.record) return bury({}, "the entry has no field " + std::string(kRecordField));
  bytes_ += entry.record->size();
  std::string error;
  const std::size_t events_before = events_.size();
  const auto record = read_record(*entry.record, error, &events_);
  if (!record) return bury(*entry.record, std::move(error));
  if (record->kind == RecordKind::events) return;
  const auto first = events_.begin() + static_cast<std::ptrdiff_t>(events_before);
  crashes_.insert(crashes_.end(), first, events_.end());
  events_.erase(first, events_.end());
}

void Batch::keep_rest_of(Batch& step) {
  if (entries_ == 0) first_id_ = step.first_id_;
  entries_ += step.entries_;
  last_id_ = step.last_id_;
  const auto wide =
      std::stable_partition(step.events_.begin(), step.events_.end(),
                            [](const RowView& row) { return !row.needs_wide_check(); });
  std::for_each(wide, step.events_.end(), [&](const RowView& row) { keep(events_, row); });
  step.events_.erase(wide, step.events_.end());
  for (const RowView& row : step.crashes_) keep(crashes_, row);
  step.crashes_.clear();
  for (DeadLetter& letter : step.dead_) {
    bytes_ += letter.payload.size();
    dead_.push_back(std::move(letter));
  }
  step.dead_.clear();
}

void Batch::keep(std::vector<RowView>& rows, const RowView& row) {
  const std::string_view tuple = kept_.emplace_back(row.tuple);
  rows.push_back(row_in_copy(row, tuple));
  bytes_ += tuple.size() + sizeof row;
}

void Batch::bury(std::string_view payload, std::string reason) {
  DeadLetter letter;
  if (const auto header = read_header(payload)) {
    letter.tenant = header->tenant;
    letter.received_at = header->received_at;
  }
  letter.reason = std::move(reason);
  letter.payload = payload;
  dead_.push_back(std::move(letter));
}

bool any_wide(RowSpan rows) {
  return std::any_of(rows.begin(), rows.end(),
                     [](const RowView& row) { return row.needs_wide_check(); });
}

std::vector<std::int64_t> wide_weeks(RowSpan events, RowSpan crashes) {
  constexpr Timestamp kWeek = 7 * kMicrosPerDay, kFirstMonday = 4 * kMicrosPerDay;
  std::vector<std::int64_t> weeks;
  for (const RowSpan& rows : {events, crashes}) {
    for (const RowView& row : rows) {
      if (!row.needs_wide_check()) continue;
      const Timestamp since = row.client_timestamp - kFirstMonday;
      weeks.push_back(since / kWeek - (since % kWeek < 0 ? 1 : 0));
      if (weeks.size() > 1 && weeks.back() == weeks[weeks.size() - 2]) weeks.pop_back();
    }
  }
  std::sort(weeks.begin(), weeks.end());
  weeks.erase(std::unique(weeks.begin(), weeks.end()), weeks.end());
  return weeks;
}

// Sorted, not hashed: clients choose the ids.
std::vector<RowView> without_repeats(RowSpan rows) {
  std::vector<std::uint32_t> order(rows.count);
  std::iota(order.begin(), order.end(), 0U);
  const auto key = [&](std::uint32_t n) {
    return std::tie(rows.first[n].id, rows.first[n].tenant);
  };
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return key(a) != key(b) ? key(a) < key(b) : a < b;
  });
  const auto same = [&](std::uint32_t a, std::uint32_t b) { return key(a) == key(b); };
  order.erase(std::unique(order.begin(), order.end(), same), order.end());
  std::sort(order.begin(), order.end());
  std::vector<RowView> kept;
  kept.reserve(order.size());
  for (const std::uint32_t n : order) kept.push_back(rows.first[n]);
  return kept;
}

DeadLetter dead_row(RecordKind kind, const RowView& row, std::string reason) {
  RecordWriter writer;
  writer.begin(kind, row.tenant, row.received_at);
  writer.row(row.tuple);
  return {std::string(row.tenant), row.received_at, std::move(reason),
          std::string(writer.finish())};
}

}  // namespace weir::flusher
