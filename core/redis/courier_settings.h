// How a courier speaks to Redis, and to whom it speaks of it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace weir {

struct CourierSettings {
  std::string stream;                       // the key to XADD to
  std::string user;                         // for AUTH; empty: Redis' default user
  std::string password;                     // this and user empty: no AUTH
  std::chrono::milliseconds timeout{2000};  // for each answer, the greeting's too; and a ms a KiB
  std::chrono::milliseconds patience{250};  // then a record is late; `timeout` and over: never
  std::size_t max_waiting = 16384;          // records in flight
  std::size_t max_output = 64 << 20;        // bytes of commands not yet answered

  std::chrono::milliseconds watch_every{1000};  // how often the stream is looked at; 0: never
  std::uint64_t stream_length = 10'000'000;     // entries from which on it is too long; 0: never
  std::uint64_t stream_memory = 1ULL << 30;     // bytes of Redis' memory likewise
  bool watches_oldest = false;                  // ask for the oldest entry too

  std::uint64_t seed = 0;  // for waits at random; should differ between workers
};

// What an operator should hear. Sentences are complete, hold no secret and nothing unprintable, and
// end without a full stop or a newline, so that a server can add to them. The same sentence comes
// again only after something else was said in its place, and records that did not get through are
// spoken of at most once a second, with their number.
class CourierLog {
 public:
  virtual void ready() noexcept = 0;
  virtual void warn(std::string_view sentence) noexcept = 0;

  // Every courier of a server finds the same (a setting of Redis can lose events, a right is
  // missing, the stream is too long), so it is enough that one of them says it loudly.
  virtual void unsafe(std::string_view sentence) noexcept { warn(sentence); }

 protected:
  ~CourierLog() = default;
};

}  // namespace weir
