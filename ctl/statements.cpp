#include "ctl/statements.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace weir::ctl {
namespace {

constexpr std::size_t kNowhere = std::string_view::npos;

constexpr std::array<std::string_view, 6> kTransactionWords = {"begin",    "start", "commit",
                                                               "rollback", "end",   "abort"};

bool is_name_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool is_space(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

// What begins at a place of the text and has to be skipped as one, and where it ends. `end` is
// kNowhere when it never does.
struct Span {
  const char* kind;
  std::size_t end;
};

class Splitter {
 public:
  explicit Splitter(std::string_view sql) : sql_(sql) {}

  bool split();

  std::vector<Statement> statements;
  std::string error;
  int error_line = 0;

 private:
  bool at(std::size_t place, std::string_view word) const {
    return sql_.substr(place, word.size()) == word;
  }
  int line_at(std::size_t place) const {
    return 1 + static_cast<int>(
                   std::count(sql_.begin(), sql_.begin() + static_cast<long>(place), '\n'));
  }

  std::optional<Span> span_at(std::size_t place) const;
  std::size_t end_of_line(std::size_t place) const;
  std::size_t end_of_comment(std::size_t place) const;
  std::size_t end_of_quote(std::size_t place, bool backslashes) const;
  std::size_t end_of_dollar_quote(std::size_t place) const;
  bool is_dollar_quote(std::size_t place) const;
  bool is_escape_string(std::size_t quote) const;

  bool skip(const Span& span, std::size_t place);
  void see(std::size_t place);
  void end_statement(std::size_t place);
  bool fail(const char* kind, std::size_t place);

  std::string_view sql_;
  std::size_t place_ = 0;
  std::size_t begin_ = kNowhere;          // of the statement, once something of it was seen
  std::vector<std::size_t> parentheses_;  // open ones
};

bool Splitter::split() {
  while (place_ < sql_.size()) {
    const std::size_t place = place_;
    if (const auto span = span_at(place)) {
      if (!skip(*span, place)) return false;
      continue;
    }
    if (!is_space(sql_[place])) see(place);
    ++place_;
  }
  if (!parentheses_.empty()) return fail("parenthesis", parentheses_.back());
  end_statement(sql_.size());
  return true;
}

bool Splitter::skip(const Span& span, std::size_t place) {
  if (span.end == kNowhere) return fail(span.kind, place);
  const bool is_comment = span.kind == std::string_view("comment");
  if (!is_comment && begin_ == kNowhere) begin_ = place;
  place_ = span.end;
  return true;
}

void Splitter::see(std::size_t place) {
  const char c = sql_[place];
  if (c == ';' && parentheses_.empty()) return end_statement(place);
  if (begin_ == kNowhere) begin_ = place;
  if (c == '(') parentheses_.push_back(place);
  if (c == ')' && !parentheses_.empty()) parentheses_.pop_back();
}

void Splitter::end_statement(std::size_t place) {
  if (begin_ == kNowhere) return;
  statements.push_back({sql_.substr(begin_, place - begin_), line_at(begin_)});
  begin_ = kNowhere;
}

bool Splitter::fail(const char* kind, std::size_t place) {
  error = std::string("this ") + kind + " is never closed";
  error_line = line_at(place);
  return false;
}

std::optional<Span> Splitter::span_at(std::size_t place) const {
  if (at(place, "--")) return Span{"comment", end_of_line(place)};
  if (at(place, "/*")) return Span{"comment", end_of_comment(place)};
  if (at(place, "\"")) return Span{"quote", end_of_quote(place, false)};
  if (at(place, "'")) return Span{"quote", end_of_quote(place, is_escape_string(place))};
  if (is_dollar_quote(place)) return Span{"quote", end_of_dollar_quote(place)};
  return std::nullopt;
}

std::size_t Splitter::end_of_line(std::size_t place) const {
  return std::min(sql_.find('\n', place), sql_.size());
}

// Comments nest.
std::size_t Splitter::end_of_comment(std::size_t place) const {
  int depth = 0;
  for (; place < sql_.size(); ++place) {
    if (at(place, "/*")) {
      ++depth;
      ++place;
    } else if (at(place, "*/")) {
      ++place;
      if (--depth == 0) return place + 1;
    }
  }
  return kNowhere;
}

// A doubled quote ends one string and begins the next one: to us that is the same.
std::size_t Splitter::end_of_quote(std::size_t place, bool backslashes) const {
  const char quote = sql_[place];
  for (++place; place < sql_.size(); ++place) {
    if (sql_[place] == quote) return place + 1;
    if (backslashes && sql_[place] == '\\') ++place;
  }
  return kNowhere;
}

bool Splitter::is_escape_string(std::size_t quote) const {
  if (quote == 0 || (sql_[quote - 1] != 'e' && sql_[quote - 1] != 'E')) return false;
  return quote == 1 || !is_name_character(sql_[quote - 2]);
}

// $$ or $name$; not $1, and not a dollar inside a name.
bool Splitter::is_dollar_quote(std::size_t place) const {
  if (sql_[place] != '$' || (place > 0 && is_name_character(sql_[place - 1]))) return false;
  const std::size_t end = sql_.find('$', place + 1);
  if (end == kNowhere) return false;
  const std::string_view tag = sql_.substr(place + 1, end - place - 1);
  if (!tag.empty() && std::isdigit(static_cast<unsigned char>(tag.front())) != 0) return false;
  return std::all_of(tag.begin(), tag.end(), is_name_character);
}

std::size_t Splitter::end_of_dollar_quote(std::size_t place) const {
  const std::size_t tag_end = sql_.find('$', place + 1);
  const std::string_view tag = sql_.substr(place, tag_end - place + 1);
  const std::size_t end = sql_.find(tag, tag_end + 1);
  return end == kNowhere ? kNowhere : end + tag.size();
}

}  // namespace

std::optional<std::vector<Statement>> split_statements(std::string_view sql, std::string& error,
                                                       int& line) {
  Splitter splitter(sql);
  if (splitter.split()) return std::move(splitter.statements);
  error = std::move(splitter.error);
  line = splitter.error_line;
  return std::nullopt;
}

bool is_transaction_control(std::string_view statement) {
  std::string word;
  for (const char c : statement) {
    if (!is_name_character(c)) break;
    word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return std::find(kTransactionWords.begin(), kTransactionWords.end(), word) !=
         kTransactionWords.end();
}

int line_of_position(const Statement& statement, int position) {
  int line = statement.line;
  for (const char c : statement.text) {
    const bool continues = (static_cast<unsigned char>(c) & 0xC0) == 0x80;
    if (!continues && --position <= 0) break;
    if (c == '\n') ++line;
  }
  return line;
}

}  // namespace weir::ctl
