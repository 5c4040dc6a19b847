#include "pg/connection.h"

#include <charconv>
#include <climits>
#include <cstring>
#include <utility>

namespace weir::pg {
namespace {

constexpr char kDigits[] = "0123456789abcdef";

// PQputCopyData() counts in int, and buffers what it is given.
constexpr std::size_t kPiece = 1 << 20;

// libpq ends its messages with a newline, and sometimes has several lines: one sentence, please.
std::string one_line(std::string_view text) {
  std::string line;
  for (const char c : text) {
    const bool blank = c == '\n' || c == '\t' || c == ' ';
    if (!blank) {
      line += c;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  if (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

std::string field(const PGresult* result, int code) {
  const char* text = PQresultErrorField(result, code);
  return text == nullptr ? std::string() : std::string(text);
}

int number(std::string_view digits) {
  int value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

}  // namespace

std::optional<std::string_view> Result::value(int row, int column) const {
  if (PQgetisnull(result_.get(), row, column) != 0) return std::nullopt;
  return std::string_view(PQgetvalue(result_.get(), row, column),
                          static_cast<std::size_t>(PQgetlength(result_.get(), row, column)));
}

std::uint64_t Result::affected() const {
  const char* digits = PQcmdTuples(result_.get());
  std::uint64_t count = 0;
  std::from_chars(digits, digits + std::strlen(digits), count);
  return count;
}

CopyIn::CopyIn(CopyIn&& other) noexcept : connection_(std::exchange(other.connection_, nullptr)) {}

CopyIn::~CopyIn() { abort(); }

bool CopyIn::write(std::string_view bytes) {
  PGconn* connection = connection_->connection_.get();
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, kPiece);
    if (PQputCopyData(connection, piece.data(), static_cast<int>(piece.size())) != 1) {
      connection_->remember(nullptr);
      return false;
    }
    bytes.remove_prefix(piece.size());
  }
  return true;
}

std::optional<std::uint64_t> CopyIn::finish() {
  Connection& connection = *std::exchange(connection_, nullptr);
  PGconn* raw = connection.connection_.get();
  if (PQputCopyEnd(raw, nullptr) != 1) {
    connection.remember(nullptr);
    return std::nullopt;
  }
  std::optional<Result> outcome = connection.keep(PQgetResult(raw));
  while (PGresult* rest = PQgetResult(raw)) PQclear(rest);
  if (!outcome) return std::nullopt;
  return outcome->affected();
}

void CopyIn::abort() {
  if (connection_ == nullptr) return;
  PGconn* raw = std::exchange(connection_, nullptr)->connection_.get();
  if (PQputCopyEnd(raw, "given up") != 1) return;
  while (PGresult* rest = PQgetResult(raw)) PQclear(rest);
}

std::optional<Connection> Connection::open(const std::string& conninfo, std::string& error,
                                           const char* program) {
  const char* const names[] = {"dbname", "fallback_application_name", nullptr};
  const char* const values[] = {conninfo.c_str(), program, nullptr};
  Connection connection(PQconnectdbParams(names, values, /*expand_dbname=*/1));
  if (connection.is_broken()) {
    error = one_line(PQerrorMessage(connection.connection_.get()));
    return std::nullopt;
  }
  // "relation already exists, skipping" and its kin are no news.
  if (!connection.exec("SET client_min_messages = warning")) {
    error = connection.error().message;
    return std::nullopt;
  }
  return connection;
}

std::optional<Result> Connection::exec(const std::string& sql) {
  return keep(PQexec(connection_.get(), sql.c_str()));
}

std::optional<Result> Connection::exec_params(const std::string& sql,
                                              const std::vector<Param>& params) {
  std::vector<const char*> values;
  values.reserve(params.size());
  for (const Param& param : params) values.push_back(param ? param->c_str() : nullptr);
  return keep(PQexecParams(connection_.get(), sql.c_str(), static_cast<int>(values.size()),
                           /*paramTypes=*/nullptr, values.data(), /*paramLengths=*/nullptr,
                           /*paramFormats=*/nullptr, /*resultFormat=*/0));
}

std::optional<CopyIn> Connection::copy_in(const std::string& sql) {
  PGresult* result = PQexec(connection_.get(), sql.c_str());
  if (PQresultStatus(result) == PGRES_COPY_IN) {
    PQclear(result);
    return CopyIn(*this);
  }
  const Result failed(result);
  remember(result);
  return std::nullopt;
}

void Connection::drop_notices() {
  PQsetNoticeReceiver(
      connection_.get(), [](void*, const PGresult*) {}, nullptr);
}

// Takes the result over: as a value if it is one, as error() if not.
std::optional<Result> Connection::keep(PGresult* result) {
  Result kept(result);
  switch (PQresultStatus(result)) {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_EMPTY_QUERY:
      return kept;
    default:
      remember(result);
      return std::nullopt;
  }
}

// A null result, or one that libpq made itself, holds no fields: the connection knows the message.
void Connection::remember(const PGresult* result) {
  error_ = Error();
  error_.sqlstate = field(result, PG_DIAG_SQLSTATE);
  error_.message = one_line(field(result, PG_DIAG_MESSAGE_PRIMARY));
  error_.detail = one_line(field(result, PG_DIAG_MESSAGE_DETAIL));
  error_.hint = one_line(field(result, PG_DIAG_MESSAGE_HINT));
  error_.context = one_line(field(result, PG_DIAG_CONTEXT));
  error_.position = number(field(result, PG_DIAG_STATEMENT_POSITION));
  if (error_.message.empty()) error_.message = one_line(PQerrorMessage(connection_.get()));
  if (error_.message.empty()) {
    error_.message = std::string("unexpected ") + PQresStatus(PQresultStatus(result));
  }
}

std::string hex(std::string_view bytes) {
  std::string text = "\\x";
  text.reserve(2 + 2 * bytes.size());
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

}  // namespace weir::pg
