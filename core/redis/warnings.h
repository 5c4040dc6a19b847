// What an operator hears of Redis: each thing once, until it changes, and refusals at most once a
// second. Nothing that Redis sent goes into a sentence but the first word of an error ("NOAUTH"):
// the rest can repeat what it was sent, a password too.
//
//   warnings.once(Warnings::Topic::trouble, refusal("XLEN", reply.text, password));
//   warnings.refused(error_word(reply.text, password), now);
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/redis/courier_settings.h"

namespace weir {

// The first word of an error, if it is one that Weir knows, or is made as Redis makes them (up to
// 32 capital letters and underscores) and shares nothing with `secret`; else "an error".
std::string_view error_word(std::string_view error, std::string_view secret);

// What such a word means for Weir, as a clause that says what to do; "" for words without one.
std::string_view error_advice(std::string_view word);

// "Redis refused XLEN with WRONGTYPE: the stream's key holds something else"
std::string refusal(std::string_view command, std::string_view error, std::string_view secret);

class Warnings {
 public:
  using Time = std::chrono::steady_clock::time_point;

  enum class Topic : std::uint8_t {
    appendonly,
    appendfsync,
    maxmemory_policy,
    proto_max_bulk_len,
    unchecked,  // a setting could not be looked at
    trouble,    // why the connection is not ready
    replica,    // it is ready, and is that of a replica
    role_unseen,
    memory_unseen,
    oldest_unseen,
    stream,  // it is too long, or was
  };

  explicit Warnings(CourierLog& log) : log_(log) {}

  // Says `sentence`, unless it is what was said on this topic before.
  void once(Topic topic, std::string sentence);

  // The topic's reason is gone: the next sentence on it is said, even if it is the same.
  void settled(Topic topic) { last(topic).clear(); }

  // Redis refused a record with an error that begins with `word`.
  void refused(std::string_view word, Time now);

  // Redis refused a record of so many bytes as too long for it, and hangs up.
  void unfit(std::size_t bytes, Time now);

  // `records` were not answered within the patience.
  void late(std::size_t records, std::chrono::milliseconds patience, Time now);

  // Fewer replicas than wanted have the last records.
  void too_few(std::uint64_t replicas, std::uint64_t wanted, Time now);

 private:
  // What is said at most once a second.
  struct Tally {
    std::optional<Time> said;
    std::uint64_t unsaid = 0;  // records since

    // How many records to speak of now; 0: not yet.
    std::uint64_t due(std::size_t records, Time now);
  };

  std::string& last(Topic topic) { return said_[static_cast<std::size_t>(topic)]; }

  CourierLog& log_;
  std::array<std::string, 11> said_;  // by Topic
  Tally refused_, unfit_, late_, too_few_;
};

}  // namespace weir
