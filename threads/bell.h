// Wakes a thread that sleeps in poll(): a descriptor that is readable once somebody rang.
//
//   bell.ring();                               // from any thread, or from a signal's handler
//   pollfd wanted{bell.fd(), POLLIN, 0};       // on the thread that sleeps
//   bell.heard();                              // before it looks what there is to do
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

namespace weir {

class Bell {
 public:
  // Throws std::system_error where the process may open no more descriptors.
  Bell() : fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  }
  ~Bell() { close(fd_); }
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;

  int fd() const { return fd_; }

  // Fails only where it has been rung 2^64 times unheard.
  void ring() noexcept {
    const std::uint64_t one = 1;
    while (write(fd_, &one, sizeof one) < 0 && errno == EINTR) {
    }
  }

  void heard() noexcept {
    std::uint64_t rung = 0;
    while (read(fd_, &rung, sizeof rung) < 0 && errno == EINTR) {
    }
  }

 private:
  int fd_;
};

}  // namespace weir
