#include "core/event/limits.h"

#include <algorithm>
#include <optional>
#include <string>

namespace weir {
namespace {

constexpr std::size_t kMiB = 1 << 20;
constexpr std::size_t kGiB = 1 << 30;

// What a limit may be set to. The upper ends keep a configuration from promising what a later part
// cannot hold: a record (kMaxRecord), or what the row says.
struct SizeLimit {
  std::string_view name;
  std::size_t Limits::*member;
  std::size_t lowest;
  std::size_t highest;
  bool bytes;  // takes a suffix
};

constexpr SizeLimit kSizeLimits[] = {
    {"body", &Limits::body, 1, 64 * kMiB, true},
    {"inflated", &Limits::inflated, 1, 64 * kMiB, true},
    {"ratio", &Limits::ratio, 1, 1'000'000, false},
    // What is captured of each takes nearly a KiB until the request is decided.
    {"events", &Limits::events, 1, 100'000, false},
    // PostgreSQL's JSON parser recurses and gives up near 60,000.
    {"depth", &Limits::depth, 1, 1'000, false},
    {"string", &Limits::string, 1, 16 * kMiB, true},
    {"stack_trace", &Limits::stack_trace, 1, 16 * kMiB, true},
    {"properties", &Limits::properties, 1, 1'000'000, false},
    {"key", &Limits::key, 1, 64 << 10, true},
    // Tenant, user and event stand in one B-tree key, which ends at 2,704 bytes.
    {"name", &Limits::name, 1, 1'000, true},
    // PostgreSQL's numeric has 16,383 places after the point.
    {"exponent", &Limits::exponent, 1, 16'000, false},
};

struct YearLimit {
  std::string_view name;
  int Limits::*member;
};

constexpr YearLimit kYearLimits[] = {
    {"first_year", &Limits::first_year},
    {"last_year", &Limits::last_year},
};

constexpr std::size_t kLowestYear = 1;
constexpr std::size_t kHighestYear = 9999;

// Far above every upper end, and low enough that the arithmetic below cannot overflow.
constexpr std::size_t kTooMuch = std::size_t{1} << 50;

// Digits only; a number past kTooMuch becomes kTooMuch.
std::optional<std::size_t> parse_count(std::string_view word) {
  if (word.empty()) return std::nullopt;
  std::size_t value = 0;
  for (const char c : word) {
    if (c < '0' || c > '9') return std::nullopt;
    value = std::min(value * 10 + static_cast<std::size_t>(c - '0'), kTooMuch);
  }
  return value;
}

// "k", "m" and "g" of either case, or nothing: 1.
std::size_t suffix_factor(char suffix) {
  switch (suffix) {
    case 'k':
    case 'K':
      return 1 << 10;
    case 'm':
    case 'M':
      return kMiB;
    case 'g':
    case 'G':
      return kGiB;
    default:
      return 1;
  }
}

std::optional<std::size_t> parse_bytes(std::string_view word) {
  if (word.empty()) return std::nullopt;
  const std::size_t factor = suffix_factor(word.back());
  if (factor != 1) word.remove_suffix(1);
  const auto count = parse_count(word);
  if (!count) return std::nullopt;
  return *count > kTooMuch / factor ? kTooMuch : *count * factor;
}

// "1048576" becomes "1m" where that says the same.
std::string show(std::size_t value, bool bytes) {
  if (!bytes) return std::to_string(value);
  if (value % kGiB == 0) return std::to_string(value / kGiB) + "g";
  if (value % kMiB == 0) return std::to_string(value / kMiB) + "m";
  if (value % 1024 == 0) return std::to_string(value / 1024) + "k";
  return std::to_string(value);
}

std::string wrong_value(std::string_view name, std::string_view value, bool bytes,
                        std::size_t lowest, std::size_t highest) {
  const char* wanted = bytes ? "a number of bytes such as 500, 64k or 1m" : "a whole number";
  return "\"" + std::string(value) + "\" does not suit the limit \"" + std::string(name) +
         "\": it takes " + wanted + ", from " + std::to_string(lowest) + " to " +
         show(highest, bytes);
}

std::string unknown_name(std::string_view name) {
  std::string sentence = "there is no limit \"" + std::string(name) + "\"; the limits are ";
  for (const SizeLimit& limit : kSizeLimits) sentence.append(limit.name).append(", ");
  return sentence.append(kYearLimits[0].name).append(" and ").append(kYearLimits[1].name);
}

}  // namespace

std::string set_limit(Limits& limits, std::string_view name, std::string_view value) {
  for (const SizeLimit& limit : kSizeLimits) {
    if (limit.name != name) continue;
    const auto parsed = limit.bytes ? parse_bytes(value) : parse_count(value);
    if (!parsed || *parsed < limit.lowest || *parsed > limit.highest) {
      return wrong_value(name, value, limit.bytes, limit.lowest, limit.highest);
    }
    limits.*limit.member = *parsed;
    return {};
  }
  for (const YearLimit& limit : kYearLimits) {
    if (limit.name != name) continue;
    const auto parsed = parse_count(value);
    if (!parsed || *parsed < kLowestYear || *parsed > kHighestYear) {
      return wrong_value(name, value, false, kLowestYear, kHighestYear);
    }
    limits.*limit.member = static_cast<int>(*parsed);
    return {};
  }
  return unknown_name(name);
}

std::string contradiction_in(const Limits& limits) {
  if (limits.first_year <= limits.last_year) return {};
  return "the limit \"first_year\" (" + std::to_string(limits.first_year) +
         ") lies after \"last_year\" (" + std::to_string(limits.last_year) +
         "), so that no event would be taken: set both";
}

}  // namespace weir
