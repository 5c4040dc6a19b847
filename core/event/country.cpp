#include "core/event/country.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>

namespace weir {
namespace {

// For each first letter, the second letters that ISO 3166-1 assigns with it (tzdata's iso3166.tab,
// and XK).
constexpr std::string_view kSecondLetters[26] = {
    /* A */ "DEFGILMOQRSTUWXZ",
    /* B */ "ABDEFGHIJLMNOQRSTVWYZ",
    /* C */ "ACDFGHIKLMNORUVWXYZ",
    /* D */ "EJKMOZ",
    /* E */ "CEGHRST",
    /* F */ "IJKMOR",
    /* G */ "ABDEFGHILMNPQRSTUWY",
    /* H */ "KMNRTU",
    /* I */ "DELMNOQRST",
    /* J */ "EMOP",
    /* K */ "EGHIMNPRWYZ",
    /* L */ "ABCIKRSTUVY",
    /* M */ "ACDEFGHKLMNOPQRSTUVWXYZ",
    /* N */ "ACEFGILOPRUZ",
    /* O */ "M",
    /* P */ "AEFGHKLMNRSTWY",
    /* Q */ "A",
    /* R */ "EOSUW",
    /* S */ "ABCDEGHIJKLMNORSTVXYZ",
    /* T */ "CDFGHJKLMNORTVWZ",
    /* U */ "AGMSYZ",
    /* V */ "ACEGINU",
    /* W */ "FS",
    /* X */ "K",
    /* Y */ "ET",
    /* Z */ "AMW",
};

// The same as bits: that of "A" is the lowest.
struct LetterSets {
  std::uint32_t second[26];
};

constexpr LetterSets letter_sets() {
  LetterSets sets{};
  for (std::size_t first = 0; first < 26; ++first) {
    for (const char second : kSecondLetters[first]) sets.second[first] |= 1U << (second - 'A');
  }
  return sets;
}

constexpr LetterSets kAssigned = letter_sets();

struct Zone {
  std::string_view name;
  Country country;
};

constexpr Zone kZones[] = {
#include "core/event/time_zones.inc"
};

constexpr bool is_sorted() {
  for (std::size_t i = 1; i < std::size(kZones); ++i) {
    if (!(kZones[i - 1].name < kZones[i].name)) return false;
  }
  return true;
}

static_assert(is_sorted(), "country_from_time_zone() searches by halves");

// 'a' and 'A' become 'A'; 0 for anything that is not an ASCII letter.
constexpr char upper(char c) {
  if (c >= 'a' && c <= 'z') return static_cast<char>(c - 'a' + 'A');
  return c >= 'A' && c <= 'Z' ? c : '\0';
}

}  // namespace

std::optional<Country> country_from_iso(std::string_view code) {
  if (code.size() != 2) return std::nullopt;
  const char first = upper(code[0]);
  const char second = upper(code[1]);
  if (first == '\0' || second == '\0') return std::nullopt;
  if ((kAssigned.second[first - 'A'] >> (second - 'A') & 1) == 0) return std::nullopt;
  return Country{{first, second}};
}

std::optional<Country> country_from_time_zone(std::string_view zone) {
  const Zone* found =
      std::lower_bound(std::begin(kZones), std::end(kZones), zone,
                       [](const Zone& row, std::string_view name) { return row.name < name; });
  if (found == std::end(kZones) || found->name != zone) return std::nullopt;
  return found->country;
}

}  // namespace weir
