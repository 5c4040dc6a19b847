// Versions of a program, and who has which: nobody has a new one at once. Most take it within days
// of its release, some within weeks, a few never.
//
//   Releases releases(kTrain, first_day, days);
//   releases.version(releases.used_by(person_words, arrived_at, now))       // "2.7.0"
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "ctl/demo/calendar.h"

namespace weir::demo {

struct Release {
  const char* version;
  double at;  // of the demo's days; that of the first does not matter, it is there from the start
};

class Releases {
 public:
  template <std::size_t kSize>
  Releases(const Release (&train)[kSize], Day first, int days) {
    for (const Release& release : train) add(release, first, days);
  }

  std::size_t size() const { return train_.size(); }
  const char* version(std::size_t number) const { return train_[number].version; }
  std::int64_t released_at(std::size_t number) const { return train_[number].at; }

  // Who begins takes the newest; after that each has a speed of its own. `who` and `seed` say who.
  std::size_t used_by(std::uint64_t seed, std::uint64_t who, std::int64_t began,
                      std::int64_t now) const;

 private:
  struct Dated {
    const char* version;
    std::int64_t at;
  };

  void add(const Release& release, Day first, int days);

  std::vector<Dated> train_;
};

}  // namespace weir::demo
