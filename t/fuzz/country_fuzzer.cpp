// Whatever comes in, a country is two capital letters that ISO assigns; case does not matter to
// codes, and a zone is found exactly when the table, searched from its start, holds it.
#include "core/event/country.h"

#include <cctype>
#include <cstdint>
#include <string>
#include <string_view>

#include "t/fuzz/require.h"

namespace {

struct Row {
  std::string_view name;
  weir::Country country;
};

constexpr Row kRows[] = {
#include "core/event/time_zones.inc"
};

void check_code(const std::string& text) {
  const auto country = weir::country_from_iso(text);
  std::string upper, lower;
  for (const char c : text) {
    upper += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  REQUIRE(weir::country_from_iso(upper).has_value() == country.has_value());
  REQUIRE(weir::country_from_iso(lower).has_value() == country.has_value());
  REQUIRE(!country || country->view() == upper);
}

void check_zone(std::string_view text) {
  const Row* row = nullptr;
  for (const Row& each : kRows) {
    if (each.name == text) row = &each;
  }
  const auto country = weir::country_from_time_zone(text);
  REQUIRE(country.has_value() == (row != nullptr));
  REQUIRE(!country || country->view() == row->country.view());
  REQUIRE(!country || weir::country_from_iso(country->view()).has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  check_code(text);
  check_code(text.substr(0, 2));
  check_zone(text);
  if (size >= 2) {
    // Names that are in the table, and their neighbours.
    const Row& row = kRows[(data[0] * 256u + data[1]) % (sizeof kRows / sizeof *kRows)];
    check_zone(row.name);
    check_zone(row.name.substr(0, row.name.size() - 1));
    check_zone(std::string(row.name) + text.substr(2));
  }
  return 0;
}
