// What a batch's rows of events add to the roll-ups, added up by user, by kind of event, by
// property of that kind, and by UTC day, as rows for the flusher's temporary tables. What becomes
// of them is SQL's business: sql/migrations/0013_room_for_newer_days.sql. Pure: no PostgreSQL.
//
//   Tally tally;
//   tally.measure({{"*", "recording_completed", "audio_duration_seconds"}});   // empties it, too
//   tally.add(rows);
//   tally.write_user_days(out); tally.write_kinds(out); tally.write_sums(out);   // binary COPY
//   tally.clear();
//
// Bound: whoever adds looks at bytes(), which grows with the number of users and kinds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/json/arena.h"
#include "core/record/record.h"
#include "flusher/batch.h"
#include "flusher/decimal_sum.h"
#include "flusher/name_table.h"
#include "flusher/numbers_in.h"

namespace weir::flusher {

// A number that some measure adds up; "*" is every tenant, or every event.
struct MeasuredProperty {
  std::string tenant, event, property;
};

class Tally {
 public:
  void measure(std::vector<MeasuredProperty> properties);
  void add(RowSpan rows);
  void clear();

  std::size_t bytes() const { return bytes_; }

  // Appends all rows of added_user_days (by tenant, day and user, in the order of bytes: that of
  // the table's key), added_kinds, added_sums.
  void write_user_days(std::string& out) const;
  void write_kinds(std::string& out) const;
  void write_sums(std::string& out) const;

 private:
  struct UserDay {
    std::uint64_t events = 0;
    std::int64_t first = INT64_MAX, last = INT64_MIN;
  };
  struct Kind {
    std::uint64_t events = 0;
    std::int64_t first = INT64_MAX;
    std::vector<std::string_view> properties;  // that are added up, each with its sum
    std::vector<DecimalSum> sums;
    WantedNumbers wanted;  // the properties, to be looked up in each row
  };

  // What a row is counted by, looked up some rows ahead.
  struct Ahead {
    NameKey user, kind;
    std::uint64_t user_hash;
    std::int64_t time;
    bool has_user;
    std::string_view properties;  // "" for none
  };

  Ahead look_ahead(const RowView& row) const;
  void count(const Ahead& row);
  template <typename Value>
  std::pair<Value*, bool> at(NameTable<Value>& table, std::uint64_t hash, const NameKey& key);
  void begin_kind(const NameKey& key, Kind& kind) const;
  void add_numbers(const NameKey& key, Kind& kind, std::int64_t time, std::string_view json);

  std::vector<MeasuredProperty> measured_;
  Arena names_;
  NameTable<UserDay> user_days_;
  NameTable<Kind> kinds_;
  std::vector<std::string_view> literals_;  // of one row
  std::string single_;  // rows of added_sums for numbers that no DecimalSum takes
  std::size_t bytes_ = 0;
};

}  // namespace weir::flusher
