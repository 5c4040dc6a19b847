// Lets clients finish when a worker is told to quit. nginx closes connections that are idle right
// then, and with them the request that a client has just sent on one. Here those that Weir has
// answered stay open for one more second: a request that comes meanwhile is answered, with
// "Connection: close", and the worker leaves when the last of them is closed.
//
//   KeepAliveGrace grace;      // in init_process, before the worker has any client
//   grace.remember(r);         // for each request
//
// nginx tells nobody that it quits, but it calls each idle connection's handler, and that in the
// order of its array of connections. So the first place after those of the listening sockets is
// taken by a socket that is always idle and has no other use. Its handler marks what may stay.
//
//      quit      +---------+----------+----------+----------+-----
//     -------->  | listen  | this one | client   | client   | ...
//                +---------+----------+----------+----------+-----
//                              |  idle = 0, timer = 1 s  ^
//                              +-------------------------+
//
// Should a client's connection come to lie before it, because another module had that place when
// the worker started, nginx closes that client's connection as it would without Weir.
// HTTP/2 needs none of this: GOAWAY tells the client what to send again.
#pragma once

#include "ngx_module/nginx.h"

#include <vector>

namespace weir {

class KeepAliveGrace {
 public:
  KeepAliveGrace();  // takes one of the worker's connections; without one there is no grace
  ~KeepAliveGrace();
  KeepAliveGrace(const KeepAliveGrace&) = delete;
  KeepAliveGrace& operator=(const KeepAliveGrace&) = delete;

  // Weir answers `r`: its connection gets the second.
  void remember(const ngx_http_request_t* r);

 private:
  static void on_quit(ngx_event_t* event) noexcept;
  void for_each_client(void (*action)(ngx_connection_t*));
  void close_bell();

  ngx_connection_t* bell_ = nullptr;  // rings first
  // By place in nginx's array: the number of the connection that Weir answered there last. Numbers
  // never come twice, places do.
  std::vector<ngx_atomic_uint_t> answered_;
};

}  // namespace weir
