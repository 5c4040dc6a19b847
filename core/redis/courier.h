// Carries records to Redis, without a socket: bytes to write come out, bytes that were read go in.
// nginx moves them over its own connection and events, Apache over poll(); the rules are here.
//
//   Courier courier(settings, log);
//   courier.connected(now);                     // the socket is up: the greeting is in output()
//   courier.submit(record, customer, now, &ticket);
//   write(fd, courier.output()); courier.wrote(n);
//   if (!courier.feed(bytes, now)) reconnect;    // customers are told, in order
//   if (courier.expire(now)) reconnect;          // call it at deadline(), and then
//   courier.ask(now);
//
//             connected()            last greeting reply
//   +------+ ------------> +----------+ ------------> +-------+
//   | away |               | greeting |               | ready |  submit() takes records only here,
//   +------+ <------------ +----------+ <------------ +-------+  and only if the breaker lets it
//             closed(), feed() or expire() that tell the caller to reconnect
//
// feed() and expire() leave those still waiting as they are; closed(), which has to follow, reports
// them. In between, and until the next connected(), nothing is taken and output() is empty.
//
// A Redis that hangs accepts connections but answers nothing, so the courier stays in `greeting`
// and submit() says so at once: no request waits for a server that is known not to answer. One that
// begins to hang shows in a record, or in the look at the stream that is taken each second, that is
// not answered within the patience. Then the breaker opens (core/redis/breaker.h), and since Redis
// answers in order, everything behind it is late too. What is late stays in the queue until it is
// answered or the connection ends; only then is Redis tried again.
//
// Any error to a record opens the breaker as well. Each of them is about the server or the stream,
// never about that record, but one: a record that is longer than Redis' proto-max-bulk-len is
// answered with a protocol error, after which Redis hangs up. It is reported unfit: another try
// would cost the next connection too.
//
// Records whose answer is missing when the connection goes are reported lost; Redis may hold them
// all the same, which is harmless, since storing is idempotent by event_id.
//
// A record that replicas have to hold is reported only when WAIT said so, one of which follows each
// run of records that goes out together:  XADD XADD XADD WAIT | XADD WAIT | …
//
// A command's bytes stay in the output buffer until it is answered, so that a customer that has to
// put its record elsewhere is handed it, and nobody needs a copy for that.
//
// Memory: CourierSettings bound what waits and its bytes, ReplyReader what is read. A submit() and
// its reply allocate nothing once the buffers have grown to what the load needs.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/redis/breaker.h"
#include "core/redis/courier_settings.h"
#include "core/redis/customer.h"
#include "core/redis/greeting.h"
#include "core/redis/outbox.h"
#include "core/redis/resp.h"
#include "core/redis/ring.h"
#include "core/redis/warnings.h"
#include "core/redis/watch.h"

namespace weir {

// Since it was made.
struct CourierCounters {
  std::array<std::uint64_t, kOutcomes> records{};  // by Outcome, cancelled ones too

  std::uint64_t operator[](Outcome outcome) const {
    return records[static_cast<std::size_t>(outcome)];
  }
};

class Courier {
 public:
  using Clock = std::chrono::steady_clock;
  using Time = Clock::time_point;
  using Ticket = std::uint64_t;

  enum class State : std::uint8_t { away, greeting, ready, refusing };
  enum class Submitted : std::uint8_t {
    taken,
    away,  // not ready, the breaker does not let it pass, or the stream is too long
    full,  // max_waiting or max_output reached, or no memory
  };

  Courier(CourierSettings settings, CourierLog& log);
  ~Courier();
  Courier(const Courier&) = delete;
  Courier& operator=(const Courier&) = delete;

  // away, greeting or ready.
  State state() const { return state_; }

  // The same for those who ask from outside: `refusing` where Redis is ready but gets no records,
  // since the breaker is open or the stream too long.
  State condition() const;

  // Open while there is no connection that is ready.
  Breaker::State breaker() const {
    return state_ == State::ready ? breaker_.state() : Breaker::State::open;
  }
  std::uint64_t breaker_openings() const { return breaker_.openings(); }

  const StreamFacts& stream() const { return watch_.facts(); }
  bool stream_too_long() const { return watch_.too_long(); }
  const CourierCounters& counters() const { return counters_; }

  // Whether to ask for the stream's oldest entry too, from now on.
  void watch_oldest(bool watches) noexcept { settings_.watches_oldest = watches; }

  // The socket is connected. Puts AUTH, the checks of Redis' settings and a look at the stream into
  // output(); ready once they are answered.
  void connected(Time now) noexcept;

  // The socket is gone, for whatever reason. Everything in flight is reported lost.
  void closed() noexcept;

