// Lets clients finish when a child is told to leave. httpd closes connections that are idle right
// then, and with them the request that a client has just sent on one. Here those that Weir has
// answered stay open for one more second: a request that comes meanwhile is answered, with
// "Connection: close".
//
//   ap_hook_pre_close_connection(give_grace, nullptr, nullptr, APR_HOOK_FIRST);
//   remember_connection(r->connection);                // for each request
//
// httpd asks all modules before it closes a connection. Whoever was not told that it would be
// closed (keepalive) is waited for then, on the thread that closes: the first until its second is
// over, those behind it for what is left of that second, and all for what has arrived by then.
//
// HTTP/2 needs none of this: GOAWAY tells the client what to send again.
#pragma once

#include "apache_module/apache.h"

namespace weir {

// Weir answers on this connection: it gets the second.
void remember_connection(conn_rec* connection) noexcept;

int give_grace(conn_rec* connection) noexcept;

// There is no grace any more: the child has to leave at once.
void end_grace() noexcept;

}  // namespace weir
