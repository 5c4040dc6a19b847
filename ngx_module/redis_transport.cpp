#include "ngx_module/redis_transport.h"

#include "fault/fault_point.h"

namespace weir {
namespace {

int socket_error(ngx_connection_t* connection) {
  int error = 0;
  socklen_t length = sizeof error;
  if (getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &length) == -1) return ngx_errno;
  return error;
}

}  // namespace

template <void (NginxTransport::*Step)() noexcept>
void NginxTransport::on(ngx_event_t* event) noexcept {
  (static_cast<NginxTransport*>(static_cast<ngx_connection_t*>(event->data)->data)->*Step)();
}

NginxTransport::NginxTransport(const Addresses& addresses, TimeKeeper& time_keeper)
    : addresses_(addresses), time_keeper_(time_keeper), quiet_log_(*ngx_cycle->log) {
  quiet_log_.log_level = NGX_LOG_ALERT;
}

int NginxTransport::connect(std::size_t address) noexcept {
  RedisTarget::Address to = addresses_[address];
  ngx_str_t name = to_ngx(to.name);
  ngx_peer_connection_t peer{};
  peer.sockaddr = reinterpret_cast<sockaddr*>(&to.sockaddr);
  peer.socklen = to.length;
  peer.name = &name;
  peer.get = ngx_event_get_peer;
  peer.log = &quiet_log_;
  peer.log_error = NGX_ERROR_INFO;
  peer.so_keepalive = 1;

  const ngx_int_t rc = ngx_event_connect_peer(&peer);
  if (rc != NGX_OK && rc != NGX_AGAIN) return ngx_socket_errno != 0 ? ngx_socket_errno : ENOMEM;
  connection_ = peer.connection;
  connection_->data = this;
  connection_->read->handler = on<&NginxTransport::read_ready>;
  connection_->write->handler = on<&NginxTransport::write_ready>;
  connecting_ = rc == NGX_AGAIN;
  return connecting_ ? 0 : opened();
}

// An errno where the connection is of no use.
int NginxTransport::opened() noexcept {
  connecting_ = false;
  if (ngx_tcp_nodelay(connection_) != NGX_OK) return ngx_socket_errno;
  link_->opened();
  return 0;
}

void NginxTransport::disconnect() noexcept {
  connecting_ = false;
  if (connection_ != nullptr) ngx_close_connection(connection_);
  connection_ = nullptr;
}

// Before nginx sleeps it runs what is posted: of the many calls of one turn, the last one counts.
void NginxTransport::changed() noexcept {
  if (!post_write()) time_keeper_.watch();
}

void NginxTransport::write_ready() noexcept {
  if (connecting_) {
    int error = socket_error(connection_);
    if (error == 0) error = opened();
    if (error != 0) link_->lost("cannot connect", error);
    return;
  }
  while (connection_->write->ready && link_->has_output()) {
    const ngx_str_t output = to_ngx(link_->output());
    const ssize_t sent = connection_->send(connection_, output.data, output.len);
    if (sent == NGX_ERROR) return give_up_writing(ngx_socket_errno);
    if (sent <= 0) break;
    link_->wrote(static_cast<std::size_t>(sent));
    WEIR_FAULT_POINT(after_send);
  }
  if (watch_writing() != NGX_OK) return link_->lost("cannot watch the connection", 0);
  time_keeper_.watch();
}

// Whether there is room is of interest only to what could not be written. Else each read of Redis,
// which makes some, would wake this worker for nothing.
ngx_int_t NginxTransport::watch_writing() noexcept {
  ngx_event_t* write = connection_->write;
  if ((ngx_event_flags & NGX_USE_CLEAR_EVENT) != 0 && write->active && write->ready) {
    return ngx_del_event(write, NGX_WRITE_EVENT, NGX_CLEAR_EVENT);
  }
  return ngx_handle_write_event(write, 0);
}

// What Redis said before it closed the connection tells more than that it did.
void NginxTransport::give_up_writing(ngx_err_t error) noexcept {
  connection_->read->ready = 1;
  connection_->read->available = -1;  // the amount is not known
  read_ready();
  if (connection_ != nullptr) link_->lost("cannot write", error);
}

void NginxTransport::read_ready() noexcept {
  if (connecting_) return write_ready();
  if (connection_->close) {
    return link_->lost("this worker has to stop", 0);  // worker_shutdown_timeout is over
  }
  do {
    const ssize_t size = connection_->recv(connection_, input_.data(), input_.size());
    if (size == NGX_AGAIN) break;
    if (size == NGX_ERROR) return link_->lost("cannot read", ngx_socket_errno);
    if (size == 0) return link_->lost("it closed the connection", 0);
    const auto* bytes = reinterpret_cast<const char*>(input_.data());
    if (!link_->feed({bytes, static_cast<std::size_t>(size)})) return;
  } while (connection_->read->ready);
  if (ngx_handle_read_event(connection_->read, 0) != NGX_OK) {
    link_->lost("cannot watch the connection", 0);
  }
}

void NginxTransport::read_pending() noexcept {
  if (connection_ != nullptr && connection_->read->ready) read_ready();
}

bool NginxTransport::post_write() noexcept {
  if (connection_ == nullptr || !connection_->write->ready || !link_->has_output()) return false;
  ngx_post_event(connection_->write, &ngx_posted_events);
  return true;
}

pollfd NginxTransport::to_poll() const {
  if (connection_ == nullptr) return {-1, 0, 0};
  const bool writes = connecting_ || link_->has_output();
  return {connection_->fd, static_cast<short>(writes ? POLLIN | POLLOUT : POLLIN), 0};
}

void NginxTransport::polled(short events) noexcept {
  if (connection_ != nullptr && (events & (POLLOUT | POLLERR | POLLHUP)) != 0) {
    connection_->write->ready = 1;
    write_ready();
  }
  if (connection_ != nullptr && (events & (POLLIN | POLLERR | POLLHUP)) != 0) {
    connection_->read->ready = 1;
    connection_->read->available = -1;  // as epoll's own handler does: the amount is not known
    read_ready();
  }
}

}  // namespace weir
