// One connection to Redis, kept up: connects, connects again whenever it is lost, and tells the
// operator. What the bytes mean is the courier's business (core/redis/courier.h); moving them is
// the server's, behind RedisTransport.
//
//   RedisLink link(settings, transport, clock, log, metrics);
//   link.start();
//   link.submit(record, customer, {});              // customer.settled() follows
//   at(link.due(), [] { link.tick(); });
//
//   +---------+ transport.connect() +------------+  opened()  +------+
//   | waiting | ------------------> | connecting | ---------> | open |  the courier is greeting
//   +---------+ <------------------ +------------+            +------+  or ready
//        ^         lost(), tick()                                 |
//        +--------------------------------------------------------+
//
// Of several addresses one is the master's. Whatever keeps an address from being ready (nobody
// there, a replica, a greeting without answer) sends the link to the next one at once; when all of
// them have failed, it waits. A connection that was ready is looked for at the same address first.
//
// All calls come on one thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/host/clock.h"
#include "core/host/log.h"
#include "core/metrics/metrics.h"
#include "core/redis/courier.h"
#include "core/redis/outage.h"
#include "core/redis/port.h"

namespace weir {

// A byte stream to Redis, as a server makes it. It belongs to one link, which it tells of what
// becomes of each connection by opened(), feed() and lost().
class RedisTransport {
 public:
  // Begins to connect to the link's address with this number. Returns 0, or an errno if that failed
  // at once, which is then not told again. opened() may come from inside.
  virtual int connect(std::size_t address) noexcept = 0;

  // Closes the connection, if there is one. Nothing more is told of it.
  virtual void disconnect() noexcept = 0;

  // There may be something to write, and due() may be another: both have to be looked at before the
  // server sleeps.
  virtual void changed() noexcept = 0;

 protected:
  ~RedisTransport() = default;
};

struct LinkSettings {
  std::string name;                    // of all addresses together, for the log
  std::vector<std::string> addresses;  // one or more, for the log
  CourierSettings courier;
};

class RedisLink final : public RedisPort, private CourierLog {
 public:
  using Time = Clock::Time;

  // All but the settings have to outlive it.
  RedisLink(LinkSettings settings, RedisTransport& transport, const Clock& clock, Log& log,
            Metrics& metrics);
  ~RedisLink();  // closes the connection and tells no customer: requests may be gone already
  RedisLink(const RedisLink&) = delete;
  RedisLink& operator=(const RedisLink&) = delete;

  void start() noexcept { connect(); }

  // Redis is ready, or was looked for in vain at every address: what start() can tell is known.
  bool settled() const { return was_ready_ || looked_everywhere_; }

  // Of the links of all processes to one stream this one speaks: of settings of Redis that can lose
  // events, and of the stream's oldest entry, which the others do not ask for.
  void speak(bool speaks) noexcept;

  Courier::Submitted submit(std::string_view record, Customer& customer,
                            Terms terms) noexcept override;
  bool takes() const noexcept override { return courier_.condition() == Courier::State::ready; }

  // For what there is to see of it.
  const Courier& courier() const { return courier_; }

  // Of the transport -------------------------------------------------------------------------

  void opened() noexcept;

  // `what` became of the connection, for the operator, with the errno that says why, or 0.
  void lost(const char* what, int error) noexcept;

  // What was read. False: the connection is closed by now, by transport.disconnect().
  bool feed(std::string_view bytes) noexcept;

  // What is to be written; the view ends with any other call. wrote() says how much of it was.
  std::string_view output() noexcept { return courier_.output(); }
  bool has_output() const { return courier_.has_output(); }
  void wrote(std::size_t bytes) noexcept { courier_.wrote(bytes); }

  // Time -------------------------------------------------------------------------------------

  // When to tick() next; none: not before something else happens.
  std::optional<Time> due() const;

  // Does what is due by now; a call too early does no harm. What has arrived must have been fed
  // before: an answer that waits to be read is not late.
  void tick() noexcept;

  // Somebody waits for an answer: a process that has to leave waits too.
  bool pressing() const { return courier_.pressing(); }

 private:
  enum class State : std::uint8_t { waiting, connecting, open };

  void connect() noexcept;
  bool next_address() noexcept;
  void tell_loss(const char* what, int error, std::chrono::milliseconds wait) noexcept;
  void count() noexcept;
  void say(Log::Level level, const char* beginning, std::string_view rest) noexcept;

  void ready() noexcept override;
  void warn(std::string_view sentence) noexcept override;
  void unsafe(std::string_view sentence) noexcept override;

  LinkSettings settings_;
  RedisTransport& transport_;
  const Clock& clock_;
  Log& log_;
  Metrics& metrics_;
  Courier courier_;
  CourierCounters counted_;
  std::uint64_t counted_openings_ = 0;
  Outage outage_;
  State state_ = State::waiting;
  std::optional<Time> due_;  // while waiting or connecting
  bool speaks_ = false;
  bool was_ready_ = false;            // this connection
  bool looked_everywhere_ = false;    // and found nobody, since Redis was ready last
  std::size_t address_ = 0;           // the one in use, or to be tried next
  std::size_t failed_addresses_ = 0;  // since one was ready, or all had failed
};

}  // namespace weir
