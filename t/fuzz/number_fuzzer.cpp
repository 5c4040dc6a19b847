// A number is accepted exactly when a slow reading of it, by another way, finds it within bounds.
#include "core/json/number.h"

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <regex>
#include <string>
#include <string_view>

#include "t/fuzz/require.h"

namespace {

using weir::check_number;
using weir::Reason;

constexpr long kBound = 308;

// Writes the number out without an exponent, digit by digit, as PostgreSQL's numeric keeps it.
// Empty where that would take more than 40,000 digits.
std::string written_out(const std::string& literal) {
  const auto e = literal.find_first_of("eE");
  std::string digits = literal.substr(0, e);
  const double power = e == literal.npos ? 0 : std::strtod(literal.c_str() + e + 1, nullptr);
  if (std::fabs(power) > 20'000) return {};
  if (digits[0] == '-') digits.erase(0, 1);
  auto point = digits.find('.');
  if (point == digits.npos) {
    point = digits.size();
  } else {
    digits.erase(point, 1);
  }
  long place = static_cast<long>(point) + static_cast<long>(power);
  while (place <= 0) digits.insert(0, 1, '0'), ++place;
  while (place > static_cast<long>(digits.size())) digits += '0';
  return digits.insert(static_cast<std::size_t>(place), 1, '.');
}

bool is_bearable(const std::string& literal) {
  const std::string plain = written_out(literal);
  if (plain.empty()) return false;
  const long point = static_cast<long>(plain.find('.'));
  if (static_cast<long>(plain.size()) - point - 1 > 16'383) return false;
  const auto first = plain.find_first_of("123456789");
  if (first == plain.npos) {
    const auto e = literal.find_first_of("eE");
    return e == literal.npos || std::fabs(std::strtod(literal.c_str() + e + 1, nullptr)) <= kBound;
  }
  const long at = static_cast<long>(first);
  const long power = at < point ? point - at - 1 : point - at;
  return power >= -kBound && power <= kBound;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 2000) return 0;
  const std::string literal(reinterpret_cast<const char*>(data), size);
  static const std::regex kNumber(R"(-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?)");
  const bool is_number = std::regex_match(literal, kNumber);
  const auto parts = weir::split_number(literal);
  REQUIRE(parts.has_value() == is_number);
  const auto extent = weir::number_extent(literal);
  REQUIRE((extent.whole && extent.size == size) == is_number);
  REQUIRE(extent.whole == std::regex_match(literal.substr(0, extent.size), kNumber));
  const Reason reason = check_number(literal, kBound);  // must bear what is no number, too
  if (!is_number) return 0;

  REQUIRE(reason == Reason::none || reason == Reason::number_out_of_range);
  REQUIRE((reason == Reason::none) == is_bearable(literal));
  const long double value = std::fabs(std::strtold(literal.c_str(), nullptr));
  if (reason == Reason::none) REQUIRE(value == 0 || (value >= 0.999e-308L && value < 1e309L));
  for (long place = -350; place <= 350; ++place) {
    const int digit = parts->digit(place);
    REQUIRE(digit >= 0 && digit <= 9);
    REQUIRE(digit == 0 || (parts->leading_place() && *parts->leading_place() >= place));
  }
  return 0;
}
