// Carries records to Redis, without a socket: bytes to write come out, bytes that were read go in.
// nginx moves them over its own connection and events, Apache over poll(); the rules are here.
//
//   Courier courier(settings, events);
//   courier.connected(now);                     // the socket is up: the greeting is in output()
//   courier.submit(record, customer, now, &ticket);
//   write(fd, courier.output()); courier.wrote(n);
//   if (!courier.feed(bytes, now)) reconnect;    // customers are told, in order
//   if (courier.expire(now)) reconnect;          // call it at deadline()
//
//             connected()            last greeting reply
//   +------+ ------------> +----------+ ------------> +-------+
//   | away |               | greeting |               | ready |  submit() takes records
//   +------+ <------------ +----------+ <------------ +-------+  only here
//             closed(), feed() or expire() that tell the caller to reconnect
//
// feed() and expire() leave those still waiting as they are; closed(), which has to follow, reports
// them. In between, and until the next connected(), nothing is taken and output() is empty.
//
// A Redis that hangs accepts connections but answers nothing, so the courier stays in `greeting`
// and submit() says so at once: no request waits for a server that is known not to answer.
// Records whose answer is missing when the connection goes are reported lost; Redis may hold them
// all the same, which is harmless, since storing is idempotent by event_id.
//
// A command's bytes stay in the output buffer until it is answered, so that a customer that has to
// put its record elsewhere is handed it, and nobody needs a copy for that.
//
// Memory: CourierSettings bound what waits and its bytes, ReplyReader what is read. A submit() and
// its reply allocate nothing once the buffers have grown to what the load needs.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/redis/greeting.h"
#include "core/redis/outbox.h"
#include "core/redis/resp.h"
#include "core/redis/ring.h"
#include "core/redis/warnings.h"

namespace weir {

struct CourierSettings {
  std::string stream;                       // the key to XADD to
  std::string user;                         // for AUTH; empty: Redis' default user
  std::string password;                     // this and user empty: no AUTH
  std::chrono::milliseconds timeout{2000};  // for each answer, the greeting's too
  std::size_t max_waiting = 16384;          // records in flight
  std::size_t max_output = 64 << 20;        // bytes of commands not yet answered
};

// What became of a record.
enum class Outcome : std::uint8_t {
  acknowledged,  // Redis has it
  refused,       // Redis answered with an error (-OOM, -READONLY, -MISCONF, …)
  late,          // no answer soon enough; it is still on its way, and Redis may take it yet
  timed_out,     // no answer within CourierSettings::timeout
  lost,          // the connection ended first
};

// Someone who handed in a record. settled() is called exactly once unless cancel() came first, from
// inside feed(), expire() or closed(); it may submit() and cancel(), its own customer too, but call
// nothing else of the courier and not destroy it.
//
// `record` is what was submitted, for whoever wants to keep it elsewhere; empty where it was
// acknowledged. It lies in the courier's buffer until settled() returns or submits something.
class Customer {
 public:
  virtual void settled(Outcome outcome, std::string_view record) noexcept = 0;

 protected:
  ~Customer() = default;
};

// What an operator should hear. Sentences are complete, hold no secret and nothing unprintable, and
// end without a full stop or a newline, so that a server can add to them. The same sentence comes
// again only after something else was said in its place, and refused records are spoken of at most
// once a second, with their number.
class CourierLog {
 public:
  virtual void ready() noexcept = 0;
  virtual void warn(std::string_view sentence) noexcept = 0;

  // A setting of Redis can lose events, or could not be looked at. Every courier of a server finds
  // the same, so it is enough that one of them says it loudly.
  virtual void unsafe(std::string_view sentence) noexcept { warn(sentence); }

 protected:
  ~CourierLog() = default;
};

class Courier {
 public:
  using Clock = std::chrono::steady_clock;
  using Time = Clock::time_point;
  using Ticket = std::uint64_t;

  enum class State : std::uint8_t { away, greeting, ready, refusing };
  static constexpr std::chrono::seconds kRefusingFor{5};
  enum class Submitted : std::uint8_t {
    taken,
    away,  // not ready: answer 503 (later: spool) at once
    full,  // max_waiting or max_output reached, or no memory
  };

  Courier(CourierSettings settings, CourierLog& log);
  ~Courier();
  Courier(const Courier&) = delete;
  Courier& operator=(const Courier&) = delete;

  // away, greeting or ready.
  State state() const { return state_; }

  // The same for those who ask from outside: `refusing` where Redis is ready but answered the last
  // record with an error (-OOM, -READONLY, …). That holds for kRefusingFor: where nobody sends
  // because of it, somebody has to try again.
  State condition(Time now) const;

  // The socket is connected. Puts AUTH, the checks of Redis' settings and a look at the stream into
  // output(); ready once they are answered.
  void connected(Time now) noexcept;

  // The socket is gone, for whatever reason. Everything in flight is reported lost.
  void closed() noexcept;

  // Copies `record` into the output as one XADD. With Submitted::taken, `customer` will be told
  // what became of it; it must live until then or until cancel(ticket). `ticket` may be null. `now`
  // must not go back between calls; a server's cached time will do.
  Submitted submit(std::string_view record, Customer& customer, Time now, Ticket* ticket) noexcept;

  // `customer` is gone: its answer will be dropped. Its record stays on its way, and goes on
  // counting as one in flight. Does nothing for a ticket that is settled.
  void cancel(Ticket ticket) noexcept;

  // Bytes to write; call wrote() with how many went out. The view ends with any other call.
  std::string_view output() const noexcept;
  void wrote(std::size_t bytes) noexcept;

  // Takes what was read. False: what Redis says makes no sense, or it refused the greeting; the
  // reason went to the log, and the caller closes the socket and calls closed(). What was answered
  // before that has been reported.
  [[nodiscard]] bool feed(std::string_view bytes, Time now) noexcept;

  // When expire() has to be called next; none while nothing is awaited.
  std::optional<Time> deadline() const;

  // True if the oldest answer is overdue: the overdue are reported timed_out, the rest stay until
  // the caller closes the socket and calls closed(). A server reads what has arrived before it
  // looks at its timers, lest a worker that was held up take its own delay for Redis'.
  [[nodiscard]] bool expire(Time now) noexcept;

  // Records in flight, cancelled ones too.
  std::size_t waiting() const { return waiting_.size(); }

 private:
  struct Waiting {
    Customer* customer;  // null: cancelled
    Time since;
    std::uint32_t command;  // bytes of all of it
    std::uint32_t record;   // bytes of the record, which is its last word
  };

  void hang_up();
  bool fail(std::string sentence);
  bool take_all(Time now);
  bool take(const Reply& reply, Time now);
  bool take_greeting(const Reply& reply);
  void settle_oldest(Outcome outcome);
  bool has_room(std::size_t bytes) const;
  std::string_view record_of(const Waiting& waiting) const;

  CourierSettings settings_;
  CourierLog& log_;
  Warnings warnings_{log_};
  Greeting greeting_{settings_, warnings_};
  State state_ = State::away;
  Time greeted_{};
  Time refusing_until_{};
  Outbox outbox_;
  Ring<Waiting> waiting_;    // the records, oldest first; the last one's ticket is next_ticket_ - 1
  Ticket next_ticket_ = 0;   // never starts over, so that an old ticket finds nobody
  std::string xadd_prefix_;  // the command up to the record
  ReplyReader reader_;
};

}  // namespace weir
