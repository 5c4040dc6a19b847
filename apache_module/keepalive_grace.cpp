#include "apache_module/keepalive_grace.h"

#include <http_connection.h>

#include <atomic>

namespace weir {
namespace {

constexpr apr_interval_time_t kGrace = apr_time_from_sec(1);

// When it ends, for all connections of this child. 0: it has not begun.
std::atomic<apr_time_t> grace_until{0};

bool is_leaving() {
  int state = AP_MPMQ_RUNNING;
  return ap_mpm_query(AP_MPMQ_MPM_STATE, &state) == APR_SUCCESS && state == AP_MPMQ_STOPPING;
}

// It begins with the first connection that is closed because the child leaves. Before that a
// connection is closed because it was idle for long, or because httpd has no thread to spare: then
// nobody waits.
apr_interval_time_t time_left() {
  if (!is_leaving()) return 0;
  const apr_time_t now = apr_time_now();
  apr_time_t until = 0;
  if (grace_until.compare_exchange_strong(until, now + kGrace)) return kGrace;
  return until > now ? until - now : 0;
}

bool sends_more(apr_socket_t* socket, apr_pool_t* pool, apr_interval_time_t wait) {
  apr_pollfd_t wanted{};
  wanted.p = pool;
  wanted.desc_type = APR_POLL_SOCKET;
  wanted.reqevents = APR_POLLIN;
  wanted.desc.s = socket;
  apr_int32_t ready = 0;
  return apr_poll(&wanted, 1, &ready, wait) == APR_SUCCESS && ready == 1;
}

// As the MPMs without an event loop do it, which is what httpd does where an input filter "clogs":
// it reads and answers until the connection is to be closed.
void serve(conn_rec* connection, apr_socket_t* socket) {
  apr_interval_time_t timeout = 0;
  apr_socket_timeout_get(socket, &timeout);
  apr_socket_timeout_set(socket, connection->base_server->timeout);
  connection->clogging_input_filters = 1;
  if (connection->cs != nullptr) connection->cs->state = CONN_STATE_PROCESSING;
  ap_run_process_connection(connection);
  if (connection->cs != nullptr) connection->cs->state = CONN_STATE_LINGER;
  apr_socket_timeout_set(socket, timeout);
}

}  // namespace

void remember_connection(conn_rec* connection) noexcept {
  ap_set_module_config(connection->conn_config, &weir_module, connection);
}

int give_grace(conn_rec* connection) noexcept {
  if (ap_get_module_config(connection->conn_config, &weir_module) == nullptr) return DECLINED;
  if (connection->keepalive != AP_CONN_KEEPALIVE || connection->aborted) return DECLINED;
  apr_socket_t* const socket = ap_get_conn_socket(connection);
  if (socket == nullptr || !sends_more(socket, connection->pool, time_left())) return DECLINED;
  connection->keepalive = AP_CONN_UNKNOWN;
  serve(connection, socket);
  return OK;
}

void end_grace() noexcept { grace_until = 1; }

}  // namespace weir
