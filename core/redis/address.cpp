#include "core/redis/address.h"

#include <algorithm>
#include <charconv>

namespace weir {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";

bool is_alnum(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_host_char(char c) { return is_alnum(c) || c == '.' || c == '-' || c == '_'; }

bool is_ipv6_char(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' ||
         c == '.';
}

// A scope such as "%eth0" may end an address.
bool is_ipv6(std::string_view text) {
  const std::size_t percent = text.find('%');
  const std::string_view digits = text.substr(0, percent);
  if (std::count(digits.begin(), digits.end(), ':') < 2) return false;
  if (!std::all_of(digits.begin(), digits.end(), is_ipv6_char)) return false;
  if (percent == std::string_view::npos) return true;
  const std::string_view scope = text.substr(percent + 1);
  return !scope.empty() && std::all_of(scope.begin(), scope.end(), is_host_char);
}

std::string parse_path(std::string_view path, RedisAddress& address) {
  if (path.empty() || path.front() != '/') {
    return "the socket's path has to begin with a slash, as in unix:/run/redis/redis.sock";
  }
  if (path.size() > kMaxSocketPath) {
    return "the socket's path is longer than the " + std::to_string(kMaxSocketPath) +
           " bytes that the system takes";
  }
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (std::any_of(path.begin(), path.end(), is_control)) {
    return "the socket's path has a control character in it";
  }
  address = {std::string(path), {}, 0};
  return {};
}

// 0 if `text` is no port.
int parse_port(std::string_view text) {
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || text.front() == '-') return 0;
  return port <= 65535 ? port : 0;
}

std::string parse_host(std::string_view host, std::string_view& bare) {
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    bare = host.substr(1, host.size() - 2);
    return is_ipv6(bare) ? "" : "what stands in the brackets is not an IPv6 address";
  }
  if (host.find(':') != std::string_view::npos) {
    return "an IPv6 address has to stand in brackets, as in [::1]:6379";
  }
  if (host.empty()) return "the host is missing, write host:port, such as 127.0.0.1:6379";
  if (host.size() > kMaxHostName || !std::all_of(host.begin(), host.end(), is_host_char)) {
    return "the host is neither a name nor an address, write host:port or unix:/path";
  }
  bare = host;
  return {};
}

}  // namespace

std::string parse_redis_address(std::string_view text, RedisAddress& address) {
  if (text.substr(0, kUnixPrefix.size()) == kUnixPrefix) {
    return parse_path(text.substr(kUnixPrefix.size()), address);
  }
  if (!text.empty() && text.front() == '/') return "a socket's path is written unix:/path";
  if (text.find("://") != std::string_view::npos) {
    return "this is a URL, write host:port or unix:/path instead";
  }
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || (!text.empty() && text.back() == ']')) {
    return "the port is missing, write host:port (such as 127.0.0.1:6379) or unix:/path";
  }
  std::string_view host;
  if (auto error = parse_host(text.substr(0, colon), host); !error.empty()) return error;
  const int port = parse_port(text.substr(colon + 1));
  if (port == 0) return "the port is not a whole number from 1 to 65535";
  address = {{}, std::string(host), port};
  return {};
}

}  // namespace weir
