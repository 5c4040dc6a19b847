#include "ngx_module/redis_directive.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "core/redis/address.h"
#include "core/redis/stream.h"
#include "ngx_module/conf_words.h"

namespace weir {
namespace {

constexpr std::size_t kMostPassword = 4096;

// Setters of one parameter return an empty string, or the sentence that refuses it.
using Sentence = std::string;

Sentence read_password(ngx_conf_t* cf, const std::string& path, std::string& password) {
  const ngx_fd_t fd =
      ngx_open_file(path.c_str(), NGX_FILE_RDONLY | NGX_FILE_NONBLOCK, NGX_FILE_OPEN, 0);
  if (fd == NGX_INVALID_FILE) {
    return "the password file " + quoted(path) + " cannot be read (" + std::strerror(errno) +
           "): make one that holds the password on one line and that root can read";
  }
  struct stat status;
  std::array<u_char, kMostPassword + 1> bytes;
  const ssize_t size = ngx_read_fd(fd, bytes.data(), bytes.size());
  const bool exposed = fstat(fd, &status) == 0 && (status.st_mode & S_IROTH) != 0;
  ngx_close_file(fd);
  if (size < 0) return "the password file " + quoted(path) + " cannot be read: name a plain file";

  password.assign(bytes.begin(), bytes.begin() + size);
  password.erase(std::min(password.find_first_of("\r\n"), password.size()));
  ngx_explicit_memzero(bytes.data(), bytes.size());
  if (size > static_cast<ssize_t>(kMostPassword) || password.empty()) {
    return "the password file " + quoted(path) + " has to hold the password on its first line";
  }
  if (exposed) {
    ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                       "everybody on this machine can read the password file \"%s\": chmod o-r it",
                       path.c_str());
  }
  return {};
}

Sentence set_password_file(ngx_conf_t* cf, std::string_view value, RedisTarget& target) {
  ngx_str_t path = to_ngx(value);
  if (ngx_conf_full_name(cf->cycle, &path, 1) != NGX_OK) return "there is no memory";
  return read_password(cf, std::string(view(path)), target.courier.password);
}

Sentence set_user(ngx_conf_t*, std::string_view value, RedisTarget& target) {
  target.courier.user = value;
  return {};
}

Sentence set_stream(ngx_conf_t*, std::string_view value, RedisTarget& target) {
  target.courier.stream = value;
  return {};
}

Sentence set_timeout(ngx_conf_t*, std::string_view value, RedisTarget& target) {
  ngx_str_t text = to_ngx(value);
  const ngx_int_t millis = ngx_parse_time(&text, 0);
  if (millis < 10 || millis > 60'000) {
    return quoted(value) + " is not a time from 10ms to 60s: write it as timeout=2s";
  }
  target.courier.timeout = std::chrono::milliseconds(millis);
  return {};
}

Sentence set_inflight(ngx_conf_t*, std::string_view value, RedisTarget& target) {
  const ngx_int_t count = ngx_atoi(to_ngx(value).data, value.size());
  if (count < 1 || count > 10'000'000) {
    return quoted(value) + " is not a number of requests: write it as inflight=16384";
  }
  target.courier.max_waiting = static_cast<std::size_t>(count);
  return {};
}

struct Parameter {
  std::string_view name;
  Sentence (*set)(ngx_conf_t* cf, std::string_view value, RedisTarget& target);
};

constexpr Parameter kParameters[] = {
    {"user", set_user},       {"password_file", set_password_file}, {"stream", set_stream},
    {"timeout", set_timeout}, {"inflight", set_inflight},
};

Sentence set_parameter(ngx_conf_t* cf, std::string_view word, RedisTarget& target,
                       std::vector<std::string_view>& seen) {
  std::string_view name, value;
  const bool has_value = split(word, name, value) && !value.empty();
  const auto* parameter = std::find_if(std::begin(kParameters), std::end(kParameters),
                                       [&](const Parameter& known) { return known.name == name; });
  if (!has_value || parameter == std::end(kParameters)) {
    return "weir_redis does not know " + quoted(word) +
           ": after the address it takes user=, password_file=, stream=, timeout= and inflight=";
  }
  if (std::find(seen.begin(), seen.end(), name) != seen.end()) {
    return "weir_redis has " + quoted(name) + " twice: remove one";
  }
  seen.push_back(name);
  return parameter->set(cf, value, target);
}

// Names are looked up here, once: workers never wait for a name server.
Sentence set_address(ngx_conf_t* cf, std::string_view word, RedisTarget& target) {
  RedisAddress parsed;
  if (auto fault = parse_redis_address(word, parsed); !fault.empty()) {
    return "weir_redis cannot use " + quoted(word) + ": " + fault;
  }
  ngx_url_t url{};
  url.url = to_ngx(word);
  if (ngx_parse_url(cf->pool, &url) != NGX_OK) {
    return "weir_redis cannot use " + quoted(word) + " (" + (url.err ? url.err : "no memory") +
           "): give a name that this machine can look up, or an address";
  }
  target.name = word;
  for (ngx_uint_t i = 0; i < url.naddrs; i++) {
    RedisTarget::Address address{};
    address.length = url.addrs[i].socklen;
    ngx_memcpy(&address.sockaddr, url.addrs[i].sockaddr, address.length);
    target.addresses.push_back(address);
  }
  return {};
}

}  // namespace

char* set_redis(ngx_conf_t* cf, MainConf& conf) {
  const auto words = arguments(cf);
  if (cf->cmd_type != NGX_HTTP_MAIN_CONF) {
    return refuse(cf, "weir_redis is shared by all servers: move it to the http block");
  }
  if (conf.redis) return refuse(cf, "weir_redis stands here twice: remove one");
  if (words.empty())
    return refuse(cf, "weir_redis needs an address: write unix:/path or host:port");
  RedisTarget target;
  target.courier.stream = kDefaultStream;
  if (auto fault = set_address(cf, words.front(), target); !fault.empty()) return refuse(cf, fault);
  std::vector<std::string_view> seen;
  for (std::size_t i = 1; i < words.size(); i++) {
    auto fault = set_parameter(cf, words[i], target, seen);
    if (!fault.empty()) return refuse(cf, fault);
  }
  conf.redis = std::move(target);
  return NGX_CONF_OK;
}

}  // namespace weir
