// What a process that serves requests has one of, on whichever server: its ways to Redis, its
// spool, the keeper that chooses between them, and its figures. Made after the fork and ended with
// the process.
//
//   Edge edge(settings, host);
//   edge.start();
//   edge.keeper.keep(record, replicas, customer, ticket);
//   at(edge.due(), [] { edge.tick(); });          // after every call that can change it
//   edge.leave();                                 // the process has to end, once !edge.busy()
//
// All calls come on one thread, but those of `metrics` that count.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/host/background.h"
#include "core/host/clock.h"
#include "core/host/log.h"
#include "core/http/answer.h"
#include "core/http/endpoint.h"
#include "core/keep/keeper.h"
#include "core/keep/status.h"
#include "core/metrics/metrics.h"
#include "core/redis/link.h"
#include "core/spool/settings.h"
#include "edge/redis_target.h"
#include "spool/spool.h"

namespace weir {

// What a configuration says for all of a server.
struct EdgeSettings {
  std::optional<RedisTarget> redis;  // none: nothing takes events, and there is no edge
  std::optional<SpoolSettings> spool;
  bool wants_replicas = false;  // in some location
};

// What the server lends to one of its processes. All of it outlives the edge.
struct Host {
  const Clock& clock;
  Log& log;
  RedisTransport& redis;
  RedisTransport& replicated;  // for records that replicas have to hold; used where some want it
  Background& background;      // used where there is a spool
  MetricsMemory& metrics;      // of all processes
  std::uint64_t process;       // as the metrics' memory knows it: the pid
  std::size_t number;          // of this process among those that serve, from 0: chooses the shard
};

// Whether a process that serves requests lives.
bool process_lives(std::uint64_t process);

class Edge final : private SpoolLog {
 private:
  const Host host_;  // before what is built with it

 public:
  using Time = Clock::Time;

  // `settings.redis` is there.
  Edge(const EdgeSettings& settings, const Host& host);
  ~Edge();
  Edge(const Edge&) = delete;
  Edge& operator=(const Edge&) = delete;

  // Looks for Redis, and into the spool. From here on, the process gives large blocks of memory
  // back to the system as they are freed.
  void start() noexcept;

  // As far as start() can tell, it is known how Redis is: a process that takes its first requests
  // only now refuses none that it need not refuse.
  bool settled() const { return redis.settled() && (!replicated || replicated->settled()); }

  // Of all processes that write to one stream, one looks after it and speaks of it. False at first.
  void speak(bool speaks) noexcept;

  // When to tick() next. Within a second, always.
  Time due() const noexcept;
  void tick() noexcept;

  // The process has to end, and may live on for long because of a slow client: the spool lets go of
  // its files, so that others can drain them. Records are still taken.
  void leave() noexcept;

  // Somebody waits for an answer: a process that has to leave waits too.
  bool busy() const noexcept;

  // What a location says that takes no events. `page` holds what the answer shows.
  Answer tell(Endpoint endpoint, std::string& page);

  Metrics metrics;
  RedisLink redis;
  std::unique_ptr<RedisLink> replicated;  // null: no location wants replicas
  std::optional<Spool> spool;
  Keeper keeper;  // it knows the others

 private:
  void publish() noexcept;
  KeepStatus status() const;
  KeepStatus status_for_health() const;

  void note(std::string_view sentence) noexcept override;
  void warn(std::string_view sentence) noexcept override;
  void say(Log::Level level, std::string_view sentence) noexcept;

  bool speaks_ = false;
  bool leaving_ = false;
  Time publish_at_{};
};

// What went wrong with a request that threw, for the log; call it inside a catch. It holds nothing
// of the request, and lies in `text`, or in static memory.
std::string_view exception_sentence(std::string& text) noexcept;

}  // namespace weir
