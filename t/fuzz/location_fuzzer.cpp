// The words of weir_limit and weir_cors, one a line, shared out over an outer and an inner block:
// what is refused changes nothing, what is taken lies within its bounds, and the inner block's word
// wins.
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/http/location.h"
#include "t/fuzz/words.h"

namespace {

using weir::Limits;
using weir::LocationSettings;

// By the name that a configuration has for it.
const std::map<std::string, std::size_t Limits::*, std::less<>> kSizes = {
    {"body", &Limits::body},
    {"inflated", &Limits::inflated},
    {"ratio", &Limits::ratio},
    {"events", &Limits::events},
    {"depth", &Limits::depth},
    {"string", &Limits::string},
    {"stack_trace", &Limits::stack_trace},
    {"properties", &Limits::properties},
    {"key", &Limits::key},
    {"name", &Limits::name},
    {"exponent", &Limits::exponent},
};

bool same(const Limits& a, const Limits& b) {
  for (const auto& [name, member] : kSizes) {
    if (a.*member != b.*member) return false;
  }
  return a.first_year == b.first_year && a.last_year == b.last_year;
}

void require_bounded(const Limits& limits) {
  for (const auto& [name, member] : kSizes) {
    REQUIRE(limits.*member >= 1 && limits.*member <= 64U << 20);
  }
  for (const int year : {limits.first_year, limits.last_year}) REQUIRE(year >= 1 && year <= 9999);
  REQUIRE(weir::contradiction_in(limits).empty() == (limits.first_year <= limits.last_year));
}

void try_limit(std::string_view word) {
  const std::size_t equals = word.find('=');
  if (equals == word.npos) return;
  const auto name = word.substr(0, equals), value = word.substr(equals + 1);
  Limits limits;
  if (!weir::set_limit(limits, name, value).empty()) {
    REQUIRE(same(limits, Limits()));
    return;
  }
  require_bounded(limits);
  const auto size = kSizes.find(name);
  if (size == kSizes.end()) return;
  Limits again;
  REQUIRE(weir::set_limit(again, name, std::to_string(limits.*size->second)).empty());
  REQUIRE(same(again, limits));
}

// What a block says, kept a second time and simply: the words that it took, in their order.
struct Block {
  LocationSettings settings;
  std::vector<std::string> limits;

  // A word that begins with '@' is an origin.
  void add(std::string_view word) {
    try_limit(word);
    if (!word.empty() && word.front() == '@') {
      settings.add_origins({word.substr(1)});
    } else if (settings.add_limit(word).empty()) {
      limits.emplace_back(word);
    }
  }

  void apply_to(Limits& wanted) const {
    for (const std::string& word : limits) {
      const std::size_t equals = word.find('=');
      const std::string_view view = word;
      REQUIRE(weir::set_limit(wanted, view.substr(0, equals), view.substr(equals + 1)).empty());
    }
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Block outer, inner;
  bool is_inner = false;
  for (const auto word : weir_fuzz::words_of({reinterpret_cast<const char*>(data), size})) {
    (is_inner ? inner : outer).add(word);
    is_inner = !is_inner;
  }
  outer.settings.inherit(LocationSettings());
  inner.settings.inherit(outer.settings);
  Limits wanted;
  outer.apply_to(wanted);
  REQUIRE(same(outer.settings.location().limits, wanted));
  inner.apply_to(wanted);
  REQUIRE(same(inner.settings.location().limits, wanted));
  require_bounded(wanted);
  return 0;
}
