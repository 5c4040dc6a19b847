#include "ngx_module/keepalive_grace.h"

namespace weir {
namespace {

constexpr ngx_msec_t kGrace = 1000;

bool ends_within(const ngx_event_t* event, ngx_msec_t wait) {
  const auto late = static_cast<ngx_msec_int_t>(event->timer.key - (ngx_current_msec + wait));
  return event->timer_set && late <= 0;
}

// What is not marked idle is passed by. ngx_http_keepalive_handler() looks neither at that mark nor
// at ngx_exiting: it takes the next request, or closes when the timer is over. The connection stays
// among those that nginx closes when it runs out of connections, and worker_shutdown_timeout ends
// it like any other.
void spare(ngx_connection_t* connection) {
  if (!connection->idle) return;
  connection->idle = 0;
  if (!ends_within(connection->read, kGrace)) ngx_add_timer(connection->read, kGrace);
}

// Reusable are those that wait for a request or for their client's end; their handlers know
// `close`.
void close_now(ngx_connection_t* connection) {
  if (!connection->reusable) return;
  connection->close = 1;
  connection->read->handler(connection->read);
}

}  // namespace

KeepAliveGrace::KeepAliveGrace() : answered_(ngx_cycle->connection_n) {
  const ngx_socket_t unused = ngx_socket(AF_UNIX, SOCK_STREAM, 0);
  if (unused == static_cast<ngx_socket_t>(-1)) return;
  bell_ = ngx_get_connection(unused, ngx_cycle->log);
  if (bell_ == nullptr) {
    ngx_close_socket(unused);
    return;
  }
  bell_->data = this;
  bell_->read->handler = on_quit;
  bell_->read->log = ngx_cycle->log;
  bell_->idle = 1;
}

// A worker that was told to leave at once, in the middle of the grace: nginx would take what is
// still open for a mistake.
KeepAliveGrace::~KeepAliveGrace() {
  close_bell();
  if (ngx_exiting) for_each_client(close_now);
}

void KeepAliveGrace::remember(const ngx_http_request_t* r) {
  if (r->stream != nullptr) return;  // HTTP/2: this is no connection of nginx's array
  const ngx_connection_t* connection = r->connection;
  const auto place = static_cast<std::size_t>(connection - ngx_cycle->connections);
  if (place < answered_.size()) answered_[place] = connection->number;
}

// Connections that Weir has answered, as far as they are still the same ones.
void KeepAliveGrace::for_each_client(void (*action)(ngx_connection_t*)) {
  for (std::size_t i = 0; i < answered_.size(); i++) {
    ngx_connection_t* connection = &ngx_cycle->connections[i];
    const bool open = connection->fd != static_cast<ngx_socket_t>(-1);
    if (open && answered_[i] != 0 && answered_[i] == connection->number) action(connection);
  }
}

// Called by ngx_close_idle_connections(), which then looks at all further places.
void KeepAliveGrace::on_quit(ngx_event_t* event) noexcept {
  auto* grace = static_cast<KeepAliveGrace*>(static_cast<ngx_connection_t*>(event->data)->data);
  grace->close_bell();
  grace->for_each_client(spare);
}

void KeepAliveGrace::close_bell() {
  if (bell_ != nullptr) ngx_close_connection(bell_);
  bell_ = nullptr;
}

}  // namespace weir
