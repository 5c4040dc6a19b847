// What is counted for each tenant, name and day: a hash table whose entries lie one behind the
// other, in the order in which they came. A backlog meets the same ten thousand users again and
// again, and then each look costs what memory costs: so one looks at a place of eight bytes, then
// at the entry, and may ask for both ahead.
//
//   NameTable<Sum> table;
//   const auto hash = table.hash(key);
//   table.fetch(hash); … fetch_entry(hash); … fetch_name(hash); …   // later it is in the cache
//   auto [sum, is_new] = table.at(hash, key, keep);   // keep() makes a key that lasts
//   for (const auto& entry : table.entries()) …
//
// Clients choose the names, so each table hashes with a seed of its own.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::flusher {

struct NameKey {
  std::string_view tenant, name;
  std::int64_t day;
  bool operator==(const NameKey& other) const {
    return day == other.day && name == other.name && tenant == other.tenant;
  }
};

template <typename Value>
class NameTable {
 public:
  struct Entry {
    std::uint64_t hash;
    NameKey key;
    Value value;
  };

  NameTable() : seed_(random_seed()), places_(kLeastPlaces) {}

  std::uint64_t hash(const NameKey& key) const {
    return mixed(mixed(seed_ ^ static_cast<std::uint64_t>(key.day), key.tenant), key.name);
  }

  void fetch(std::uint64_t hash) const { __builtin_prefetch(&places_[hash & mask()]); }

  // Once fetch() has had its time.
  void fetch_entry(std::uint64_t hash) const {
    const Place& place = places_[hash & mask()];
    if (place.number != 0) __builtin_prefetch(&entries_[place.number - 1]);
  }

  // Once fetch_entry() has had its time.
  void fetch_name(std::uint64_t hash) const {
    const Place& place = places_[hash & mask()];
    if (place.number != 0) __builtin_prefetch(entries_[place.number - 1].key.name.data());
  }

  // The value of `key`, and whether it is a new one. It stays where it is until the next call.
  template <typename Keep>
  std::pair<Value*, bool> at(std::uint64_t hash, const NameKey& key, Keep keep) {
    if (2 * (entries_.size() + 1) > places_.size()) grow();
    Place& place = places_[find(hash, key)];
    if (place.number != 0) return {&entries_[place.number - 1].value, false};
    entries_.push_back({hash, keep(key), Value()});
    place = {tag(hash), static_cast<std::uint32_t>(entries_.size())};
    return {&entries_.back().value, true};
  }

  const std::vector<Entry>& entries() const { return entries_; }

  void clear() {
    entries_.clear();
    places_.assign(kLeastPlaces, {});
  }

 private:
  // Of an entry: its hash's upper half, and its number from 1. 0: free.
  struct Place {
    std::uint32_t tag = 0, number = 0;
  };
  static constexpr std::size_t kLeastPlaces = 64;

  static std::uint64_t random_seed() {
    std::random_device random;
    return (static_cast<std::uint64_t>(random()) << 32) | random() | 1;
  }

  // The two halves of a product, one on the other: each bit hangs on all of both.
  std::uint64_t folded(std::uint64_t value) const {
    const auto product = static_cast<unsigned __int128>(value) * seed_;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  }

  std::uint64_t mixed(std::uint64_t hash, std::string_view text) const {
    hash = folded(hash ^ text.size());
    for (std::size_t i = 0; i < text.size(); i += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, text.data() + i, std::min<std::size_t>(8, text.size() - i));
      hash = folded(hash ^ word);
    }
    return hash;
  }

  static std::uint32_t tag(std::uint64_t hash) { return static_cast<std::uint32_t>(hash >> 32); }
  std::size_t mask() const { return places_.size() - 1; }

  // Where `key` is, or the free place where it belongs: there always is one.
  std::size_t find(std::uint64_t hash, const NameKey& key) const {
    for (std::size_t at = hash & mask();; at = (at + 1) & mask()) {
      const Place& place = places_[at];
      if (place.number == 0) return at;
      if (place.tag == tag(hash) && entries_[place.number - 1].key == key) return at;
    }
  }

  void grow() {
    std::vector<Place> places(2 * places_.size());
    places_.swap(places);
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      std::size_t at = entries_[i].hash & mask();
      while (places_[at].number != 0) at = (at + 1) & mask();
      places_[at] = {tag(entries_[i].hash), static_cast<std::uint32_t>(i + 1)};
    }
  }

  std::uint64_t seed_;         // odd
  std::vector<Place> places_;  // a power of two of them, half of them free
  std::vector<Entry> entries_;
};

}  // namespace weir::flusher
