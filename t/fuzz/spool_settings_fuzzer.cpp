// The words of weir_spool, one a line: they are refused with a sentence, or what came of them lies
// within its bounds and fits together, and the same words read again mean the same.
#include <cstdint>
#include <string>
#include <string_view>

#include "core/spool/settings.h"
#include "t/fuzz/words.h"

namespace {

using weir::SpoolSettings;
using weir_fuzz::Words;

void check(const Words& words, const SpoolSettings& settings) {
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
  const auto words = weir_fuzz::words_of({reinterpret_cast<const char*>(data), size});
  SpoolSettings settings, again;
  if (!weir_fuzz::read_twice(weir::read_spool_settings, words, settings, again)) return 0;
  check(words, settings);
  REQUIRE(same(settings, again));
  return 0;
}
