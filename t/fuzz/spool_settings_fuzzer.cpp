// The words of weir_spool, one a line: they are refused with a sentence, or what came of them lies
// within its bounds and fits together, and the same words read again mean the same.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/spool/settings.h"
#include "t/fuzz/require.h"

namespace {

using weir::SpoolSettings;

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    lines.push_back(text.substr(0, text.find('\n')));
    text.remove_prefix(std::min(text.size(), lines.back().size() + 1));
  }
  return lines;
}

void check(const std::vector<std::string_view>& words, const SpoolSettings& settings) {
  REQUIRE(settings.directory == words.front() && !settings.directory.empty());
  REQUIRE(settings.size >= weir::kLeastSpoolSize && settings.size <= weir::kMostSpoolSize);
  REQUIRE(settings.segment >= weir::kLeastSegment && settings.segment <= weir::kMostSegment);
  REQUIRE(settings.segment <= settings.size / 4);
  REQUIRE(settings.segment >= settings.size / weir::kMostSegments);
  REQUIRE(settings.free.value_or(0) <= weir::kMostSpoolSize);
  REQUIRE(settings.drain >= weir::kLeastDrain && settings.drain <= weir::kMostDrain);
}

bool same(const SpoolSettings& a, const SpoolSettings& b) {
  return a.directory == b.directory && a.size == b.size && a.segment == b.segment &&
         a.free == b.free && a.drain == b.drain;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto words = lines_of({reinterpret_cast<const char*>(data), size});
  SpoolSettings settings, again;
  const std::string fault = weir::read_spool_settings(words, settings);
  REQUIRE(weir::read_spool_settings(words, again) == fault);
  if (!fault.empty()) return 0;
  check(words, settings);
  REQUIRE(same(settings, again));
  auto twice = words;
  if (words.size() > 1) twice.push_back(words.back());
  REQUIRE(words.size() == 1 || !weir::read_spool_settings(twice, again).empty());
  return 0;
}
