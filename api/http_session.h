// One HTTP/1.1 connection: reads a request, has the service answer it, reads the next one.
//
//   HttpSession session(descriptor, loop, hooks);      // a handle: the connection lives by itself
//
//   reading ──header──► answering ──sent──► reading …
//      │ 75 s             │ the client leaves: the service is told, and cancels
//      ▼                  ▼
//    closed ◄─────────────┼── a write that does not end within write_time
//      ▲                  ▼
//      └── the end ── lingering: what was refused before it was read whole
//
// Bounds: a header of 16 kB (431), a target of 4 kB (414), no body (413). A request that comes
// before the one before is answered waits in the socket. What of a refused one is still to come is
// read and dropped, 4 MB and 5 s at most: who closes a socket with something unread in it has the
// other side's writing fail, and a web server then says 502 for an answer that it never looked at.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>

#include "api/client.h"

namespace boost::asio {
class io_context;
}

namespace weir::api {

struct HttpHooks {
  std::chrono::milliseconds write_time{30'000};
  std::chrono::milliseconds idle_time{75'000};  // between an answer and the next request
  std::optional<Problem> refusal{};             // what the first request is answered; then it ends
  std::function<void(const Request&, const std::shared_ptr<Client>&)> answer;
  std::function<void(int status)> answered;
  std::function<bool()> is_leaving;  // no further request is read
  std::function<void()> closed;
};

class HttpSession {
 public:
  static constexpr std::size_t kMostHeader = 16 << 10;
  static constexpr std::chrono::seconds kLingerTime{5};
  static constexpr std::size_t kMostDropped = 4 << 20;

  // Takes over a connected socket.
  HttpSession(int descriptor, boost::asio::io_context& loop, const HttpHooks& hooks);

  bool is_over() const { return impl_.expired(); }

  // Closes it now if it waits for a request, or else once that is answered.
  void leave();

 private:
  class Impl;
  std::weak_ptr<Impl> impl_;
};

}  // namespace weir::api
