#include "ngx_module/redis_link.h"

#include <poll.h>

#include <algorithm>
#include <utility>

#include "fault/fault_point.h"
#include "ngx_module/clock.h"

namespace weir {
namespace {

using std::chrono::milliseconds;

constexpr ngx_msec_t kGreetingWait = 250;

// One worker's first connection speaks for all.
bool speaks_for_all(const RedisTarget& target) { return ngx_worker == 0 && !target.for_replicas; }

CourierSettings of_this_worker(const RedisTarget& target) {
  CourierSettings settings = target.courier;
  settings.seed = static_cast<std::uint64_t>(ngx_pid) * 2 + target.for_replicas;
  settings.watches_oldest = speaks_for_all(target);
  return settings;
}

BreakerState state_of(Breaker::State state) {
  if (state == Breaker::State::closed) return BreakerState::closed;
  return state == Breaker::State::half_open ? BreakerState::half_open : BreakerState::open;
}

ngx_err_t socket_error(ngx_connection_t* connection) {
  int error = 0;
  socklen_t length = sizeof error;
  if (getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &length) == -1) return ngx_errno;
  return error;
}

}  // namespace

template <void (RedisLink::*Step)()>
void RedisLink::on(ngx_event_t* event) noexcept {
  auto* link = static_cast<RedisLink*>(static_cast<ngx_connection_t*>(event->data)->data);
  try {
    (link->*Step)();
  } catch (...) {
    link->lost("out of memory", 0);
  }
}

RedisLink::RedisLink(const RedisTarget& target, Metrics& metrics)
    : target_(target),
      metrics_(metrics),
      courier_(of_this_worker(target), *this),
      outage_(static_cast<std::uint64_t>(ngx_pid)),
      quiet_log_(*ngx_cycle->log),
      timer_owner_(),
      timer_() {
  quiet_log_.log_level = NGX_LOG_ALERT;
  timer_owner_.fd = -1;
  timer_owner_.data = this;
  timer_.data = &timer_owner_;
  timer_.log = ngx_cycle->log;
  timer_.handler = on<&RedisLink::timer_ready>;
  timer_.cancelable = 1;
}

RedisLink::~RedisLink() {
  drop_connection();
  if (timer_.timer_set) ngx_del_timer(&timer_);
  publish();
}

void RedisLink::start() {
  const ngx_msec_t until = ngx_current_msec + kGreetingWait;
  const auto wanted = [&] {
    return courier_.state() != Courier::State::ready && ngx_current_msec < until;
  };
  for (std::size_t left = target_.addresses.size(); left > 0 && wanted(); left--) {
    connect();
    while (connection_ != nullptr && wanted()) poll_once(until - ngx_current_msec);
  }
}

// Runs the connection's handlers by poll(), since nginx's loop is not running yet.
void RedisLink::poll_once(ngx_msec_t wait) {
  const bool writes = connecting_ || courier_.has_output();
  pollfd descriptor{connection_->fd, static_cast<short>(writes ? POLLIN | POLLOUT : POLLIN), 0};
  poll(&descriptor, 1, static_cast<int>(wait));
  ngx_time_update();
  if ((descriptor.revents & (POLLOUT | POLLERR | POLLHUP)) != 0) {
    connection_->write->ready = 1;
    on<&RedisLink::write_ready>(connection_->write);
  }
  if (connection_ != nullptr && (descriptor.revents & (POLLIN | POLLERR | POLLHUP)) != 0) {
    connection_->read->ready = 1;
    connection_->read->available = -1;  // as epoll's own handler does: the amount is not known
    on<&RedisLink::read_ready>(connection_->read);
  }
}

void RedisLink::describe(KeepStatus& status) const {
  status.redis = condition();
  status.breaker = state_of(courier_.breaker());
  status.in_flight = courier_.waiting();
  const StreamFacts& stream = courier_.stream();
  status.stream.entries = stream.length;
  status.stream.bytes = stream.memory;
  if (stream.oldest_ms) {
    status.stream.oldest_at = static_cast<Timestamp>(*stream.oldest_ms) * 1000;
  }
  status.stream.too_long = courier_.stream_too_long();
}

