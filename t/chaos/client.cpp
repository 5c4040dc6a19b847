#include "t/chaos/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <string_view>

namespace weir_chaos {

namespace {

constexpr std::int64_t kPause = 30'000;  // between the pieces of a request

enum Purpose : std::uint64_t { kPieces = 11, kLeave, kRepeat, kRest };

// The value of a header, or nothing.
std::string_view header(std::string_view head, std::string_view name) {
  for (std::size_t at = head.find("\r\n"); at != head.npos; at = head.find("\r\n", at + 2)) {
    const std::string_view line = head.substr(at + 2, head.find("\r\n", at + 2) - at - 2);
    if (line.size() < name.size() + 2 || line[name.size()] != ':') continue;
    if (strncasecmp(line.data(), name.data(), name.size()) == 0)
      return line.substr(name.size() + 2);
  }
  return {};
}

}  // namespace

bool Client::chance(std::uint64_t one_in, std::uint64_t purpose) const {
  return settings_.rude && mix(settings_.seed + tries_, purpose, request_.number) % one_in == 0;
}

void Client::start(const Request& request, std::int64_t now) {
  request_ = request;
  tries_ = 0;
  answered_ = false;
  fd_ < 0 ? connect(now) : begin_try(now);
}

void Client::connect(std::int64_t now) {
  state_ = State::connecting;
  since_ = now;
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return retry(now);
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(settings_.port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int made = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address);
  if (made < 0 && errno != EINPROGRESS) {
    ++tally_.unreached;
    return retry(now);
  }
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = this;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, fd_, &event);
}

void Client::begin_try(std::int64_t now) {
  state_ = State::sending;
  ++tries_;
  ++tally_.sent;
  since_ = now;
  const std::string body = traffic_.body(request_, now / 1000);
  out_ = "POST ";
  out_ += traffic_.path(request_);
  out_ += " HTTP/1.1\r\nHost: chaos\r\nContent-Type: application/json\r\nContent-Length: ";
  out_ += std::to_string(body.size()) + "\r\n\r\n" + body;
  in_.clear();
  written_ = 0;
  pause_at_ = chance(60, kPieces) ? out_.size() - body.size() / 2 : 0;
  wake_ = 0;
  write_more(now);
}

void Client::write_more(std::int64_t now) {
  while (written_ < out_.size()) {
    const bool first = written_ < pause_at_;
    const std::size_t end = first ? pause_at_ : out_.size();
    const ssize_t count = send(fd_, out_.data() + written_, end - written_, MSG_NOSIGNAL);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count < 0) {
      ++tally_.cut;
      return retry(now);
    }
    written_ += static_cast<std::size_t>(count);
    if (first && written_ == pause_at_) {
      wake_ = now + kPause;
      return;
    }
  }
  state_ = State::waiting;
  if (!answered_ && chance(400, kLeave)) {
    ++tally_.abandoned;
    retry(now);
  }
}

void Client::read_more(std::int64_t now) {
  char bytes[16384];
  bool ended = false;
  while (!ended) {
    const ssize_t count = recv(fd_, bytes, sizeof bytes, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) break;
    ended = count <= 0;
    if (!ended) in_.append(bytes, static_cast<std::size_t>(count));
  }
  const std::size_t end = in_.find("\r\n\r\n");
  if (end != in_.npos && (state_ == State::sending || state_ == State::waiting)) {
    const std::string_view head = std::string_view(in_).substr(0, end);
    const std::string_view length = header(head, "Content-Length");
    std::size_t size = 0;
    std::from_chars(length.data(), length.data() + length.size(), size);
    if (in_.size() >= end + 4 + size) {
      int status = 0;
      std::from_chars(in_.data() + 9, in_.data() + 12, status);
      const bool closing = ended || header(head, "Connection") == "close";
      return take_answer(now, status, in_.substr(end + 4, size), closing);
    }
  }
  if (!ended) return;
  if (state_ == State::idle || state_ == State::resting) return disconnect();
  ++tally_.cut;
  retry(now);
}

void Client::take_answer(std::int64_t now, int status, const std::string& body, bool closing) {
  tally_.answered(status, static_cast<std::uint64_t>(now - since_));
  in_.clear();
  if (closing || written_ < out_.size()) disconnect();
  if (status >= 500) return rest(now);
  if (!traffic_.matches(request_, status, body)) {
    ++tally_.wrong;
    tally_.first_wrong = std::to_string(status) + " " + body.substr(0, 300) + " for " +
                         traffic_.body(request_, now / 1000).substr(0, 600);
  }
  if (!answered_) settle('a');
  if (!answered_ && chance(100, kRepeat)) {
    answered_ = true;
    ++tally_.repeated;
    return rest(now);
  }
  state_ = State::idle;
}

// Writes down what the request's events have become.
void Client::settle(char state) {
  for (std::uint32_t index = 0; index < request_.events; ++index) {
    const Event event = traffic_.event(request_, index);
    tally_.settle(request_.kind == Kind::crashes ? 'c' : 'e', event.valid ? state : 'r', tries_,
                  event.user, event.id);
  }
}

void Client::retry(std::int64_t now) {
  disconnect();
  rest(now);
}

void Client::rest(std::int64_t now) {
  state_ = State::resting;
  wake_ = now + 20'000 +
          static_cast<std::int64_t>(mix(settings_.seed + tries_, kRest, request_.number) % 150'000);
}

void Client::disconnect() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

void Client::on_event(std::int64_t now) {
  if (fd_ < 0) return;
  if (state_ == State::connecting) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error) {
      ++tally_.unreached;
      return retry(now);
    }
    begin_try(now);
  } else if (state_ == State::sending && wake_ == 0) {
    write_more(now);
  }
  if (fd_ >= 0) read_more(now);
}

void Client::on_time(std::int64_t now) {
  if (state_ == State::idle) return;
  if (state_ == State::resting) {
    if (now < wake_) return;
    return fd_ < 0 ? connect(now) : begin_try(now);
  }
  if (state_ == State::sending && wake_ && now >= wake_) {
    wake_ = 0;
    pause_at_ = 0;
    return write_more(now);
  }
  if (now - since_ > settings_.patience_micros) {
    ++tally_.timeouts;
    retry(now);
  }
}

void Client::give_up() {
  if (state_ == State::idle) return;
  if (!answered_) settle('u');
  state_ = State::idle;
  disconnect();
}

}  // namespace weir_chaos
