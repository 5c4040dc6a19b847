// A bounded number of sessions of PostgreSQL, and a bounded queue of those who wait for one.
//
//   Pool pool(loop, settings, log);
//   pool.run(query);                 // see database.h
//   pool.status().why_away;          // "" while PostgreSQL can be asked
//
// Those who wait take turns by whose question it is (fair_queue.h), and nobody has all sessions:
// one is always left for others, if there is more than one. A session that rests after who had it
// left counts as his.
//
// At its bounds: a queue that is full, or a wait of more than queue_time, ends a query as `busy`.
// With an allowance (allowance.h) those who wait do so too while it lets nobody begin; and while it
// is short a figure is one process of PostgreSQL alone.
//
// While PostgreSQL is away queries end as `away` at once, and the pool tries again by itself, after
// 0.1 s at first and 2 s at most. There is always a session at least, so that an outage is known
// before anybody asks.
//
// A session whose query was cancelled is closed and its place rests for PgSession::kCheckInterval,
// by which PostgreSQL has noticed: so there are never more than `sessions` at work there, however
// fast clients leave.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "api/database.h"

namespace boost::asio {
class io_context;
}

namespace weir::api {

class Allowance;

struct PoolSettings {
  std::string conninfo;
  std::size_t sessions = 4;
  std::size_t queue = 256;
  std::chrono::milliseconds queue_time{5000};
  std::chrono::milliseconds statement_time{10'000};
  Allowance* allowance = nullptr;  // lives longer than the pool; null: they may work all the time
};

struct PoolStatus {
  std::string why_away;
  std::size_t sessions = 0, busy = 0, waiting = 0;
  std::uint64_t queries = 0, cancelled = 0, refused = 0;
};

class Pool final : public Database {
 public:
  // Told when PostgreSQL goes away ("" for the reason: has come back).
  using OnChange = std::function<void(const std::string& why_away)>;

  Pool(boost::asio::io_context& loop, PoolSettings settings, OnChange on_change);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  void run(const std::shared_ptr<Query>& query) override;
  void cancel(Query& query) override;
  void resume(Query& query) override;

  PoolStatus status() const;
  void close();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace weir::api
