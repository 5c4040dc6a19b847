// Whatever a target holds, its query comes out as UTF-8 without control characters within its
// bounds, or not at all; and what its route takes for good has been given once and is within its
// bound.
#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>

#include "api/arguments.h"
#include "api/target.h"
#include "core/json/text.h"
#include "t/fuzz/require.h"

namespace {

using namespace weir::api;

void check_plain(const std::string& text) {
  REQUIRE(!weir::find_bad_text(text));
  for (const char c : text) REQUIRE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F);
}

void check_route(const Route& route, const std::vector<Pair>& query) {
  auto read = read_arguments(route, query, /*today=*/20'000);
  if (const auto* problem = std::get_if<Problem>(&read)) {
    REQUIRE(problem->status == 400 && !problem->detail.empty());
    REQUIRE(!weir::find_bad_text(problem_json(*problem)));
    return;
  }
  const auto& arguments = std::get<Arguments>(read);
  REQUIRE(arguments.values.size() == route.parameters.size());
  REQUIRE(!arguments.tenant || (!arguments.tenant->empty() && arguments.tenant->size() <= 200));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  for (const std::string& whole : {text, "/v1/daily?" + text}) {
    std::string fault;
    const auto target = parse_target(whole, fault);
    REQUIRE(target.has_value() == fault.empty());
    if (!target) continue;
    REQUIRE(target->query.size() <= kMostPairs && target->path.front() == '/');
    for (const Pair& pair : target->query) {
      check_plain(pair.name);
      check_plain(pair.value);
    }
    for (const Route& route : routes()) check_route(route, target->query);
  }
  return 0;
}
