// A look at the stream, once a second: how long it is and, where Redis lets us, how much memory it
// takes and when its oldest entry came. A stream that is too long is a flusher that is away; it
// must not fill Redis' memory, so the way there is closed until the stream is down to nine tenths.
//
//   if (watch.due() <= now) for (Question q : watch.ask(now)) output += StreamWatch::command(q);
//   watch.take(question, reply);                      // true: that reply ends the connection
//   if (watch.too_long()) spool();
//
// XLEN and MEMORY USAGE take Redis a few microseconds whatever the stream's length: the latter
// looks at five nodes and estimates. For the oldest entry there is only XRANGE, which sends all of
// that entry; ReplyReader skips what is long of it.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/redis/courier_settings.h"
#include "core/redis/resp.h"
#include "core/redis/warnings.h"

namespace weir {

// As last looked at; what Redis would not say, or has not said yet, is absent.
struct StreamFacts {
  std::optional<std::uint64_t> length;     // entries
  std::optional<std::uint64_t> memory;     // bytes, as MEMORY USAGE estimates
  std::optional<std::uint64_t> oldest_ms;  // since 1970 by Redis' clock; none: the stream is empty
};

class StreamWatch {
 public:
  using Time = std::chrono::steady_clock::time_point;
  enum class Question : std::uint8_t { length, memory, oldest };  // in this order
  static constexpr std::array<Question, 3> kQuestions{Question::length, Question::memory,
                                                      Question::oldest};

  // Both have to outlive it.
  StreamWatch(const CourierSettings& settings, Warnings& warnings);

  void connected(Time now);

  // None: never, or not until the last round is answered.
  std::optional<Time> due() const;

  // A round begins: each question that wants() says yes to has to be sent now.
  void asked(Time now);
  bool wants(Question question) const;
  std::string_view command(Question question) const {
    return commands_[static_cast<std::size_t>(question)];
  }

  enum class Result : std::uint8_t {
    ok,
    failing,   // an error that a record would meet too
    nonsense,  // not an answer to this
  };
  Result take(Question question, const Reply& reply);

  bool too_long() const { return too_long_; }
  const StreamFacts& facts() const { return facts_; }

 private:
  Result take_error(Question question, std::string_view error);
  Result take_length(const Reply& reply);
  Result take_memory(const Reply& reply);
  Result take_oldest(const Reply& reply);
  void do_without(Question question, std::string_view error);
  void weigh();

  const CourierSettings& settings_;
  Warnings& warnings_;
  std::array<std::string, 3> commands_;
  std::array<bool, 3> refused_{};  // on this connection
  Time due_{};
  unsigned awaited_ = 0;
  bool too_long_ = false;
  StreamFacts facts_;
};

}  // namespace weir
