// The flusher's session in PostgreSQL: connected, of the right schema, with its temporary tables.
//
//   Database database(options.postgres, watch);
//   std::string error;
//   switch (database.open(error)) { case Open::ready: … case Open::away: … case Open::refused: … }
//   auto position = database.read_position("weir:{0}");
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "flusher/sqlstate.h"
#include "flusher/stream_id.h"
#include "pg/connection.h"

namespace weir::flusher {

class Database {
 public:
  // `patience` is asked while PostgreSQL lets us wait.
  Database(std::string conninfo, pg::Patience& patience);

  enum class Open : std::uint8_t {
    ready,
    away,     // try again later
    refused,  // no use: `error` says what the operator has to do
  };
  Open open(std::string& error);
  void close() { connection_.reset(); }
  bool is_open() const { return connection_.has_value(); }

  // The position of the last batch; no value inside if there never was one. None: see error().
  std::optional<std::optional<StoredPosition>> read_position(const std::string& stream);

  // Makes partitions ahead of need: how many, or none, see error().
  std::optional<int> make_partitions();

  // Of `others` and of streams that were stored from before, those that no flusher that lives is
  // ready to read. None: see error().
  std::optional<std::vector<std::string>> unread_streams(const std::vector<std::string>& others);

  // False if an idle session has ended, as it does when PostgreSQL restarts.
  bool is_alive();

  // What went wrong last, for the log: never a row's contents.
  std::string error() const;

  pg::Connection& connection() { return *connection_; }

 private:
  Open check_schema(std::string& error);

  std::string conninfo_;
  pg::Patience& patience_;
  std::optional<pg::Connection> connection_;
};

// What the connection's last failure means for the batch.
Fault fault_of(const pg::Connection& connection);

}  // namespace weir::flusher
