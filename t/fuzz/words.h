// A configuration's words out of a fuzzer's bytes, and what holds for every reader of such words.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "t/fuzz/require.h"

namespace weir_fuzz {

using Words = std::vector<std::string_view>;

// One a line.
inline Words words_of(std::string_view text) {
  Words words;
  while (!text.empty()) {
    words.push_back(text.substr(0, text.find('\n')));
    text.remove_prefix(std::min(text.size(), words.back().size() + 1));
  }
  return words;
}

// The same words mean the same when they are read again, refused or not, and a parameter that
// stands twice is refused. True: they were taken.
template <class Settings>
bool read_twice(std::string (*read)(const Words&, Settings&), const Words& words,
                Settings& settings, Settings& again) {
  const std::string fault = read(words, settings);
  REQUIRE(read(words, again) == fault);
  if (!fault.empty()) return false;
  Settings other;
  Words doubled = words;
  doubled.push_back(words.back());
  REQUIRE(words.size() == 1 || !read(doubled, other).empty());
  return true;
}

}  // namespace weir_fuzz