Courier::Submitted RedisLink::submit(std::string_view record, Customer& customer,
                                     Terms terms) noexcept {
  const auto submitted = courier_.submit(record, customer, loop_time(), nullptr, terms);
  if (submitted == Courier::Submitted::full) metrics_.add(Metric::full_records);
  if (submitted == Courier::Submitted::taken) {
    post_write();
    watch_deadline();
  }
  return submitted;
}

void RedisLink::connect() {
  RedisTarget::Address& address = target_.addresses[address_];
  ngx_str_t name = to_ngx(address.name);
  was_ready_ = false;
  ngx_peer_connection_t peer{};
  peer.sockaddr = &address.sockaddr.sockaddr;
  peer.socklen = address.length;
  peer.name = &name;
  peer.get = ngx_event_get_peer;
  peer.log = &quiet_log_;
  peer.log_error = NGX_ERROR_INFO;
  peer.so_keepalive = 1;

  const ngx_int_t rc = ngx_event_connect_peer(&peer);
  if (rc != NGX_OK && rc != NGX_AGAIN) return lost("cannot connect", ngx_socket_errno);
  connection_ = peer.connection;
  connection_->data = this;
  connection_->read->handler = on<&RedisLink::read_ready>;
  connection_->write->handler = on<&RedisLink::write_ready>;
  if (rc == NGX_OK) return opened();
  connecting_ = true;
  if (timer_.timer_set) ngx_del_timer(&timer_);
  ngx_add_timer(&timer_, static_cast<ngx_msec_t>(target_.courier.timeout.count()));
}

void RedisLink::opened() {
  connecting_ = false;
  if (timer_.timer_set) ngx_del_timer(&timer_);
  if (ngx_tcp_nodelay(connection_) != NGX_OK) return lost("cannot set up the connection", 0);
  courier_.connected(loop_time());
  post_write();
  watch_deadline();
}

void RedisLink::write_ready() {
  if (connecting_) {
    if (ngx_err_t error = socket_error(connection_)) return lost("cannot connect", error);
    return opened();
  }
  while (connection_->write->ready && !courier_.output().empty()) {
    const ngx_str_t output = to_ngx(courier_.output());
    const ssize_t sent = connection_->send(connection_, output.data, output.len);
    if (sent == NGX_ERROR) return lost("cannot write", ngx_socket_errno);
    if (sent <= 0) break;
    courier_.wrote(static_cast<std::size_t>(sent));
    WEIR_FAULT_POINT(after_send);
  }
  if (ngx_handle_write_event(connection_->write, 0) != NGX_OK)
    lost("cannot watch the connection", 0);
}

void RedisLink::read_ready() {
  if (connecting_) return write_ready();
  if (connection_->close)
    return lost("this worker has to stop", 0);  // worker_shutdown_timeout is over
  do {
    const ssize_t size = connection_->recv(connection_, input_.data(), input_.size());
    if (size == NGX_AGAIN) break;
    if (size == NGX_ERROR) return lost("cannot read", ngx_socket_errno);
    if (size == 0) return lost("it closed the connection", 0);
    const auto* bytes = reinterpret_cast<const char*>(input_.data());
    if (!courier_.feed({bytes, static_cast<std::size_t>(size)}, loop_time())) {
      return lost("its answers are not those wanted", 0);
    }
  } while (connection_->read->ready);
  if (ngx_handle_read_event(connection_->read, 0) != NGX_OK)
    return lost("cannot watch the connection", 0);
  post_write();
  watch_deadline();
  publish();
}

void RedisLink::timer_ready() {
  if (connection_ == nullptr) return connect();
  if (connecting_) return lost("cannot connect", NGX_ETIMEDOUT);
  // With accept_mutex, nginx runs timers before the events that it has posted: an answer that has
  // arrived is not late.
  if (connection_->read->ready) read_ready();
  if (connection_ == nullptr) return;
  if (courier_.expire(loop_time())) return lost("no answer in time", 0);
  courier_.ask(loop_time());
  publish();
  post_write();
  watch_deadline();
}

