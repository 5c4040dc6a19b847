// Sizes as a configuration writes them: bytes, or with k, m, g or t behind them (1024, 1024², …).
//
//   parse_size("1g")   // 1073741824; none where it is no size
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace weir {

// How far a unit shifts a number; 0: it is none.
constexpr int size_shift(char unit) {
  constexpr std::string_view kUnits = "kmgt";
  const std::size_t index = kUnits.find(unit);
  return index == std::string_view::npos ? 0 : static_cast<int>(index + 1) * 10;
}

// "1g", "512m", "65536": none where it is no size, or one of more than 2^62 bytes.
inline std::optional<std::uint64_t> parse_size(std::string_view text) {
  const int shift = text.empty() ? 0 : size_shift(text.back());
  if (shift > 0) text.remove_suffix(1);
  std::uint64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (count > (1ULL << 62 >> shift)) return std::nullopt;
  return count << shift;
}

}  // namespace weir
