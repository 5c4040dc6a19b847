#include "core/json/number.h"

#include <algorithm>

#include "core/json/ascii.h"

namespace weir {
namespace {

// As with kMaxFractionDigits, 1e131072 is refused.
constexpr std::size_t kMaxPlace = 131'071;

// No literal that fits in memory brings an exponent beyond this back into range.
constexpr std::int64_t kExponentStop = 1'000'000'000'000;

// Takes the digits that `text` begins with away from it.
std::string_view take_digits(std::string_view& text) {
  std::size_t count = 0;
  while (count < text.size() && is_digit(text[count])) ++count;
  const std::string_view taken = text.substr(0, count);
  text.remove_prefix(count);
  return taken;
}

bool take(std::string_view& text, char wanted) {
  if (text.empty() || text.front() != wanted) return false;
  text.remove_prefix(1);
  return true;
}

// What follows the "e". None unless it is a sign, or none, and digits.
std::optional<std::int64_t> take_exponent(std::string_view& text) {
  const bool negative = take(text, '-');
  if (!negative) take(text, '+');
  const std::string_view digits = take_digits(text);
  if (digits.empty()) return std::nullopt;
  std::int64_t value = 0;
  for (const char c : digits) value = std::min(value * 10 + (c - '0'), kExponentStop);
  return negative ? -value : value;
}

std::int64_t signed_size(std::string_view text) { return static_cast<std::int64_t>(text.size()); }

}  // namespace

int Decimal::digit_at(std::size_t index) const {
  const char c = index < whole.size() ? whole[index] : fraction[index - whole.size()];
  return c - '0';
}

std::optional<std::int64_t> Decimal::leading_place() const {
  if (const auto at = whole.find_first_not_of('0'); at != whole.npos) {
    return signed_size(whole) - 1 - static_cast<std::int64_t>(at) + exponent;
  }
  if (const auto at = fraction.find_first_not_of('0'); at != fraction.npos) {
    return exponent - 1 - static_cast<std::int64_t>(at);
  }
  return std::nullopt;
}

int Decimal::digit(std::int64_t place) const {
  const std::int64_t index = signed_size(whole) - 1 + exponent - place;
  if (index < 0 || index >= static_cast<std::int64_t>(digits())) return 0;
  return digit_at(static_cast<std::size_t>(index));
}

bool Decimal::anything_below(std::int64_t place) const {
  const std::int64_t index = std::max<std::int64_t>(signed_size(whole) + exponent - place, 0);
  for (auto i = static_cast<std::size_t>(index); i < digits(); ++i) {
    if (digit_at(i) != 0) return true;
  }
  return false;
}

std::optional<Decimal> split_number(std::string_view literal) {
  Decimal number;
  number.negative = take(literal, '-');
  number.whole = take_digits(literal);
  if (number.whole.empty()) return std::nullopt;
  if (number.whole.size() > 1 && number.whole.front() == '0') return std::nullopt;
  if (take(literal, '.')) {
    number.fraction = take_digits(literal);
    if (number.fraction.empty()) return std::nullopt;
  }
  if (take(literal, 'e') || take(literal, 'E')) {
    const auto exponent = take_exponent(literal);
    if (!exponent) return std::nullopt;
    number.exponent = *exponent;
  }
  if (!literal.empty()) return std::nullopt;
  return number;
}

NumberExtent number_extent(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  const auto is = [&](char wanted) { return at != end && *at == wanted; };
  const auto digits = [&] {
    const char* start = at;
    while (at != end && is_digit(*at)) ++at;
    return at != start;
  };
  const auto extent = [&](bool whole, bool has_exponent) {
    return NumberExtent{static_cast<std::size_t>(at - text.data()), whole, has_exponent};
  };
  if (is('-')) ++at;
  if (is('0')) {
    ++at;
  } else if (!digits()) {
    return extent(false, false);
  }
  if (is('.') && (++at, !digits())) return extent(false, false);
  if (!is('e') && !is('E')) return extent(true, false);
  ++at;
  if (is('+') || is('-')) ++at;
  return extent(digits(), true);
}

Reason check_number(std::string_view literal, std::size_t max_exponent) {
  const auto limit = static_cast<std::int64_t>(std::min(max_exponent, kMaxPlace));
  const auto number = split_number(literal);
  if (!number) return Reason::number_out_of_range;
  constexpr auto kMostDigits = static_cast<std::int64_t>(kMaxFractionDigits);
  if (signed_size(number->fraction) - number->exponent > kMostDigits) {
    return Reason::number_out_of_range;
  }
  const std::int64_t place = number->leading_place().value_or(number->exponent);
  return place < -limit || place > limit ? Reason::number_out_of_range : Reason::none;
}

}  // namespace weir