void RedisLink::post_write() {
  if (connection_->write->ready && courier_.has_output()) {
    ngx_post_event(connection_->write, &ngx_posted_events);
  }
}

// The timer may stand too early, since deadlines move on with every answer; it then just looks
// again.
void RedisLink::watch_deadline() {
  timer_.cancelable = courier_.pressing() ? 0 : 1;
  const auto deadline = courier_.deadline();
  if (!deadline) return;
  const auto left = std::chrono::ceil<milliseconds>(*deadline - loop_time()).count();
  const auto wait = static_cast<ngx_msec_t>(std::max<decltype(left)>(left, 1));
  if (timer_.timer_set) {
    const auto later = static_cast<ngx_msec_int_t>(timer_.timer.key - (ngx_current_msec + wait));
    if (later <= 0) return;
    ngx_del_timer(&timer_);
  }
  ngx_add_timer(&timer_, wait);
}

// `what` is what the operator will read.
void RedisLink::lost(const char* what, ngx_err_t error) noexcept {
  drop_connection();
  metrics_.add(Metric::lost_connections);
  metrics_.set(Gauge::redis_ready, 0);
  courier_.closed();
  publish();
  if (!was_ready_ && next_address()) return connect_after(1);
  const auto loss = outage_.lost(loop_time());
  const auto wait = static_cast<ngx_msec_t>(loss.wait.count());
  if (loss.tell) {
    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, error,
                  "weir has no Redis at %*s: %s; it tries again in %M ms, and until then records "
                  "go to the spool or are answered 503",
                  WEIR_TEXT(target_.name), what, wait);
  }
  connect_after(wait);
}

// False: all of them have failed.
bool RedisLink::next_address() noexcept {
  address_ = (address_ + 1) % target_.addresses.size();
  failed_addresses_ = (failed_addresses_ + 1) % target_.addresses.size();
  return failed_addresses_ != 0;
}

// What is counted since the last time; at least once a second, since the stream is looked at that
// often.
void RedisLink::publish() noexcept {
  constexpr std::pair<Outcome, Metric> kMetrics[] = {
      {Outcome::acknowledged, Metric::acknowledged_records},
      {Outcome::refused, Metric::refused_records},
      {Outcome::late, Metric::late_records},
      {Outcome::timed_out, Metric::timed_out_records},
      {Outcome::lost, Metric::lost_records},
  };
  const CourierCounters& counters = courier_.counters();
  for (const auto& [outcome, metric] : kMetrics) {
    if (const auto more = counters[outcome] - published_[outcome]) metrics_.add(metric, more);
  }
  published_ = counters;
  const auto openings = courier_.breaker_openings() - published_openings_;
  if (openings > 0) metrics_.add(Metric::breaker_openings, openings);
  published_openings_ += openings;
}

void RedisLink::connect_after(ngx_msec_t wait) noexcept {
  if (timer_.timer_set) ngx_del_timer(&timer_);
  timer_.cancelable = 1;
  ngx_add_timer(&timer_, wait);
}

void RedisLink::drop_connection() noexcept {
  connecting_ = false;
  if (connection_ == nullptr) return;
  ngx_close_connection(connection_);
  connection_ = nullptr;
}

void RedisLink::ready() noexcept {
  metrics_.set(Gauge::redis_ready, 1);
  was_ready_ = true;
  failed_addresses_ = 0;
  if (!outage_.over()) return;
  ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0, "weir keeps its records in Redis at %*s",
                WEIR_TEXT(target_.addresses[address_].name));
}

void RedisLink::warn(std::string_view sentence) noexcept {
  ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0, "weir: %*s", WEIR_TEXT(sentence));
}

void RedisLink::unsafe(std::string_view sentence) noexcept {
  const ngx_uint_t level = speaks_for_all(target_) ? NGX_LOG_WARN : NGX_LOG_INFO;
  ngx_log_error(level, ngx_cycle->log, 0, "weir: %*s", WEIR_TEXT(sentence));
}

}  // namespace weir
