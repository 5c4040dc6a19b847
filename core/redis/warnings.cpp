#include "core/redis/warnings.h"

#include <algorithm>

#include "core/redis/courier.h"

namespace weir {
namespace {

constexpr std::size_t kLongestWord = 32;
constexpr auto kRefusalsEvery = std::chrono::seconds(1);

struct Advice {
  std::string_view word, clause;
};

constexpr Advice kAdvice[] = {
    {"LOADING", "it is still reading its data"},
    {"NOAUTH", "it wants a password"},
    {"WRONGPASS", "the user or the password is not the right one"},
    {"NOPERM", "the user may not do that; Weir needs XADD and XLEN on the stream"},
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

void Warnings::refused(std::string_view word, Time now) {
  ++unsaid_;
  if (last_refusal_ && now - *last_refusal_ < kRefusalsEvery) return;
  std::string sentence = "Redis refused ";
  sentence += unsaid_ == 1 ? "a record" : std::to_string(unsaid_) + " records, the last one";
  sentence.append(" with ").append(word);
  if (const auto advice = error_advice(word); !advice.empty()) {
    sentence.append(": ").append(advice);
  }
  last_refusal_ = now;
  unsaid_ = 0;
  log_.warn(sentence);
}

}  // namespace weir
