// One session of PostgreSQL over asynchronous libpq: connects, sets itself up, prepares each
// statement once, and answers one query after the other, row by row.
//
//   resting ──connect()──► connecting ──► setting ──► warming ──► idle ⇄ busy
//      ▲                        │            │           │         │      │
//      └────────────────────────┴───lost()───┴───────────┴─────────┴──────┘
//
// While it is warming, PostgreSQL plans what the key figures read, of nobody: else the first caller
// of a session would wait for that. A database that has no such function yet is asked all the same.
//
// A query may be answered `alone`: by the session's own process, without PostgreSQL's parallel
// workers. max_parallel_workers is what PostgreSQL looks at when it would start them, also for a
// plan that was made before.
//
// A query that is not wanted any more is ended by closing the session (drop()): PostgreSQL looks
// every kCheckInterval whether its client is still there, and ends what it does for one that left.
// So no cancel request has to be sent, which would block, and could meet the next query instead.
//
// Only the look-up of a host's name blocks, inside of libpq; a socket's path or an address needs
// none.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "api/database.h"

namespace boost::asio {
class io_context;
}

namespace weir::api {

class PgSession {
 public:
  using Time = std::chrono::steady_clock::time_point;
  enum class State : std::uint8_t { resting, connecting, setting, warming, idle, busy };

  static constexpr std::chrono::milliseconds kCheckInterval{500};
  static constexpr std::chrono::seconds kConnectTime{5};

  struct Events {
    std::function<void(PgSession&)> ready;  // is idle now
    // Rests now, and why; and whether it had been one that could be asked.
    std::function<void(PgSession&, const std::string&, bool was_open)> lost;
  };

  PgSession(boost::asio::io_context& loop, std::chrono::milliseconds statement_time, Events events);
  ~PgSession();
  PgSession(const PgSession&) = delete;
  PgSession& operator=(const PgSession&) = delete;

  void connect(const std::string& conninfo);
  void run(const std::shared_ptr<Query>& query, bool alone);
  void resume();

  // Closes the session, without a word to anybody.
  void drop();

  // Closes it if it has kept its caller waiting for too long.
  void check(Time now);

  State state() const;
  const Query* query() const;  // null unless busy
  Time rest_until{};           // for the pool's use

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace weir::api
