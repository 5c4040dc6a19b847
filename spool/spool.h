// The spool of one worker: keeps records on the disk while Redis cannot take them, and sends them
// to Redis afterwards, with whatever dead workers left in the directory.
//
//   Spool spool(settings, background, log);
//   spool.start(now);                                // looks at the directory, in the background
//   if (!spool.submit(record, customer)) …           // SpoolWriter
//   spool.tick(now, redis_is_ready ? &sink : nullptr);
//   start_timer(spool.due());                        // after each tick()
//
// It lives on a server's loop: all calls, Job::done() and DrainSink's answers come on one thread,
// and no call waits for the disk. What does, runs by Background. docs/spool.md draws a segment's
// life.
//
// Bounds: what waits for a sync is at most kMostWaiting records and kMostWaitingBytes (or one
// record), the same again while it is written; past it submit() is false. Draining holds one chunk
// of a segment (1 MiB, or one record) and offers at most 512 records and 1 MiB (or one record) at a
// time.
//
// Ends: the destructor closes the files and changes none of them. What this worker left is taken
// over by others. Before it, Background must be done with every job or have let go of them for
// good, and the sink must have forgotten its customers.
#pragma once

#include <chrono>
#include <memory>

#include "core/host/background.h"
#include "core/spool/drain_sink.h"
#include "core/spool/log.h"
#include "core/spool/settings.h"
#include "core/spool/writer.h"

namespace weir {

class Files;  // spool/files.h

class Spool final : public SpoolWriter {
 public:
  using Time = std::chrono::steady_clock::time_point;

  static constexpr std::size_t kMostRecord = 256U << 20;
  static constexpr std::size_t kMostWaiting = 65536;
  // All that a courier has in flight (CourierSettings::max_output) changes over at one moment.
  static constexpr std::size_t kMostWaitingBytes = 64U << 20;

  // `files` is for tests; it outlives the spool.
  Spool(const SpoolSettings& settings, Background& background, SpoolLog& log,
        Files* files = nullptr);
  ~Spool();
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  // Before any submit().
  void start(Time now) noexcept;

  bool submit(std::string_view record, SpoolCustomer& customer,
              std::uint8_t replicas = 0) noexcept override;
  SpoolStatus status() const noexcept override;

  // Looks at the directory about each second, drains while there is a `sink` (null: Redis is not
  // ready), tries again after failures. `now` must not go back.
  void tick(Time now, DrainSink* sink) noexcept;

  // When to tick next. Ask after each tick(): it is near while there is something to drain, and
  // within a second always. Housekeeping: a worker that is told to quit need not wait for it.
  Time due() const noexcept;

  // This worker was told to quit, and may live on for long because of a slow client: it lets go of
  // what it holds as soon as that is not in use, so that others can drain it. It still takes
  // records.
  void leave() noexcept;

  // Customers wait for a sync: a worker that is told to quit has to wait for them.
  bool busy() const noexcept;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace weir
