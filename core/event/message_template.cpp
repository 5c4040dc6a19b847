#include "core/event/message_template.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "core/event/scan.h"
#include "core/event/uuid.h"

namespace weir {
namespace {

using scan::contains;
using scan::is_hex;
using scan::is_letter;
using scan::is_word;
using scan::starts_with;
using scan::take_while;
using scan::trim;

constexpr std::size_t kLongest = 1000;

// Between two numbers, these make one of them.
constexpr std::string_view kJoints = ".,:-+/T";

struct Quotes {
  std::string_view open;
  std::string_view close;
};

constexpr Quotes kQuotes[] = {{"\"", "\""}, {"'", "'"}, {"`", "`"}, {"`", "'"},
                              {"“", "”"},   {"‘", "’"}, {"«", "»"}, {"„", "“"}};

std::string_view first_line(std::string_view message) {
  message = trim(message);
  return trim(message.substr(0, std::min(message.find('\n'), kLongest)));
}

// Digits that stand apart: "8f3a9c" has three groups.
std::size_t digit_groups(std::string_view word) {
  std::size_t groups = 0;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (is_digit(word[i]) && (i == 0 || !is_digit(word[i - 1]))) ++groups;
  }
  return groups;
}

// Is this word, which holds a digit, somebody's name for a thing: a hash, a key, a random id?
bool is_identifier(std::string_view word) {
  if (starts_with(word, "0x")) return true;
  if (word.size() >= 7 && std::all_of(word.begin(), word.end(), is_hex)) return true;
  return word.size() >= 6 && digit_groups(word) >= 2;
}

bool is_path(std::string_view chunk) {
  for (const std::string_view start : {"/", "./", "../", "~/", "\\\\"}) {
    if (starts_with(chunk, start)) return chunk.size() > start.size();
  }
  return chunk.size() > 3 && is_letter(chunk[0]) && chunk[1] == ':' &&
         (chunk[2] == '\\' || chunk[2] == '/');
}

bool is_email(std::string_view chunk) {
  const auto at = chunk.find('@');
  return at != chunk.npos && at > 0 && chunk.find('.', at) != chunk.npos;
}

class TemplateWriter {
 public:
  explicit TemplateWriter(std::string_view line) : rest_(line), left_after_chunk_(line.size()) {}

  std::string write() {
    while (!rest_.empty()) {
      if (is_space(rest_.front())) {
        take_while(rest_, is_space);
        out_ += ' ';
      } else if (!skip_quoted() && !skip_chunk() && !skip_uuid()) {
        word_or_character();
      }
    }
    return std::move(out_);
  }

 private:
  bool after_word() const { return !out_.empty() && is_word(out_.back()); }

  // An apostrophe inside a word neither opens nor closes: "can't".
  std::size_t closing(const Quotes& quotes) const {
    std::size_t at = rest_.find(quotes.close, quotes.open.size());
    while (at != rest_.npos) {
      const std::size_t after = at + quotes.close.size();
      if (after == rest_.size() || !is_word(rest_[after])) return at;
      at = rest_.find(quotes.close, after);
    }
    return at;
  }

  bool skip_quoted() {
    if (after_word()) return false;
    for (const Quotes& quotes : kQuotes) {
      if (!starts_with(rest_, quotes.open)) continue;
      const auto end = closing(quotes);
      if (end == rest_.npos) continue;
      rest_.remove_prefix(end + quotes.close.size());
      out_ += "\"\"";
      return true;
    }
    return false;
  }

  // URLs, paths and e-mail addresses reach up to the next space, quote or bracket. That end is
  // looked for once a chunk, or a long run of points would take its square in steps.
  bool skip_chunk() {
    if (after_word()) return false;
    const bool is_new = rest_.size() <= left_after_chunk_;
    if (is_new) {
      const auto end = std::min(rest_.find_first_of(" \t\"'`()[]{}<>,;|"), rest_.size());
      left_after_chunk_ = rest_.size() - end;
    }
    const std::string_view chunk = rest_.substr(0, rest_.size() - left_after_chunk_);
    const bool is_address = is_new && (contains(chunk, "://") || is_email(chunk));
    if (!is_address && !is_path(chunk)) return false;
    rest_.remove_prefix(chunk.size());
    mark();
    return true;
  }

  bool skip_uuid() {
    constexpr std::size_t kLength = 36;
    if (after_word() || !parse_uuid(rest_.substr(0, kLength))) return false;
    rest_.remove_prefix(kLength);
    mark();
    return true;
  }

  void word_or_character() {
    std::string_view word = take_while(rest_, is_word);
    if (word.empty()) {
      out_ += rest_.front();
      rest_.remove_prefix(1);
    } else if (digit_groups(word) > 0 && is_identifier(word)) {
      mark();
    } else {
      words_without_digits(word);
    }
  }

  // "E1001" becomes "E#".
  void words_without_digits(std::string_view word) {
    while (!word.empty()) {
      out_ += take_while(word, [](char c) { return !is_digit(c); });
      if (!take_while(word, is_digit).empty()) mark();
    }
  }

  // Writes "#". What joins it to a mark before it goes: "127.0.0.1:80" and "2026-11-21T08:30" are
  // one thing each. So does a sign.
  void mark() {
    const auto size = out_.size();
    if (size >= 2 && out_[size - 2] == '#' && kJoints.find(out_.back()) != kJoints.npos) {
      out_.pop_back();
      return;
    }
    const bool has_sign = size > 0 && (out_[size - 1] == '-' || out_[size - 1] == '+');
    if (has_sign && (size == 1 || is_space(out_[size - 2]))) out_.pop_back();
    if (out_.empty() || out_.back() != '#') out_ += '#';
  }

  std::string_view rest_;
  std::size_t left_after_chunk_;  // size of rest_ at the end of the last chunk looked at
  std::string out_;
};

}  // namespace

std::string message_template(std::string_view message) {
  return TemplateWriter(first_line(message)).write();
}

}  // namespace weir
