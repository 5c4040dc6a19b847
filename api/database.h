// Questions to PostgreSQL whose answers come later. The server asks through this interface; pool.h
// is what stands behind it, and tests put their own there.
//
//   auto query = std::make_shared<Query>();
//   query->sql = "SELECT tenant FROM weir_api.tenants($1)";  // a constant, never put together
//   query->params = {viewer};
//   query->on_row = [](const Row& row) { … row.value(0) … };
//   query->on_end = [](const Failure* failure) { … };     // null: all rows have come
//   database.run(query);
//   database.cancel(*query);                              // on_end is then not called any more
//
// on_end is called once, never from within run(); after it, or after cancel(), the query's
// functions are dropped, with what they hold. cancel() must not be called from within on_row. A
// query may be `paused` by its on_row: no more rows are then read, nor taken from the socket, until
// resume().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::api {

struct Failure {
  enum class Kind : std::uint8_t {
    away,       // PostgreSQL cannot be reached, is starting or is leaving
    busy,       // too many ask at once
    too_slow,   // statement_timeout
    forbidden,  // PostgreSQL says that this viewer may not
    argument,   // PostgreSQL does not take an argument; `parameter` may say which
    too_large,  // the answer is larger than one may be
    schema,     // what is asked for is not there: the schema is older than this program
    broken,     // anything else
  };
  Kind kind = Kind::broken;
  std::string sentence;  // for the log, and but for `broken` for the client too
  std::string parameter{};
};

class Row {
 public:
  virtual int columns() const = 0;
  virtual std::string_view name(int column) const = 0;
  virtual std::optional<std::string_view> value(int column) const = 0;  // none: NULL

 protected:
  ~Row() = default;
};

struct Query {
  std::string owner{};  // on whose behalf: each has a share of the sessions
  std::string_view sql{};
  std::vector<std::optional<std::string>> params{};
  // Once before the first row, or before the end where there is none: its columns have no values.
  std::function<void(const Row&)> on_columns = [](const Row&) {};
  std::function<void(const Row&)> on_row = [](const Row&) {};
  std::function<void(const Failure*)> on_end = [](const Failure*) {};
  bool paused = false;
};

// Tells the end, and lets go of what the query's functions hold.
void end_query(const std::shared_ptr<Query>& query, const Failure* failure);
void forget_functions(Query& query);

class Database {
 public:
  virtual void run(const std::shared_ptr<Query>& query) = 0;
  virtual void cancel(Query& query) = 0;
  virtual void resume(Query& query) = 0;

 protected:
  ~Database() = default;
};

}  // namespace weir::api
