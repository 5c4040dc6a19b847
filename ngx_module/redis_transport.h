// Moves the bytes of a link to Redis (core/redis/link.h) over one of nginx's connections.
//
// Requests share writes: changed() posts one write event, which nginx runs at the end of the turn
// of its loop, after every request that this turn brought.
#pragma once

#include "ngx_module/nginx.h"

#include <poll.h>

#include <array>
#include <vector>

#include "core/redis/link.h"
#include "edge/redis_target.h"
#include "ngx_module/time_keeper.h"

namespace weir {

class NginxTransport final : public RedisTransport {
 public:
  using Addresses = std::vector<RedisTarget::Address>;

  NginxTransport(const Addresses& addresses, TimeKeeper& time_keeper);
  ~NginxTransport() { disconnect(); }
  NginxTransport(const NginxTransport&) = delete;
  NginxTransport& operator=(const NginxTransport&) = delete;

  // Before the link starts.
  void serve(RedisLink& link) { link_ = &link; }

  int connect(std::size_t address) noexcept override;
  void disconnect() noexcept override;
  void changed() noexcept override;

  // Reads what has arrived: with accept_mutex, nginx runs timers before the events that it has
  // posted.
  void read_pending() noexcept;

  // For poll(), while nginx's loop is not running yet. No connection: an fd of -1, which it passes
  // over.
  pollfd to_poll() const;
  void polled(short events) noexcept;

 private:
  // nginx's callbacks: finds the transport.
  template <void (NginxTransport::*Step)() noexcept>
  static void on(ngx_event_t* event) noexcept;

  int opened() noexcept;
  void write_ready() noexcept;
  ngx_int_t watch_writing() noexcept;
  void read_ready() noexcept;
  void give_up_writing(ngx_err_t error) noexcept;
  bool post_write() noexcept;

  const Addresses& addresses_;
  TimeKeeper& time_keeper_;
  RedisLink* link_ = nullptr;
  ngx_connection_t* connection_ = nullptr;
  bool connecting_ = false;
  ngx_log_t quiet_log_;  // nginx calls an absent socket critical; we say it ourselves
  std::array<u_char, 64 << 10> input_;
};

}  // namespace weir
