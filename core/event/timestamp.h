// Points in time as Weir keeps them: microseconds since 1970-01-01T00:00:00Z, without leap seconds.
//
//   auto sent = parse_rfc3339("2026-11-21T08:30:00.5+01:00");
//   auto event_time = correct_for_skew(*raw, sent_at, now);
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace weir {

using Timestamp = std::int64_t;

constexpr Timestamp kMicrosPerMillisecond = 1000;
constexpr Timestamp kMicrosPerSecond = 1'000'000;
constexpr Timestamp kMicrosPerHour = 3600 * kMicrosPerSecond;
constexpr Timestamp kMicrosPerDay = 24 * kMicrosPerHour;

// What Weir takes: the years 1 to 9999, as RFC 3339 writes them. PostgreSQL could store more, but
// its infinities are no times, and no client lives outside.
constexpr Timestamp kFirstTime = -62'135'596'800 * kMicrosPerSecond;
constexpr Timestamp kEndOfTime = 253'402'300'800 * kMicrosPerSecond;
constexpr bool is_in_range(Timestamp time) { return kFirstTime <= time && time < kEndOfTime; }

// An event that is further ahead of its receipt than this is taken to have happened at its receipt.
constexpr Timestamp kMaxAhead = 23 * kMicrosPerHour;

// Parses RFC 3339 section 5.6: any offset, any number of fraction digits (those past the sixth are
// cut off), 'T' or 't' or a space, 'Z' or 'z'. A leap second counts as the next second's beginning.
// None if the moment lies outside the years 1 to 9999 of UTC.
std::optional<Timestamp> parse_rfc3339(std::string_view text);

// Parses a JSON number of milliseconds since 1970, whole or with a fraction, with or without an
// exponent. None if `literal` lies outside the years 1 to 9999.
std::optional<Timestamp> parse_milliseconds(std::string_view literal);

// The first microsecond of `year` (UTC), for years 1 to 10000.
Timestamp start_of_year(int year);

// The time of an event by the server's clock. A client whose clock is wrong is as wrong in
// `sent_at` as in `client_time`, so their distance counts back from `now`:
// client_time - (sent_at - now). More than kMaxAhead past `now` becomes `now`.
Timestamp correct_for_skew(Timestamp client_time, std::optional<Timestamp> sent_at, Timestamp now);

}  // namespace weir
