#include "core/http/cors.h"

#include <algorithm>
#include <charconv>

#include "core/json/ascii.h"

namespace weir {
namespace {

constexpr std::size_t kMostQuoted = 100;

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool is_printable(char c) { return c > 0x20 && c < 0x7f; }

// `origin` is a configuration's word, and the sentence goes to a log.
std::string complain(std::string_view origin, std::string_view what) {
  std::string sentence = "origin \"";
  for (const char c : origin.substr(0, kMostQuoted)) sentence += is_printable(c) ? c : '?';
  if (origin.size() > kMostQuoted) sentence += "…";
  return sentence.append("\" ").append(what);
}

bool is_scheme(std::string_view text) {
  if (text.empty() || !is_lower(text.front())) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return is_lower(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
  });
}

bool is_host(std::string_view text) {
  if (text.size() > 2 && text.front() == '[' && text.back() == ']') {
    const std::string_view address = text.substr(1, text.size() - 2);
    return std::all_of(address.begin(), address.end(), [](char c) {
      return is_digit(c) || (c >= 'a' && c <= 'f') || c == ':' || c == '.';
    });
  }
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return is_lower(c) || is_digit(c) || c == '-' || c == '.' || c == '_';
  });
}

// None of these can be part of an origin; what they mean decides what the sentence says.
std::string_view fault_of_whole(std::string_view origin) {
  if (origin.empty()) return "is empty";
  if (origin == "*") {
    return "is refused: answers allow credentials, which browsers do not accept from everywhere; "
           "name each origin";
  }
  if (origin == "null") {
    return "is refused: every sandboxed frame and every local file has it; name each origin";
  }
  if (!std::all_of(origin.begin(), origin.end(), is_printable)) {
    return "holds a byte that no origin has; write an international name in its xn-- form, and "
           "several origins as several words";
  }
  if (origin.find('*') != std::string_view::npos) {
    return "has a wildcard; origins are compared exactly, name each one";
  }
  return {};
}

std::string_view fault_of_authority(std::string_view authority) {
  const std::size_t end = authority.find_first_of("/?#\\");
  if (end != std::string_view::npos) {
    return authority.substr(end) == "/" ? "ends in a slash, which no origin has; leave it away"
                                        : "has a path; an origin ends with its host or port";
  }
  if (authority.find('@') != std::string_view::npos) {
    return "names a user; an origin is scheme, host and port";
  }
  return {};
}

// Where the ':' of a port is, or the end of `authority`.
std::size_t port_colon(std::string_view authority) {
  const std::size_t bracket = authority.rfind(']');
  const std::size_t from = bracket == std::string_view::npos ? 0 : bracket;
  return std::min(authority.find(':', from), authority.size());
}

// 0 if `text` is no port.
int parse_port(std::string_view text) {
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && port > 0 && port <= 65535 ? port : 0;
}

bool is_default_port(std::string_view scheme, int port) {
  return (scheme == "http" && port == 80) || (scheme == "https" && port == 443);
}

}  // namespace

std::string Cors::add_origin(std::string_view origin) {
  if (auto fault = fault_of_whole(origin); !fault.empty()) return complain(origin, fault);
  std::string canonical(origin);
  std::transform(canonical.begin(), canonical.end(), canonical.begin(), to_lower);
  const std::string_view lower = canonical;

  const std::size_t slashes = lower.find("://");
  if (slashes == std::string_view::npos || !is_scheme(lower.substr(0, slashes))) {
    return complain(origin, "does not begin with a scheme, such as https://");
  }
  const std::size_t begin = slashes + 3;
  const std::string_view authority = lower.substr(begin);
  if (auto fault = fault_of_authority(authority); !fault.empty()) return complain(origin, fault);
  const std::size_t colon = port_colon(authority);
  if (!is_host(authority.substr(0, colon))) {
    return complain(origin, "does not name a host, as https://app.example does");
  }
  if (colon < authority.size()) {
    const int port = parse_port(authority.substr(colon + 1));
    if (port == 0) return complain(origin, "has a port that is not a number from 1 to 65535");
    const bool dropped = is_default_port(lower.substr(0, slashes), port);
    canonical.resize(begin + colon);
    if (!dropped) canonical.append(":").append(std::to_string(port));
  }
  if (!allows(canonical)) add(std::move(canonical));
  return {};
}

void Cors::add(std::string origin) {
  auto origins = origins_ ? *origins_ : std::vector<std::string>();
  origins.push_back(std::move(origin));
  origins_ = std::make_shared<const std::vector<std::string>>(std::move(origins));
}

bool Cors::allows(std::string_view origin) const {
  return origins_ && std::find(origins_->begin(), origins_->end(), origin) != origins_->end();
}

CorsGrant Cors::grant(std::string_view origin) const {
  CorsGrant grant;
  grant.varies = configured();
  if (!origin.empty() && allows(origin)) grant.origin = origin;
  return grant;
}

}  // namespace weir
