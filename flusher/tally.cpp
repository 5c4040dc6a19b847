#include "flusher/tally.h"

#include <algorithm>
#include <cstring>
#include <random>
#include <tuple>

#include "flusher/copy_format.h"
#include "flusher/numbers_in.h"

namespace weir::flusher {
namespace {

using namespace copy_format;

// COPY counts microseconds from 2000-01-01 00:00 UTC, so that days begin at multiples of this one.
constexpr std::int64_t kDay = kMicrosPerDay;

// What an entry of a table takes beside its names, about.
constexpr std::size_t kEntry = 112;

std::uint64_t random_seed() {
  std::random_device random;
  return (static_cast<std::uint64_t>(random()) << 32) | random();
}

// The two halves of a product, one on the other: every bit of the result depends on all of both.
std::uint64_t folded(std::uint64_t a, std::uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t mixed(std::uint64_t hash, std::string_view text, std::uint64_t seed) {
  hash = folded(hash ^ text.size(), seed | 1);
  while (!text.empty()) {
    std::uint64_t word = 0;
    const std::size_t size = std::min(text.size(), sizeof word);
    std::memcpy(&word, text.data(), size);
    hash = folded(hash ^ word, seed | 1);
    text.remove_prefix(size);
  }
  return hash;
}

std::int64_t time_of(const Column& column) {
  std::uint64_t value = 0;
  for (const char byte : column.bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return static_cast<std::int64_t>(value);
}

std::int64_t day_of(std::int64_t time) { return time / kDay - (time % kDay < 0 ? 1 : 0); }

void append_time(std::string& out, std::int64_t time) {
  append_number(out, 8, 4);
  append_number(out, static_cast<std::uint64_t>(time), 8);
}

void append_count(std::string& out, std::uint64_t count) {
  append_number(out, 8, 4);
  append_number(out, count, 8);
}

void append_sum(std::string& out, std::string_view tenant, std::string_view event,
                std::string_view property, std::uint64_t events, std::string_view total,
                std::int64_t time) {
  append_number(out, 6, 2);
  append_value(out, tenant);
  append_value(out, event);
  append_value(out, property);
  append_count(out, events);
  append_value(out, total);
  append_time(out, time);
}

}  // namespace

std::size_t Tally::Hash::operator()(const Key& key) const {
  const std::uint64_t tenant = mixed(seed ^ static_cast<std::uint64_t>(key.day), key.tenant, seed);
  return mixed(tenant, key.name, seed);
}

Tally::Tally() : user_days_(0, Hash{random_seed()}), kinds_(0, Hash{random_seed()}) {}

void Tally::measure(std::vector<MeasuredProperty> properties) {
  clear();
  measured_ = std::move(properties);
}

void Tally::clear() {
  user_days_.clear();
  kinds_.clear();
  single_.clear();
  names_.reset();
  bytes_ = 0;
}

void Tally::add(const RowView& row) {
  Columns columns;
  split_row(row.tuple, columns);
  const std::string_view tenant = columns[kTenant].bytes;
  const std::int64_t time = time_of(columns[kEventTime]), day = day_of(time);
  if (const Column& user = columns[kUser]; !user.is_null) {
    UserDay& user_day = at(user_days_, {tenant, user.bytes, day});
    ++user_day.events;
    user_day.first = std::min(user_day.first, time);
    user_day.last = std::max(user_day.last, time);
  }
  const Key key{tenant, columns[kEventName].bytes, day};
  Kind& kind = at(kinds_, key);
  if (kind.events++ == 0) begin_kind(key, kind);
  kind.first = std::min(kind.first, time);
  const Column& properties = columns[kEventProperties];
  if (kind.properties.empty() || properties.is_null) return;
  add_numbers(key, kind, time, properties.bytes.substr(1));  // behind jsonb's version
}

template <typename Value>
Value& Tally::at(std::unordered_map<Key, Value, Hash>& table, const Key& key) {
  const auto found = table.find(key);
  if (found != table.end()) return found->second;
  bytes_ += kEntry + key.tenant.size() + key.name.size();
  return table.emplace(Key{names_.copy(key.tenant), names_.copy(key.name), key.day}, Value())
      .first->second;
}

void Tally::begin_kind(const Key& key, Kind& kind) const {
  for (const MeasuredProperty& one : measured_) {
    const bool is_meant = (one.tenant == "*" || one.tenant == key.tenant) &&
                          (one.event == "*" || one.event == key.name);
    const auto end = kind.properties.end();
    if (is_meant && std::find(kind.properties.begin(), end, one.property) == end) {
      kind.properties.emplace_back(one.property);
    }
  }
  kind.sums.resize(kind.properties.size());
}

void Tally::add_numbers(const Key& key, Kind& kind, std::int64_t time, std::string_view json) {
  numbers_in(json, kind.properties, literals_);
  for (std::size_t i = 0; i < literals_.size(); ++i) {
    if (literals_[i].empty() || kind.sums[i].add(literals_[i])) continue;
    const std::size_t before = single_.size();
    append_sum(single_, key.tenant, key.name, kind.properties[i], 1, literals_[i], time);
    bytes_ += single_.size() - before;
  }
}

void Tally::write_user_days(std::string& out) const {
  using Entry = const std::pair<const Key, UserDay>*;
  std::vector<Entry> entries;
  entries.reserve(user_days_.size());
  for (const auto& entry : user_days_) entries.push_back(&entry);
  std::sort(entries.begin(), entries.end(), [](Entry a, Entry b) {
    return std::tie(a->first.tenant, a->first.name, a->first.day) <
           std::tie(b->first.tenant, b->first.name, b->first.day);
  });
  for (const Entry entry : entries) {
    append_number(out, 5, 2);
    append_value(out, entry->first.tenant);
    append_value(out, entry->first.name);
    append_count(out, entry->second.events);
    append_time(out, entry->second.first);
    append_time(out, entry->second.last);
  }
}

void Tally::write_kinds(std::string& out) const {
  for (const auto& [key, kind] : kinds_) {
    append_number(out, 4, 2);
    append_value(out, key.tenant);
    append_value(out, key.name);
    append_count(out, kind.events);
    append_time(out, kind.first);
  }
}

void Tally::write_sums(std::string& out) const {
  for (const auto& [key, kind] : kinds_) {
    for (std::size_t i = 0; i < kind.sums.size(); ++i) {
      if (kind.sums[i].numbers() == 0) continue;
      append_sum(out, key.tenant, key.name, kind.properties[i], kind.sums[i].numbers(),
                 kind.sums[i].text(), kind.first);
    }
  }
  out += single_;
}

}  // namespace weir::flusher
