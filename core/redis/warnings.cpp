#include "core/redis/warnings.h"

#include <algorithm>
#include <utility>

namespace weir {
namespace {

constexpr std::size_t kLongestWord = 32;
constexpr auto kAgainAfter = std::chrono::seconds(1);

struct Advice {
  std::string_view word, clause;
};

constexpr Advice kAdvice[] = {
    {"LOADING", "it is still reading its data"},
    {"NOAUTH", "it wants a password"},
    {"WRONGPASS", "the user or the password is not the right one"},
    {"NOPERM", "the user may not do that; grant what docs/install-nginx.md lists"},
    {"WRONGTYPE", "the stream's key holds something else"},
    {"READONLY", "this is a replica; name the master"},
    {"MASTERDOWN", "this is a replica without its master; name the master"},
    {"CLUSTERDOWN", "the cluster has no master for the stream"},
    {"MOVED", "another node of the cluster has the stream; name that node"},
    {"ASK", "the stream is on its way to another node of the cluster"},
    {"OOM", "it has reached its maxmemory; see whether the flusher runs"},
    {"MISCONF", "it cannot write to its disk"},
    {"NOREPLICAS", "it has fewer replicas than min-replicas-to-write"},
    {"DENIED", "it is in protected mode; give it a password or a unix socket"},
};

}  // namespace

std::string_view error_word(std::string_view error, std::string_view secret) {
  const std::string_view word = error.substr(0, error.find(' '));
  if (word == "ERR" || !error_advice(word).empty()) return word;
  const auto fits = [](char c) { return (c >= 'A' && c <= 'Z') || c == '_'; };
  const bool sane =
      !word.empty() && word.size() <= kLongestWord && std::all_of(word.begin(), word.end(), fits);
  // A server that knows no AUTH may begin with what it does not know.
  const bool tells = !secret.empty() && (secret.find(word) != std::string_view::npos ||
                                         word.find(secret) != std::string_view::npos);
  return sane && !tells ? word : "an error";
}

std::string_view error_advice(std::string_view word) {
  for (const Advice& advice : kAdvice) {
    if (advice.word == word) return advice.clause;
  }
  return {};
}

std::string refusal(std::string_view command, std::string_view error, std::string_view secret) {
  const std::string_view word = error_word(error, secret);
  std::string sentence = "Redis refused ";
  sentence.append(command).append(" with ").append(word);
  if (const auto advice = error_advice(word); !advice.empty()) {
    sentence.append(": ").append(advice);
  }
  return sentence;
}

void Warnings::once(Topic topic, std::string sentence) {
  if (last(topic) == sentence) return;
  last(topic) = std::move(sentence);
  if (topic == Topic::trouble) {
    log_.warn(last(topic));
  } else {
    log_.unsafe(last(topic));
  }
}

std::uint64_t Warnings::Tally::due(std::size_t records, Time now) {
  unsaid += records;
  if (said && now - *said < kAgainAfter) return 0;
  said = now;
  return std::exchange(unsaid, 0);
}

void Warnings::refused(std::string_view word, Time now) {
  const std::uint64_t count = refused_.due(1, now);
  if (count == 0) return;
  std::string sentence = "Redis refused ";
  sentence += count == 1 ? "a record" : std::to_string(count) + " records, the last one";
  sentence.append(" with ").append(word);
  if (const auto advice = error_advice(word); !advice.empty()) {
    sentence.append(": ").append(advice);
  }
  log_.warn(sentence);
}

void Warnings::unfit(std::size_t bytes, Time now) {
  const std::uint64_t count = unfit_.due(1, now);
  if (count == 0) return;
  log_.warn("Redis refused " +
            (count == 1 ? "a record" : std::to_string(count) + " records, the last one") + " of " +
            std::to_string(bytes) +
            " bytes with a protocol error, and closes the connection: raise proto-max-bulk-len in "
            "Redis, or lower the limits body and inflated");
}

// A look at the stream can be late too, with no record behind it.
void Warnings::late(std::size_t records, std::chrono::milliseconds patience, Time now) {
  const std::uint64_t count = late_.due(records + 1, now);
  if (count == 0) return;
  log_.warn("Redis has not answered within " + std::to_string(patience.count()) +
            " ms: it gets no records until it is faster again");
}

void Warnings::too_few(std::uint64_t replicas, std::uint64_t wanted, Time now) {
  if (too_few_.due(1, now) == 0) return;
  log_.warn("of the " + std::to_string(wanted) + " replicas that wait= asks for, " +
            std::to_string(replicas) +
            " have the last records: Redis gets no more of these until enough of them answer");
}

}  // namespace weir
