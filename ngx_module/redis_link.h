// The worker's one connection to Redis: moves the courier's bytes over nginx's events and connects
// again whenever it is lost. What the bytes mean is the courier's business (core/redis/courier.h).
//
//   RedisLink link(target);
//   link.start();                                   // in init_process
//   link.submit(record, customer, {});              // customer.settled() follows
//
//   +---------+  connect()  +------------+  writable  +------+
//   | waiting | ----------> | connecting | ---------> | open |  the courier is greeting or ready
//   +---------+ <---------- +------------+            +------+
//        ^        lost()                                 |
//        +-----------------------------------------------+
//
// Of several addresses one is the master's. Whatever keeps an address from being ready (nobody
// there, a replica, a greeting without answer) sends the link to the next one at once; when all of
// them have failed, it waits. A connection that was ready is looked for at the same address first.
//
// One timer serves all three states: the next try, the time that connecting may take, and the
// courier's deadline. Only the last one, and only while records are in flight, keeps a worker that
// was told to quit.
//
// Requests share writes: submit() posts one write event, which nginx runs at the end of the turn of
// its loop, after every request that this turn brought.
#pragma once

#include "ngx_module/nginx.h"

#include <array>
#include <string>
#include <vector>

#include "core/keep/keeper.h"
#include "core/keep/status.h"
#include "core/metrics/metrics.h"
#include "core/redis/courier.h"
#include "core/redis/outage.h"

namespace weir {

// Where Redis is and how to speak to it; copied into each worker.
struct RedisTarget {
  struct Address {
    std::string name;  // as configured, for the log
    ngx_sockaddr_t sockaddr;
    socklen_t length;
  };

  std::string name;                // as configured, all of it
  std::vector<Address> addresses;  // what it stood for when the configuration was read
  CourierSettings courier;
  bool names_patience = false;
  std::uint32_t shards = 0;
  bool for_replicas = false;  // the second one of a worker: the first one speaks for both
};

class RedisLink final : public RedisPort, private CourierLog {
 public:
  RedisLink(const RedisTarget& target, Metrics& metrics);
  ~RedisLink();  // closes the connection and tells no customer: requests may be gone already
  RedisLink(const RedisLink&) = delete;
  RedisLink& operator=(const RedisLink&) = delete;

  // Connects, and waits a moment for Redis' greeting, so that a worker that a reload starts refuses
  // none of its first requests. Only for init_process, where no request waits yet.
  void start();

  Courier::State condition() const { return courier_.condition(); }
  void describe(KeepStatus& status) const;
  Courier::Submitted submit(std::string_view record, Customer& customer,
                            Terms terms) noexcept override;
  bool takes() const noexcept override { return condition() == Courier::State::ready; }

  // For what there is to see of it.
  const Courier& courier() const { return courier_; }

 private:
  // nginx's callbacks: finds the link and lets no exception through.
  template <void (RedisLink::*Step)()>
  static void on(ngx_event_t* event) noexcept;

  void connect();
  void opened();
  void write_ready();
  void read_ready();
  void timer_ready();
  void poll_once(ngx_msec_t wait);
  void post_write();
  void watch_deadline();
  void lost(const char* what, ngx_err_t error) noexcept;
  bool next_address() noexcept;
  void connect_after(ngx_msec_t wait) noexcept;
  void publish() noexcept;
  void drop_connection() noexcept;

  void ready() noexcept override;
  void warn(std::string_view sentence) noexcept override;
  void unsafe(std::string_view sentence) noexcept override;

  RedisTarget target_;
  Metrics& metrics_;
  Courier courier_;
  CourierCounters published_;
  std::uint64_t published_openings_ = 0;
  Outage outage_;
  ngx_connection_t* connection_ = nullptr;
  bool connecting_ = false;
  bool was_ready_ = false;            // this connection
  std::size_t address_ = 0;           // the one in use, or to be tried next
  std::size_t failed_addresses_ = 0;  // since one was ready, or all had failed
  ngx_log_t quiet_log_;               // nginx calls an absent socket critical; we say it ourselves
  ngx_connection_t timer_owner_;      // nginx reads the fd of a timer's data for its debug log
  ngx_event_t timer_;
  std::array<u_char, 64 << 10> input_;
};

}  // namespace weir
