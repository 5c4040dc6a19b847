#include "core/redis/watch.h"

#include <charconv>

namespace weir {
namespace {

using Topic = Warnings::Topic;

std::size_t index_of(StreamWatch::Question question) { return static_cast<std::size_t>(question); }

// Open again below nine tenths, so that the way does not open and close with each second.
std::uint64_t bound(std::uint64_t limit, bool too_long) {
  return too_long ? limit - limit / 10 : limit;
}

bool reaches(std::optional<std::uint64_t> value, std::uint64_t limit, bool too_long) {
  return limit > 0 && value && *value >= bound(limit, too_long);
}

std::string too_long_sentence(const StreamFacts& facts, const CourierSettings& settings) {
  std::string sentence = "the stream has " + std::to_string(facts.length.value_or(0)) + " entries";
  if (facts.memory) sentence += " in " + std::to_string(*facts.memory) + " bytes";
  return sentence + ", and may have " + std::to_string(settings.stream_length) + " in " +
         std::to_string(settings.stream_memory) +
         " (stream_length=, stream_memory=): Redis gets no more records until a tenth of that is "
         "gone; see whether the flusher runs";
}

}  // namespace

StreamWatch::StreamWatch(const CourierSettings& settings, Warnings& warnings)
    : settings_(settings), warnings_(warnings) {
  append_command(commands_[index_of(Question::length)], {"XLEN", settings_.stream});
  append_command(commands_[index_of(Question::memory)], {"MEMORY", "USAGE", settings_.stream});
  append_command(commands_[index_of(Question::oldest)],
                 {"XRANGE", settings_.stream, "-", "+", "COUNT", "1"});
}

void StreamWatch::connected(Time now) {
  refused_ = {};
  awaited_ = 0;
  due_ = now;
}

std::optional<StreamWatch::Time> StreamWatch::due() const {
  if (settings_.watch_every.count() == 0 || awaited_ > 0) return std::nullopt;
  return due_;
}

void StreamWatch::asked(Time now) {
  due_ = now + settings_.watch_every;
  for (const Question question : kQuestions) awaited_ += wants(question);
}

bool StreamWatch::wants(Question question) const {
  if (question == Question::oldest && !settings_.watches_oldest) return false;
  return !refused_[index_of(question)];
}

StreamWatch::Result StreamWatch::take(Question question, const Reply& reply) {
  if (awaited_ > 0) --awaited_;
  if (reply.type == Reply::Type::error) return take_error(question, reply.text);
  switch (question) {
    case Question::length:
      return take_length(reply);
    case Question::memory:
      return take_memory(reply);
    case Question::oldest:
      return take_oldest(reply);
  }
  return Result::nonsense;
}

// Managed servers and narrow users may lack a command; but whoever may not ask for the length could
// not have greeted.
StreamWatch::Result StreamWatch::take_error(Question question, std::string_view error) {
  const std::string_view word = error.substr(0, error.find(' '));
  if (question == Question::length || (word != "NOPERM" && word != "ERR")) return Result::failing;
  do_without(question, error);
  return Result::ok;
}

StreamWatch::Result StreamWatch::take_length(const Reply& reply) {
  if (reply.type != Reply::Type::integer || reply.integer < 0) return Result::nonsense;
  facts_.length = static_cast<std::uint64_t>(reply.integer);
  if (!wants(Question::memory)) weigh();
  return Result::ok;
}

// Nil: there is no stream.
StreamWatch::Result StreamWatch::take_memory(const Reply& reply) {
  if (reply.type == Reply::Type::nil) {
    facts_.memory = 0;
  } else if (reply.type == Reply::Type::integer && reply.integer >= 0) {
    facts_.memory = static_cast<std::uint64_t>(reply.integer);
  } else {
    return Result::nonsense;
  }
  weigh();
  return Result::ok;
}

// [[id, [field, record]]]: the elements in the order in which they are read.
StreamWatch::Result StreamWatch::take_oldest(const Reply& reply) {
  if (reply.type != Reply::Type::array) return Result::nonsense;
  facts_.oldest_ms.reset();
  if (reply.items.empty()) return Result::ok;
  if (reply.items.size() < 2) return Result::nonsense;
  const std::string& id = reply.items[1];
  std::uint64_t ms = 0;
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), ms);
  if (error != std::errc() || end == id.data() + id.size() || *end != '-') return Result::nonsense;
  facts_.oldest_ms = ms;
  return Result::ok;
}

void StreamWatch::do_without(Question question, std::string_view error) {
  refused_[index_of(question)] = true;
  const bool memory = question == Question::memory;
  (memory ? facts_.memory : facts_.oldest_ms).reset();
  if (memory) weigh();
  std::string sentence = "Redis refused ";
  sentence.append(memory ? "MEMORY USAGE" : "XRANGE").append(" with ");
  sentence.append(error_word(error, settings_.password));
  sentence.append(memory
                      ? ", so that Weir sees only the stream's length and not its memory: grant "
                        "+memory|usage"
                      : ", so that Weir does not see how old the oldest event is: grant +xrange");
  warnings_.once(memory ? Topic::memory_unseen : Topic::oldest_unseen, std::move(sentence));
}

void StreamWatch::weigh() {
  const bool before = too_long_;
  too_long_ = reaches(facts_.length, settings_.stream_length, before) ||
              reaches(facts_.memory, settings_.stream_memory, before);
  if (too_long_ == before) return;
  warnings_.settled(Topic::stream);
  warnings_.once(Topic::stream, too_long_ ? too_long_sentence(facts_, settings_)
                                          : "the stream is short enough again, Redis gets records");
}

}  // namespace weir
