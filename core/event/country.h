// Countries without IP addresses: from an ISO 3166-1 alpha-2 code, or from the time zone that a
// client lives in (row D1 of the product).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace weir {

// Two upper-case letters, without a terminator.
struct Country {
  char code[2];

  // Holds as long as this Country.
  std::string_view view() const { return {code, 2}; }
};

// "ES" or "es" is Spain. None for anything that ISO 3166-1 (or "XK", which is in wide use) does
// not assign.
std::optional<Country> country_from_iso(std::string_view code);

// "Europe/Madrid" is Spain, and so is an older alias of it. None for zones that name no country
// ("UTC", "Etc/GMT+3") and for names that the time zone database of this build does not hold.
std::optional<Country> country_from_time_zone(std::string_view zone);

}  // namespace weir
