#include "pg/connection.h"

#include <poll.h>

#include <charconv>
#include <climits>
#include <cstring>
#include <utility>

#include "pg/one_line.h"

namespace weir::pg {
namespace {

constexpr char kDigits[] = "0123456789abcdef";

// PQputCopyData() counts in int, and buffers what it is given.
constexpr std::size_t kPiece = 1 << 20;

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
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, kPiece);
    if (!connection_->put(piece)) return false;
    bytes.remove_prefix(piece.size());
  }
  return true;
}

std::optional<std::uint64_t> CopyIn::finish() {
  Connection& connection = *std::exchange(connection_, nullptr);
  if (!connection.end_copy(nullptr)) return std::nullopt;
  const auto outcome = connection.take_answer();
  if (!outcome) return std::nullopt;
  return outcome->affected();
}

void CopyIn::abort() {
  if (connection_ == nullptr) return;
  Connection& connection = *std::exchange(connection_, nullptr);
  if (connection.is_broken() || !connection.end_copy("given up")) return;
  PQclear(connection.last_answer());
}

std::optional<Connection> Connection::open(const std::string& conninfo, std::string& error,
                                           const char* program, Patience* patience,
                                           Notices notices) {
  const char* const names[] = {"dbname", "fallback_application_name", nullptr};
  const char* const values[] = {conninfo.c_str(), program, nullptr};
  Connection connection(PQconnectdbParams(names, values, /*expand_dbname=*/1));
  if (connection.is_broken()) {
    error = one_line(PQerrorMessage(connection.connection_.get()));
    return std::nullopt;
  }
  if (notices == Notices::drop) {
    PQsetNoticeReceiver(
        connection.connection_.get(), [](void*, const PGresult*) {}, nullptr);
  }
  PQsetnonblocking(connection.connection_.get(), 1);
  connection.patience_ = patience;
  // "relation already exists, skipping" and its kin are no news.
  if (!connection.exec("SET client_min_messages = warning")) {
    error = connection.error().message;
    return std::nullopt;
  }
  return connection;
}

std::optional<Result> Connection::exec(const std::string& sql) {
  heard_ = Clock::now();
  if (given_up_ || PQsendQuery(connection_.get(), sql.c_str()) != 1) {
    remember(nullptr);
    return std::nullopt;
  }
  return take_answer();
}

std::optional<Result> Connection::exec_params(const std::string& sql,
                                              const std::vector<Param>& params) {
  if (!send(sql, params)) return std::nullopt;
  return take_answer();
}

bool Connection::send(const std::string& sql, const std::vector<Param>& params) {
  std::vector<const char*> values;
  values.reserve(params.size());
  for (const Param& param : params) values.push_back(param ? param->c_str() : nullptr);
  heard_ = Clock::now();
  const bool sent =
      !given_up_ &&
      PQsendQueryParams(connection_.get(), sql.c_str(), static_cast<int>(values.size()),
                        /*paramTypes=*/nullptr, values.data(), /*paramLengths=*/nullptr,
                        /*paramFormats=*/nullptr, /*resultFormat=*/0) == 1;
  if (!sent) {
    remember(nullptr);
    return false;
  }
  PQflush(connection_.get());  // the rest, if any, goes when the answer is asked for
  return true;
}

bool Connection::has_answer() {
  PGconn* raw = connection_.get();
  PQflush(raw);
  return given_up_ || PQconsumeInput(raw) != 1 || PQisBusy(raw) == 0;
}

std::optional<Result> Connection::take_answer() {
  PGresult* answer = last_answer();
  if (given_up_) {
    PQclear(answer);
    remember(nullptr);
    return std::nullopt;
  }
  return keep(answer);
}

std::optional<CopyIn> Connection::copy_in(const std::string& sql) {
  heard_ = Clock::now();
  PGresult* result = nullptr;
  if (!given_up_ && PQsendQuery(connection_.get(), sql.c_str()) == 1) result = last_answer();
  const Result answer(result);
  if (!given_up_ && PQresultStatus(result) == PGRES_COPY_IN) return CopyIn(*this);
  remember(result);
  return std::nullopt;
}

// Waiting -------------------------------------------------------------------------------------

bool Connection::put(std::string_view piece) {
  int done = 0;
  while (!is_broken() && done == 0) {
    done = PQputCopyData(connection_.get(), piece.data(), static_cast<int>(piece.size()));
    if (done == 0 && !wait(/*to_write=*/true)) break;
  }
  if (done == 1 && be_patient() && flush()) return true;
  remember(nullptr);
  return false;
}

bool Connection::end_copy(const char* why_not) {
  int done = 0;
  while (!is_broken() && done == 0) {
    done = PQputCopyEnd(connection_.get(), why_not);
    if (done == 0 && !wait(/*to_write=*/true)) break;
  }
  if (done == 1) return true;
  remember(nullptr);
  return false;
}

// Nothing piles up here: what was put goes out before more is taken.
bool Connection::flush() {
  for (;;) {
    const int left = PQflush(connection_.get());
    if (left == 0) {
      heard_ = Clock::now();
      return true;
    }
    if (left < 0 || !wait(/*to_write=*/true)) return false;
    if (PQconsumeInput(connection_.get()) != 1) return false;
  }
}

// Until PQgetResult() would not wait. False: given up.
bool Connection::await_answer() {
  PGconn* raw = connection_.get();
  while (!given_up_) {
    const int left = PQflush(raw);
    if (left == 0 && PQisBusy(raw) == 0) return true;
    if (!wait(/*to_write=*/left == 1)) return false;
    if (PQconsumeInput(raw) != 1) return true;
  }
  return false;
}

// One look at the socket. False: given up, or there is no socket any more.
bool Connection::wait(bool to_write) {
  pollfd place{PQsocket(connection_.get()),
               static_cast<short>(to_write ? POLLIN | POLLOUT : POLLIN), 0};
  if (place.fd < 0) return false;
  const int slice = patience_ == nullptr ? -1 : static_cast<int>(Patience::kSlice.count());
  if (poll(&place, 1, slice) > 0) heard_ = Clock::now();
  return be_patient();
}

bool Connection::be_patient() {
  const auto now = Clock::now();
  if (patience_ == nullptr || now - asked_patience_ < Patience::kSlice) return true;
  asked_patience_ = now;
  given_up_ =
      !patience_->go_on(std::chrono::duration_cast<std::chrono::milliseconds>(now - heard_));
  return !given_up_;
}

// What the statements that were sent came to: the last one's answer, or where a COPY begins. A
// server that ends the session says why first; what libpq says of the end itself tells less.
PGresult* Connection::last_answer() {
  PGresult* last = nullptr;
  while (await_answer()) {
    PGresult* next = PQgetResult(connection_.get());
    if (next == nullptr) break;
    const bool says_less = !field(last, PG_DIAG_SQLSTATE).empty() &&
                           field(next, PG_DIAG_SQLSTATE).empty() &&
                           PQresultStatus(next) == PGRES_FATAL_ERROR;
    PQclear(says_less ? next : std::exchange(last, next));
    if (PQresultStatus(last) == PGRES_COPY_IN || is_broken()) break;
  }
  return last;
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
  if (given_up_) error_.message = "the server does not answer";
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

std::string array_of(const std::vector<std::string>& texts) {
  std::string array = "{";
  for (const std::string& text : texts) {
    if (array.size() > 1) array += ',';
    array += '"';
    for (const char c : text) {
      if (c == '"' || c == '\\') array += '\\';
      array += c;
    }
    array += '"';
  }
  return array + '}';
}

}  // namespace weir::pg
