#include "flusher/exposer.h"

#include <charconv>
#include <exception>
#include <optional>
#include <string_view>

#include <arpa/inet.h>
#include <civetweb.h>

#include "flusher/health.h"
#include "flusher/metrics.h"
#include "daemon/signals_blocked.h"

namespace weir::flusher {
namespace {

constexpr int kMostPort = 65535;

struct Place {
  std::string host;
  int port = 0;
};

bool is_ip(const std::string& host) {
  unsigned char bytes[sizeof(in6_addr)];
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    return inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), bytes) == 1;
  }
  return inet_pton(AF_INET, host.c_str(), bytes) == 1;
}

std::optional<Place> parse(const std::string& text) {
  Place place{"127.0.0.1", 0};
  const std::size_t colon = text.rfind(':');
  if (colon != std::string::npos) place.host = text.substr(0, colon);
  const std::string port = colon == std::string::npos ? text : text.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), place.port);
  const bool is_number = error == std::errc() && end == port.data() + port.size();
  if (!is_number || place.port < 0 || place.port > kMostPort || !is_ip(place.host)) return {};
  return place;
}

// civetweb would write on standard error, between the lines of our log.
int keep_quiet(const mg_connection*, const char*) { return 1; }

int send(mg_connection* connection, bool is_head, int status, std::string_view type,
         std::string_view body, std::string_view more = "") {
  std::string bytes = "HTTP/1.1 " + std::to_string(status) + ' ';
  bytes += mg_get_response_code_text(connection, status);
  bytes += "\r\nContent-Type: ";
  bytes += type;
  bytes += "\r\nContent-Length: " + std::to_string(body.size());
  bytes += "\r\nCache-Control: no-store\r\nConnection: close\r\n";
  bytes.append(more).append("\r\n");
  if (!is_head) bytes += body;
  mg_write(connection, bytes.data(), bytes.size());
  return status;
}

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kText = "text/plain; version=0.0.4";

}  // namespace

Exposer::~Exposer() {
  if (context_ != nullptr) mg_stop(context_);
}

bool Exposer::start(const std::string& address, std::string& error) {
  const auto place = parse(address);
  const std::string listen =
      place ? place->host + ':' + std::to_string(place->port) : std::string(address);
  const std::string threads = std::to_string(kThreads);
  const std::string patience = std::to_string(kPatience.count());
  const char* options[] = {"listening_ports",    listen.c_str(),      "num_threads",
                           threads.c_str(),      "enable_keep_alive", "no",
                           "request_timeout_ms", patience.c_str(),    nullptr};
  mg_callbacks callbacks{};
  callbacks.log_message = keep_quiet;
  const daemon::SignalsBlocked blocked;
  context_ = mg_start(&callbacks, nullptr, options);
  if (context_ == nullptr) {
    error = "nothing can be served at " + listen +
            ": it is taken or no address of this machine; choose another with --metrics";
    return false;
  }
  mg_server_port port{};
  mg_get_server_ports(context_, 1, &port);
  address_ = listen.substr(0, listen.rfind(':') + 1) + std::to_string(port.port);
  mg_set_request_handler(context_, "/", handle, this);
  return true;
}

int Exposer::handle(mg_connection* connection, void* self) noexcept try {
  return static_cast<const Exposer*>(self)->answer(connection);
} catch (const std::exception&) {
  return 500;  // and the connection is closed without an answer
}

int Exposer::answer(mg_connection* connection) const {
  const mg_request_info* request = mg_get_request_info(connection);
  const std::string_view path = request->local_uri, method = request->request_method;
  const bool is_metrics = path == "/metrics";
  if (!is_metrics && path != "/health") {
    return send(connection, method == "HEAD", 404, kJson,
                "{\"error\":\"There are /metrics and /health here\"}\n");
  }
  if (method != "GET" && method != "HEAD") {
    return send(connection, false, 405, kJson, "{\"error\":\"Method not allowed\"}\n",
                "Allow: GET, HEAD\r\n");
  }
  const Status status = board_.read();
  if (is_metrics) {
    return send(connection, method == "HEAD", 200, kText, metrics_page(status, limit_));
  }
  const auto now = std::chrono::steady_clock::now();
  const Health health = judge(status, now, limit_);
  return send(connection, method == "HEAD", health.reason == Reason::none ? 200 : 503, kJson,
              health_json(status, health, now));
}

std::string check_listen_address(const std::string& text) {
  if (parse(text)) return "";
  return '"' + text + "\" is no address to listen at: say 127.0.0.1:PORT, [::1]:PORT, or a PORT";
}

}  // namespace weir::flusher
