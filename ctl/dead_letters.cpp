#include "ctl/dead_letters.h"

#include <charconv>
#include <utility>

#include "ctl/database.h"
#include "ctl/terminal.h"

namespace weir::ctl {
namespace {

// $1 to $6 are the filter. Payloads have at most 1 MiB, so a page with them has at most 16.
const std::string kPage =
    "SELECT id, tenant_id, received_at, reason, coalesce(length(payload), 0)"
    " FROM weir.find_dead_letters($1, $2, $3, $4, $5, $6) LIMIT 500";
const std::string kPageWithPayloads =
    "SELECT id, tenant_id, received_at, reason, coalesce(length(payload), 0), encode(payload, "
    "'hex')"
    " FROM weir.find_dead_letters($1, $2, $3, $4, $5, $6) LIMIT 16";
const std::string kCount = "SELECT count(*) FROM weir.find_dead_letters($1, $2, $3, $4, $5, $6)";
const std::string kJson =
    "SELECT json_build_object('id', id, 'tenant_id', tenant_id, 'received_at', received_at,"
    " 'reason', reason, 'bytes', coalesce(length(payload), 0))"
    " FROM weir.find_dead_letters($1, $2, $3, $4, $5, $6) LIMIT 500";
const std::string kByReason =
    "SELECT format('%s  %s  %s  ', lpad(count(*)::text, 9), min(received_at), max(received_at)), "
    "reason"
    " FROM weir.find_dead_letters($1, $2, $3, $4, $5, $6) GROUP BY reason ORDER BY count(*) DESC, "
    "reason";
const std::string kByReasonAsJson =
    "SELECT json_build_object('reason', reason, 'count', count(*), 'oldest', min(received_at),"
    " 'newest', max(received_at)), ''"
    " FROM weir.find_dead_letters($1, $2, $3, $4, $5, $6) GROUP BY reason ORDER BY count(*) DESC, "
    "reason";
const std::string kRemove = "DELETE FROM weir.dead_letters WHERE tenant_id = $1 AND id = $2";

constexpr std::size_t kMostReason = 160;  // of bytes in a table

pg::Param unless_empty(const std::string& text) {
  return text.empty() ? pg::Param() : pg::Param(text);
}

pg::Param list_of(const std::vector<std::int64_t>& ids) {
  if (ids.empty()) return std::nullopt;
  std::string list = "{";
  for (const std::int64_t id : ids) list += (list.size() > 1 ? "," : "") + std::to_string(id);
  return list + "}";
}

std::int64_t number_of(std::string_view digits) {
  std::int64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

std::string bytes_of(std::string_view hex) {
  std::string bytes;
  bytes.reserve(hex.size() / 2);
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    unsigned char byte = 0;
    std::from_chars(hex.data() + i, hex.data() + i + 2, byte, 16);
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

}  // namespace

std::optional<DeadLetters> DeadLetters::open(const std::string& conninfo, Filter filter,
                                             std::string& error) {
  auto db = connect(conninfo, error);
  if (!db) return std::nullopt;
  DeadLetters letters(std::move(*db), std::move(filter));
  if (!letters.db_.exec(
          "SET client_encoding = 'UTF8'; SET timezone = 'UTC'; SET datestyle = 'ISO'")) {
    error = letters.sentence();
    return std::nullopt;
  }
  return letters;
}

std::optional<std::vector<DeadLetter>> DeadLetters::next(Payload payload, std::string& error) {
  const bool whole = payload == Payload::yes;
  const auto rows = ask(whole ? kPageWithPayloads : kPage, error);
  if (!rows) return std::nullopt;
  std::vector<DeadLetter> page;
  for (int row = 0; row < rows->rows(); ++row) {
    const auto text = [&](int column) { return rows->value(row, column).value_or(""); };
    page.push_back({number_of(text(0)), std::string(text(1)), std::string(text(2)),
                    std::string(text(3)), number_of(text(4)),
                    whole ? bytes_of(text(5)) : std::string()});
    after_ = page.back().id;
  }
  return page;
}

std::optional<std::int64_t> DeadLetters::count(std::string& error) {
  const auto rows = ask(kCount, error);
  if (!rows) return std::nullopt;
  return number_of(rows->value(0, 0).value_or(""));
}

std::optional<std::vector<std::string>> DeadLetters::lines_by_reason(bool json,
                                                                     std::string& error) {
  return lines(json ? kByReasonAsJson : kByReason, error);
}

std::optional<std::vector<std::string>> DeadLetters::json_lines(std::string& error) {
  const auto page = next(Payload::no, error);
  if (!page) return std::nullopt;
  const std::int64_t end = after_;
  if (!page->empty()) after_ = page->front().id - 1;
  auto texts = lines(kJson, error);
  after_ = end;
  return texts;
}

std::optional<std::vector<std::string>> DeadLetters::lines(const std::string& sql,
                                                           std::string& error) {
  const auto rows = ask(sql, error);
  if (!rows) return std::nullopt;
  std::vector<std::string> texts;
  for (int row = 0; row < rows->rows(); ++row) {
    texts.emplace_back(rows->value(row, 0).value_or(""));
    if (rows->columns() > 1) {
      texts.back() += terminal_text(rows->value(row, 1).value_or(""), kMostReason);
    }
  }
  return texts;
}

bool DeadLetters::remove(const DeadLetter& letter, std::string& error) {
  const auto done = db_.exec_params(kRemove, {letter.tenant, std::to_string(letter.id)});
  if (!done) error = sentence();
  return done.has_value();
}

std::optional<pg::Result> DeadLetters::ask(const std::string& sql, std::string& error) {
  auto rows = db_.exec_params(sql, {list_of(filter_.ids), unless_empty(filter_.tenant),
                                    unless_empty(filter_.reason), unless_empty(filter_.older_than),
                                    unless_empty(filter_.newer_than), std::to_string(after_)});
  if (!rows) error = sentence();
  return rows;
}

std::string DeadLetters::sentence() const {
  const std::string& state = db_.sqlstate();
  const std::string& message = db_.error().message;
  if (state == pg::kUndefinedFunction || state == pg::kUndefinedSchema) {
    return "this database lacks the schema of this release: run `weirctl migrate` on it (" +
           message + ")";
  }
  if (state == pg::kInsufficientPrivilege) {
    return message + ": connect as weir_operator, who looks after dead letters";
  }
  return "PostgreSQL refuses: " + message;
}

}  // namespace weir::ctl
