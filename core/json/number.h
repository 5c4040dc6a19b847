// Numbers as JSON writes them (RFC 8259 section 6), without turning them into floating point: they
// travel as text and end in PostgreSQL's numeric, which keeps every digit.
//
//   if (auto fault = check_number("1e400", limits.exponent); fault != Reason::none) …
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/event/reason.h"

namespace weir {

// A number's parts: (whole, fraction) × 10^exponent. The views point into the literal.
struct Decimal {
  bool negative = false;
  std::string_view whole;     // the digits before the point, at least one
  std::string_view fraction;  // the digits after it
  std::int64_t exponent = 0;  // as written; beyond 10^12 either way it stays there

  // The place of the first digit that is not 0: 2 for 345, -3 for 0.00678. None for zero.
  std::optional<std::int64_t> leading_place() const;

  // The digit that counts 10^place; 0 where nothing is written.
  int digit(std::int64_t place) const;

  // Is any digit below 10^place other than 0?
  bool anything_below(std::int64_t place) const;

 private:
  std::size_t digits() const { return whole.size() + fraction.size(); }
  int digit_at(std::size_t index) const;
};

// None unless all of `literal` is one JSON number.
std::optional<Decimal> split_number(std::string_view literal);

// How much of `text` is a JSON number, or the beginning of one.
struct NumberExtent {
  std::size_t size = 0;  // the byte behind, if there is one, cannot follow
  bool whole = false;    // it is a number already
  bool has_exponent = false;
};

NumberExtent number_extent(std::string_view text);

// Can PostgreSQL store the JSON number `literal`, and print it again at a bearable length? Its
// first digit that counts must lie within 10^±max_exponent, however it is written: with an exponent
// or with 400 digits. Zero is judged by the exponent written. And no more than 16,383 digits may
// stand behind the point once the exponent is applied (numeric's bound).
// Returns Reason::none or Reason::number_out_of_range.
Reason check_number(std::string_view literal, std::size_t max_exponent);

// NUMERIC_DSCALE_MAX of PostgreSQL: tried on 15, 0e-16384 and 1.000… with 16,384 zeros are refused.
constexpr std::size_t kMaxFractionDigits = 16'383;

// The same for one that number_extent() has measured. Without an exponent, a number shorter than
// the limit cannot exceed it: nearly all of them.
inline Reason check_number(std::string_view literal, std::size_t max_exponent, bool has_exponent) {
  const bool is_short = literal.size() <= max_exponent && literal.size() <= kMaxFractionDigits;
  return is_short && !has_exponent ? Reason::none : check_number(literal, max_exponent);
}

}  // namespace weir