  // Copies `record` into the output as one XADD. With Submitted::taken, `customer` will be told
  // what became of it; it must live until then or until cancel(ticket). `ticket` may be null. `now`
  // must not go back between calls; a server's cached time will do.
  Submitted submit(std::string_view record, Customer& customer, Time now, Ticket* ticket,
                   Terms terms = {}) noexcept;

  // `customer` is gone: its answer will be dropped. Its record stays on its way, and goes on
  // counting as one in flight. Does nothing for a ticket that is settled.
  void cancel(Ticket ticket) noexcept;

  // Bytes to write; call wrote() with how many went out. The view ends with any other call. Records
  // that replicas have to hold are one run up to here.
  std::string_view output() noexcept;
  bool has_output() const { return state_ != State::away && !outbox_.unwritten().empty(); }
  void wrote(std::size_t bytes) noexcept;

  // Takes what was read. False: what Redis says makes no sense, or it refused the greeting; the
  // reason went to the log, and the caller closes the socket and calls closed(). What was answered
  // before that has been reported.
  [[nodiscard]] bool feed(std::string_view bytes, Time now) noexcept;

  // When expire() and ask() have to be called next; none while there is no connection.
  std::optional<Time> deadline() const;

  // Reports what is late. True if the oldest answer is overdue: the overdue are reported timed_out,
  // the rest stay until the caller closes the socket and calls closed(). A server reads what has
  // arrived before it looks at its timers, lest a worker that was held up take its own delay for
  // Redis'.
  [[nodiscard]] bool expire(Time now) noexcept;

  // Puts what the courier itself wants to know by now into output().
  void ask(Time now) noexcept;

  // Records in flight: cancelled ones and late ones too.
  std::size_t waiting() const { return records_; }

  // Somebody waits who has not been told that it is late: a server that is to stop waits too.
  bool pressing() const { return records_ > 0 && late_ < waiting_.size(); }

 private:
  enum class Question : std::uint8_t { record, replicas, probe, probe_replicas, watch };

  // What was sent and is not reported.
  struct Waiting {
    Customer* customer;  // null: cancelled, or told that it is late
    Time since;
    std::uint32_t command;  // bytes of all of it
    std::uint32_t record;   // bytes of the record, which is its last word
    Question question;
    std::uint8_t detail;  // replicas wanted; what the watch asks
    bool patient;
    bool late;
    Outcome outcome;  // once answered
  };

  void hang_up();
  bool fail(std::string sentence);
  bool take_all(Time now);
  bool take(const Reply& reply, Time now);
  bool take_greeting(const Reply& reply, Time now);
  bool take_record(const Reply& reply, Time now);
  bool take_refusal(const Reply& reply, Time now);
  bool take_protocol_error(Time now);
  bool take_replicas(const Reply& reply, Time now);
  bool take_probe(const Reply& reply, Time now);
  bool take_probe_replicas(const Reply& reply, Time now);
  bool take_watch(const Reply& reply, Time now);
  void report(Outcome outcome);
  void report_run(std::uint64_t replicas);
  void settle_oldest(Outcome outcome);
  std::optional<Time> next_late() const;
  std::chrono::milliseconds time_for(const Waiting& waiting) const;
  bool is_overdue(Time now) const;
  void lose_patience(Time now);
  void give_up(Time now);
  bool has_room(std::size_t bytes) const;
  bool in_time() const { return late_ <= answered_; }
  std::string_view record_of(const Waiting& waiting, std::size_t before) const;
  void end_run();
  void send(std::string_view command, Question question, std::uint8_t detail, Time now);
  void send_wait(Question question, Time now);
  void probe(Time now);
  void look(Time now);

  CourierSettings settings_;
  CourierLog& log_;
  Warnings warnings_{log_};
  Greeting greeting_{settings_, warnings_};
  StreamWatch watch_{settings_, warnings_};
  Breaker breaker_{settings_.seed};
  State state_ = State::away;
  Time greeted_{};
  Time last_submit_{};
  Outbox outbox_;
  Ring<Waiting> waiting_;      // oldest first; the last one's ticket is next_ticket_ - 1
  std::size_t records_ = 0;    // of these
  std::size_t answered_ = 0;   // of these, from the front: they wait for their run's WAIT
  std::size_t late_ = 0;       // of these, from the front
  Ticket next_ticket_ = 0;     // never starts over, so that an old ticket finds nobody
  std::uint8_t run_ = 0;       // replicas that the records since the last WAIT want
  std::uint8_t replicas_ = 0;  // that the last run wanted
  std::string xadd_prefix_;    // the command up to the record
  std::string probe_;
  ReplyReader reader_;
  CourierCounters counters_;
};

}  // namespace weir
