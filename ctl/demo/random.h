// Numbers that look like chance and come from words alone: the same words, the same numbers, on
// every machine and in whatever order they are asked for. So a demo's day can be made without the
// days before it, and made again as it was.
//
//   Random chance({seed, kStories, person, day});
//   if (chance.happens(0.3)) minutes = chance.around(4, 0.8);
//
// SplitMix64 (https://prng.di.unimi.it/splitmix64.c), begun with a hash of the words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>

namespace weir::demo {

class Random {
 public:
  explicit Random(std::initializer_list<std::uint64_t> words);

  std::uint64_t bits();
  // From 0 on, below 1.
  double share();
  bool happens(double probability) { return share() < probability; }
  // From `least` to `most`, both included.
  int whole(int least, int most);
  // How long until something that comes every `mean` on average.
  double wait(double mean);
  // Log-normal: half of the numbers are below `median`; `spread` 1 is wide.
  double around(double median, double spread);
  // How often, with this mean (Poisson); for means below some hundred.
  int count(double mean);
  // A version 8 UUID, the kind for identities of one's own making.
  std::string uuid();

  // An item of a table whose items have a `weight`, or among which all weigh the same.
  template <typename Item>
  const Item& one_of(const Item* items, std::size_t size) {
    double total = 0;
    for (std::size_t i = 0; i < size; ++i) total += items[i].weight;
    double left = share() * total;
    std::size_t found = 0;
    while (found + 1 < size && left >= items[found].weight) left -= items[found++].weight;
    return items[found];
  }
  template <typename Item, std::size_t kSize>
  const Item& one_of(const Item (&items)[kSize]) {
    return one_of(items, kSize);
  }
  template <std::size_t kSize>
  const char* one_of(const char* const (&items)[kSize]) {
    return items[whole(0, static_cast<int>(kSize) - 1)];
  }

 private:
  std::uint64_t state_ = 0;
};

}  // namespace weir::demo
