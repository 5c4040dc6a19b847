#include "threads/poll_transport.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "fault/fault_point.h"

namespace weir {
namespace {

bool would_block(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

// What a socket of TCP should have; the others do without.
void set_options(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

}  // namespace

int PollTransport::connect(std::size_t number) noexcept {
  disconnect();
  const RedisTarget::Address& address = target_.addresses[number];
  const auto* name = reinterpret_cast<const sockaddr*>(&address.sockaddr);
  fd_ = socket(name->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return errno;
  if (name->sa_family != AF_UNIX) set_options(fd_);
  if (::connect(fd_, name, address.length) == 0) {
    link_->opened();
    return 0;
  }
  if (errno != EINPROGRESS) {
    const int error = errno;
    disconnect();
    return error;
  }
  connecting_ = true;
  return 0;
}

void PollTransport::disconnect() noexcept {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
  connecting_ = blocked_ = false;
}

pollfd PollTransport::wanted() const noexcept {
  const bool writes = connecting_ || blocked_;
  return {fd_, static_cast<short>(writes ? POLLIN | POLLOUT : POLLIN), 0};
}

void PollTransport::move(short ready) noexcept {
  if (fd_ < 0 || ready == 0) return;
  if (connecting_) return finish_connecting();
  if ((ready & POLLOUT) != 0) blocked_ = false;
  if ((ready & ~POLLOUT) != 0) read_all();
}

void PollTransport::finish_connecting() noexcept {
  int error = 0;
  socklen_t length = sizeof error;
  if (getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &length) != 0) error = errno;
  if (error != 0) return link_->lost("cannot connect", error);
  connecting_ = false;
  link_->opened();
}

void PollTransport::read_all() noexcept {
  for (;;) {
    const ssize_t size = recv(fd_, input_.data(), input_.size(), 0);
    if (size < 0 && would_block(errno)) return;
    if (size < 0) return link_->lost("cannot read", errno);
    if (size == 0) return link_->lost("it closed the connection", 0);
    const auto bytes = static_cast<std::size_t>(size);
    if (!link_->feed({input_.data(), bytes}) || bytes < input_.size()) return;
  }
}

// What Redis said before it closed the connection tells more than that it did.
void PollTransport::give_up_writing(int error) noexcept {
  read_all();
  if (fd_ >= 0) link_->lost("cannot write", error);
}

void PollTransport::flush() noexcept {
  while (fd_ >= 0 && !connecting_ && !blocked_ && link_->has_output()) {
    const std::string_view output = link_->output();
    const ssize_t sent = send(fd_, output.data(), output.size(), MSG_NOSIGNAL);
    if (sent < 0 && !would_block(errno)) return give_up_writing(errno);
    if (sent < 0) {
      blocked_ = errno != EINTR;
    } else {
      link_->wrote(static_cast<std::size_t>(sent));
      WEIR_FAULT_POINT(after_send);
    }
  }
}

}  // namespace weir
