// Moves a RedisLink's bytes over a socket of its own, by poll() on a thread that may sleep there.
//
//   PollTransport transport(target);
//   RedisLink link(settings, transport, …);
//   transport.serve(link);
//   transport.flush();                        // before poll(): one write for all there is
//   pollfd wanted = transport.wanted();       // its fd is -1 while there is no connection
//   transport.move(revents);                  // after it: reads
#pragma once

#include <poll.h>

#include <array>
#include <cstddef>

#include "core/redis/link.h"
#include "edge/redis_target.h"

namespace weir {

class PollTransport final : public RedisTransport {
 public:
  // The target outlives it.
  explicit PollTransport(const RedisTarget& target) : target_(target) {}
  ~PollTransport() { disconnect(); }
  PollTransport(const PollTransport&) = delete;
  PollTransport& operator=(const PollTransport&) = delete;

  void serve(RedisLink& link) { link_ = &link; }

  int connect(std::size_t address) noexcept override;
  void disconnect() noexcept override;
  void changed() noexcept override {}  // each turn looks

  pollfd wanted() const noexcept;
  void move(short ready) noexcept;
  void flush() noexcept;

 private:
  void finish_connecting() noexcept;
  void read_all() noexcept;
  void give_up_writing(int error) noexcept;

  const RedisTarget& target_;
  RedisLink* link_ = nullptr;
  int fd_ = -1;
  bool connecting_ = false;
  bool blocked_ = false;  // the socket is full until poll() says otherwise
  std::array<char, 64 << 10> input_;
};

}  // namespace weir
