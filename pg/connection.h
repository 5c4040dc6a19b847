// PostgreSQL for Weir's programs: libpq with lifetimes, and errors as values.
//
//   std::string error;
//   auto db = pg::Connection::open("", error);            // "" means the PG* environment variables
//   if (!db) return report(error);
//   auto rows = db->exec_params("SELECT position FROM read_position($1)", {stream});
//   if (!rows) return report(db->error().message);        // and db->sqlstate() says which error
//
//   auto copy = db->copy_in("COPY weir.events FROM STDIN (FORMAT binary)");
//   if (!copy || !copy->write(bytes) || !copy->finish()) …
//
// No call sits inside libpq while the server is silent, so that whoever lends a Patience hears of
// it and can give up. Only connecting blocks, for as long as connect_timeout (PGCONNECT_TIMEOUT)
// says: libpq alone can go on to the next host of several, and only when it does the waiting.
//
//   db->send("SELECT slow()", {}); … while (!db->has_answer()) do_something_else();
//   auto rows = db->take_answer();
//
// Not for two threads at once. Nothing throws but std::bad_alloc.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <postgresql/libpq-fe.h>

#include "pg/patience.h"

namespace weir::pg {

// SQLSTATEs that Weir acts on.
constexpr std::string_view kUndefinedTable = "42P01";
constexpr std::string_view kUndefinedSchema = "3F000";
constexpr std::string_view kUndefinedFunction = "42883";
constexpr std::string_view kInsufficientPrivilege = "42501";

// What went wrong last. `message` is a sentence without a newline; only it may be logged freely:
// `detail` and `context` may quote a row's contents.
struct Error {
  std::string sqlstate;  // five characters; empty when no server answered
  std::string message;
  std::string detail;
  std::string hint;
  std::string context;
  int position = 0;  // of the error in the statement, in characters from 1; 0: not known
};

// The rows that a statement returned.
class Result {
 public:
  explicit Result(PGresult* result) : result_(result) {}

  int rows() const { return PQntuples(result_.get()); }
  int columns() const { return PQnfields(result_.get()); }

  // The text of a value, none for NULL. It holds as long as this result.
  std::optional<std::string_view> value(int row, int column) const;

  // What was done, as "INSERT 0 1" or "COMMIT".
  std::string_view tag() const { return PQcmdStatus(result_.get()); }

  // Rows inserted, updated, copied or selected.
  std::uint64_t affected() const;

 private:
  struct Clear {
    void operator()(PGresult* result) const { PQclear(result); }
  };
  std::unique_ptr<PGresult, Clear> result_;
};

class Connection;

// A COPY … FROM STDIN under way. The connection must stay where it is and takes no other statement
// until finish() or abort(); a CopyIn that is dropped before aborts itself.
class CopyIn {
 public:
  ~CopyIn();
  CopyIn(CopyIn&& other) noexcept;
  CopyIn& operator=(CopyIn&&) = delete;

  // Sends bytes in COPY's format, cut wherever it suits. False: the connection broke. A row that
  // PostgreSQL does not like is not noticed here but in finish().
  [[nodiscard]] bool write(std::string_view bytes);

  // Ends the data and waits for PostgreSQL's word. The number of rows, or none with the reason in
  // the connection's error(). Binary format wants its trailer written before.
  [[nodiscard]] std::optional<std::uint64_t> finish();

  // Ends the COPY so that it fails and keeps no row. The transaction is then an aborted one.
  void abort();

 private:
  friend class Connection;
  explicit CopyIn(Connection& connection) : connection_(&connection) {}
  Connection* connection_;  // null: over
};

// A parameter of exec_params(); none means NULL.
using Param = std::optional<std::string>;

// What the server says unasked (warnings, its farewell). libpq prints it on standard error: nothing
// for a program whose log has a form of its own.
enum class Notices : std::uint8_t { drop, print };

class Connection {
 public:
  // Connects and waits for it. `conninfo` is a connection string, a URI, or the name of a database.
  // `patience`, if there is one, has to outlive the connection. None: `error` holds one sentence.
  // Of notices, those that come while it connects are printed in any case: libpq lets nobody say
  // otherwise before.
  static std::optional<Connection> open(const std::string& conninfo, std::string& error,
                                        const char* program = "weir", Patience* patience = nullptr,
                                        Notices notices = Notices::drop);

  // Runs statements separated by semicolons; the result is the last one's. None: see error().
  std::optional<Result> exec(const std::string& sql);

  // Runs one statement with $1, $2, … given as text. For a bytea, see hex(), for a
  // text[] array_of().
  std::optional<Result> exec_params(const std::string& sql, const std::vector<Param>& params);

  // The same for those who do not wait: send() sends, has_answer() looks whether take_answer()
  // would return at once. False of send(), none of take_answer(): see error().
  [[nodiscard]] bool send(const std::string& sql, const std::vector<Param>& params);
  bool has_answer();
  std::optional<Result> take_answer();

  // Starts `sql`, a COPY … FROM STDIN. None: see error().
  std::optional<CopyIn> copy_in(const std::string& sql);

  // The last failure of this connection; a success leaves it as it is.
  const Error& error() const { return error_; }
  const std::string& sqlstate() const { return error_.sqlstate; }

  // The connection is of no use any more: drop it and open another.
  bool is_broken() const { return given_up_ || PQstatus(connection_.get()) != CONNECTION_OK; }

  // Such as 150020 for 15.20.
  int server_version() const { return PQserverVersion(connection_.get()); }

  // The process that serves this session, as pg_stat_activity has it.
  int backend_pid() const { return PQbackendPID(connection_.get()); }

  // The socket, for poll() between statements; -1 when broken.
  int socket() const { return PQsocket(connection_.get()); }

 private:
  friend class CopyIn;
  struct Finish {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };
  using Clock = std::chrono::steady_clock;
  explicit Connection(PGconn* connection) : connection_(connection) {}

  bool put(std::string_view piece);
  bool end_copy(const char* why_not);
  bool flush();
  bool await_answer();
  bool wait(bool to_write);
  bool be_patient();
  PGresult* last_answer();
  std::optional<Result> keep(PGresult* result);
  void remember(const PGresult* result);

  std::unique_ptr<PGconn, Finish> connection_;
  Patience* patience_ = nullptr;
  bool given_up_ = false;
  Clock::time_point heard_{}, asked_patience_{};  // when bytes moved; when go_on() was called
  Error error_;
};

// `bytes` as the text of a bytea parameter: \x and hexadecimal digits.
std::string hex(std::string_view bytes);

// `texts` as the text of a text[] parameter: {"a","b"}.
std::string array_of(const std::vector<std::string>& texts);

}  // namespace weir::pg
