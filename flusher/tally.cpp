#include "flusher/tally.h"

#include <algorithm>
#include <array>
#include <tuple>

#include "flusher/copy_format.h"

namespace weir::flusher {
namespace {

using namespace copy_format;

// COPY counts microseconds from 2000-01-01 00:00 UTC, so that days begin at multiples of kDay.
constexpr std::int64_t kDay = kMicrosPerDay;
static_assert(kCopyEpoch % kDay == 0);

// What an entry of a table takes beside its names, about.
constexpr std::size_t kEntry = 112;

// So many rows are looked up ahead of being counted.
constexpr std::size_t kAhead = 16;

std::int64_t day_of(std::int64_t time) { return time / kDay - (time % kDay < 0 ? 1 : 0); }

void append_time(std::string& out, std::int64_t time) {
  append_integer(out, std::uint32_t{8});
  append_integer(out, static_cast<std::uint64_t>(time));
}

void append_count(std::string& out, std::uint64_t count) {
  append_integer(out, std::uint32_t{8});
  append_integer(out, count);
}

void append_sum(std::string& out, std::string_view tenant, std::string_view event,
                std::string_view property, std::uint64_t events, std::string_view total,
                std::int64_t time) {
  append_integer(out, std::uint16_t{6});
  append_value(out, tenant);
  append_value(out, event);
  append_value(out, property);
  append_count(out, events);
  append_value(out, total);
  append_time(out, time);
}

}  // namespace

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

void Tally::add(RowSpan rows) {
  std::array<Ahead, kAhead> ahead;
  for (std::size_t done = 0; done < rows.count; done += kAhead) {
    const std::size_t here = std::min(kAhead, rows.count - done);
    for (std::size_t i = 0; i < here; ++i) {
      ahead[i] = look_ahead(rows.first[done + i]);
      user_days_.fetch(ahead[i].user_hash);
    }
    for (std::size_t i = 0; i < here; ++i) user_days_.fetch_entry(ahead[i].user_hash);
    for (std::size_t i = 0; i < here; ++i) user_days_.fetch_name(ahead[i].user_hash);
    for (std::size_t i = 0; i < here; ++i) count(ahead[i]);
  }
}

Tally::Ahead Tally::look_ahead(const RowView& row) const {
  Ahead ahead;
  ahead.time = row.time - kCopyEpoch;
  ahead.user = {row.tenant, row.user.bytes, day_of(ahead.time)};
  ahead.kind = {row.tenant, row.event, ahead.user.day};
  ahead.has_user = !row.user.is_null;
  ahead.user_hash = user_days_.hash(ahead.user);
  ahead.properties = row.properties;
  return ahead;
}

void Tally::count(const Ahead& row) {
  if (row.has_user) {
    UserDay& user_day = *at(user_days_, row.user_hash, row.user).first;
    ++user_day.events;
    user_day.first = std::min(user_day.first, row.time);
    user_day.last = std::max(user_day.last, row.time);
  }
  const auto [kind, is_new] = at(kinds_, kinds_.hash(row.kind), row.kind);
  if (is_new) begin_kind(row.kind, *kind);
  ++kind->events;
  kind->first = std::min(kind->first, row.time);
  if (kind->properties.empty() || row.properties.empty()) return;
  add_numbers(row.kind, *kind, row.time, row.properties);
}

template <typename Value>
std::pair<Value*, bool> Tally::at(NameTable<Value>& table, std::uint64_t hash, const NameKey& key) {
  return table.at(hash, key, [this](const NameKey& wanted) {
    bytes_ += kEntry + wanted.tenant.size() + wanted.name.size();
    return NameKey{names_.copy(wanted.tenant), names_.copy(wanted.name), wanted.day};
  });
}

void Tally::begin_kind(const NameKey& key, Kind& kind) const {
  for (const MeasuredProperty& one : measured_) {
    const bool is_meant = (one.tenant == "*" || one.tenant == key.tenant) &&
                          (one.event == "*" || one.event == key.name);
    const auto end = kind.properties.end();
    if (is_meant && std::find(kind.properties.begin(), end, one.property) == end) {
      kind.properties.emplace_back(one.property);
    }
  }
  kind.sums.resize(kind.properties.size());
  kind.wanted = WantedNumbers(kind.properties);
}

void Tally::add_numbers(const NameKey& key, Kind& kind, std::int64_t time, std::string_view json) {
  kind.wanted.find(json, literals_);
  for (std::size_t i = 0; i < literals_.size(); ++i) {
    if (literals_[i].empty() || kind.sums[i].add(literals_[i])) continue;
    const std::size_t before = single_.size();
    append_sum(single_, key.tenant, key.name, kind.properties[i], 1, literals_[i], time);
    bytes_ += single_.size() - before;
  }
}

void Tally::write_user_days(std::string& out) const {
  using Counted = const NameTable<UserDay>::Entry*;
  std::vector<Counted> entries;
  entries.reserve(user_days_.entries().size());
  for (const auto& entry : user_days_.entries()) entries.push_back(&entry);
  std::sort(entries.begin(), entries.end(), [](Counted a, Counted b) {
    return std::tie(a->key.tenant, a->key.day, a->key.name) <
           std::tie(b->key.tenant, b->key.day, b->key.name);
  });
  for (const Counted entry : entries) {
    append_integer(out, std::uint16_t{5});
    append_value(out, entry->key.tenant);
    append_value(out, entry->key.name);
    append_count(out, entry->value.events);
    append_time(out, entry->value.first);
    append_time(out, entry->value.last);
  }
}

void Tally::write_kinds(std::string& out) const {
  for (const auto& [hash, key, kind] : kinds_.entries()) {
    append_integer(out, std::uint16_t{4});
    append_value(out, key.tenant);
    append_value(out, key.name);
    append_count(out, kind.events);
    append_time(out, kind.first);
  }
}

void Tally::write_sums(std::string& out) const {
  for (const auto& [hash, key, kind] : kinds_.entries()) {
    for (std::size_t i = 0; i < kind.sums.size(); ++i) {
      if (kind.sums[i].numbers() == 0) continue;
      append_sum(out, key.tenant, key.name, kind.properties[i], kind.sums[i].numbers(),
                 kind.sums[i].text(), kind.first);
    }
  }
  out += single_;
}

}  // namespace weir::flusher
