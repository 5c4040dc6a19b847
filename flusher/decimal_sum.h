// A sum of decimal numbers, without rounding: what PostgreSQL's numeric would come to.
//
//   DecimalSum sum;
//   if (!sum.add("0.012")) …     // one that it does not take: too many digits, or an exponent
//   sum.text();                  // "0.012"
//
// Bound: numbers of up to 18 digits before the point and 9 behind it. 10^11 of these fit.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/json/number.h"

namespace weir::flusher {

class DecimalSum {
 public:
  // False, and nothing added, for a literal beyond the bound.
  bool add(std::string_view literal) {
    const auto number = split_number(literal);
    if (!number || number->exponent != 0 || number->whole.size() > kWhole ||
        number->fraction.size() > kFraction) {
      return false;
    }
    Wide value = 0;
    for (const char digit : number->whole) value = 10 * value + (digit - '0');
    for (std::size_t i = 0; i < kFraction; ++i) {
      value = 10 * value + (i < number->fraction.size() ? number->fraction[i] - '0' : 0);
    }
    total_ += number->negative ? -value : value;
    fraction_ = std::max(fraction_, number->fraction.size());
    ++numbers_;
    return true;
  }

  std::uint64_t numbers() const { return numbers_; }

  // With as many digits behind the point as the number that had most.
  std::string text() const {
    std::string digits;
    for (Wide left = total_ < 0 ? -total_ : total_; left != 0 || digits.size() <= kFraction;
         left /= 10) {
      digits += static_cast<char>('0' + static_cast<int>(left % 10));
    }
    std::string text(total_ < 0 ? "-" : "");
    text.append(digits.rbegin(), digits.rend() - kFraction);
    if (fraction_ == 0) return text;
    text += '.';
    return text.append(digits.rend() - kFraction,
                       digits.rend() - kFraction + static_cast<std::ptrdiff_t>(fraction_));
  }

 private:
  using Wide = __int128;
  static constexpr std::size_t kWhole = 18, kFraction = 9;

  Wide total_ = 0;  // in units of 10^-kFraction
  std::size_t fraction_ = 0;
  std::uint64_t numbers_ = 0;
};

}  // namespace weir::flusher
