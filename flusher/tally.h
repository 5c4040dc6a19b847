// What a batch's rows of events add to the roll-ups, added up by user, by kind of event, by
// property of that kind, and by UTC day, as rows for the flusher's temporary tables. What becomes
// of them is SQL's business: sql/migrations/0011_added_up_by_the_flusher.sql. Pure: no PostgreSQL.
//
//   Tally tally;
//   tally.measure({{"*", "recording_completed", "audio_duration_seconds"}});   // empties it, too
//   for (const RowView& row : rows) tally.add(row);
//   tally.write_user_days(out); tally.write_kinds(out); tally.write_sums(out);   // in COPY's
//   binary format tally.clear();
//
// Bound: whoever adds looks at bytes(), which grows with the number of users and kinds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/json/arena.h"
#include "core/record/record.h"
#include "flusher/decimal_sum.h"

namespace weir::flusher {

// A number that some measure adds up; "*" is every tenant, or every event.
struct MeasuredProperty {
  std::string tenant, event, property;
};

class Tally {
 public:
  Tally();

  void measure(std::vector<MeasuredProperty> properties);
  void add(const RowView& row);
  void clear();

  std::size_t bytes() const { return bytes_; }

  // Appends all rows of added_user_days (in the order of their keys' bytes), added_kinds,
  // added_sums.
  void write_user_days(std::string& out) const;
  void write_kinds(std::string& out) const;
  void write_sums(std::string& out) const;

 private:
  // A tenant with a user or an event, and a day counted from 2000-01-01.
  struct Key {
    std::string_view tenant, name;
    std::int64_t day;
    bool operator==(const Key& other) const {
      return day == other.day && name == other.name && tenant == other.tenant;
    }
  };
  // Clients choose the names, so they must not know which ones meet in the table.
  struct Hash {
    std::uint64_t seed;
    std::size_t operator()(const Key& key) const;
  };
  struct UserDay {
    std::uint64_t events = 0;
    std::int64_t first = INT64_MAX, last = INT64_MIN;
  };
  struct Kind {
    std::uint64_t events = 0;
    std::int64_t first = INT64_MAX;
    std::vector<std::string_view> properties;  // that are added up, each with its sum
    std::vector<DecimalSum> sums;
  };

  template <typename Value>
  Value& at(std::unordered_map<Key, Value, Hash>& table, const Key& key);
  void begin_kind(const Key& key, Kind& kind) const;
  void add_numbers(const Key& key, Kind& kind, std::int64_t time, std::string_view json);

  std::vector<MeasuredProperty> measured_;
  Arena names_;
  std::unordered_map<Key, UserDay, Hash> user_days_;
  std::unordered_map<Key, Kind, Hash> kinds_;
  std::vector<std::string_view> literals_;  // of one row
  std::string single_;  // rows of added_sums for numbers that no DecimalSum takes
  std::size_t bytes_ = 0;
};

}  // namespace weir::flusher
