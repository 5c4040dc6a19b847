#include "ngx_module/redis_directive.h"

#include <array>
#include <cerrno>
#include <cstring>

#include "core/config/words.h"
#include "core/redis/secret.h"
#include "core/redis/settings.h"
#include "ngx_module/conf_words.h"

namespace weir {
namespace {

// These return an empty string, or the sentence that refuses the directive.

std::string read_password(ngx_conf_t* cf, const std::string& path, std::string& password) {
  const std::string file = "the password file " + quoted(path);
  const ngx_fd_t fd =
      ngx_open_file(path.c_str(), NGX_FILE_RDONLY | NGX_FILE_NONBLOCK, NGX_FILE_OPEN, 0);
  if (fd == NGX_INVALID_FILE) {
    return file + " cannot be read (" + std::strerror(errno) +
           "): make one that holds the password on one line and that root can read";
  }
  struct stat status;
  std::array<char, kMostSecretFile + 1> bytes;
  const ssize_t size = ngx_read_fd(fd, bytes.data(), bytes.size());
  const bool exposed = fstat(fd, &status) == 0 && (status.st_mode & S_IROTH) != 0;
  ngx_close_file(fd);
  if (size < 0) return file + " cannot be read: name a plain file";

  const auto fault = read_secret({bytes.data(), static_cast<std::size_t>(size)}, password);
  ngx_explicit_memzero(bytes.data(), bytes.size());
  if (!fault.empty()) return file + " cannot be used: " + fault;
  if (exposed) {
    ngx_conf_log_error(NGX_LOG_WARN, cf, 0, "everybody on this machine can read %*s: chmod o-r it",
                       WEIR_TEXT(file));
  }
  return {};
}

std::string read_password_file(ngx_conf_t* cf, const RedisSettings& settings,
                               std::string& password) {
  if (settings.password_file.empty()) return {};
  ngx_str_t path = to_ngx(settings.password_file);
  if (ngx_conf_full_name(cf->cycle, &path, 1) != NGX_OK) return "there is no memory";
  return read_password(cf, std::string(view(path)), password);
}

// Names are looked up here, once: workers never wait for a name server.
std::string look_up(ngx_conf_t* cf, const std::string& name, RedisTarget& target) {
  ngx_url_t url{};
  url.url = to_ngx(name);
  if (ngx_parse_url(cf->pool, &url) != NGX_OK) {
    return "it cannot use " + quoted(name) + " (" + (url.err ? url.err : "no memory") +
           "): give a name that this machine can look up, or an address";
  }
  for (ngx_uint_t i = 0; i < url.naddrs; i++) {
    RedisTarget::Address address{};
    address.name = name;
    address.length = url.addrs[i].socklen;
    ngx_memcpy(&address.sockaddr, url.addrs[i].sockaddr, address.length);
    target.addresses.push_back(address);
  }
  target.name += target.name.empty() ? name : ", " + name;
  return {};
}

}  // namespace

char* set_redis(ngx_conf_t* cf, MainConf& conf) {
  if (cf->cmd_type != NGX_HTTP_MAIN_CONF) {
    return refuse(cf, "weir_redis is shared by all servers: move it to the http block");
  }
  if (conf.redis) return refuse(cf, "weir_redis stands here twice: remove one");
  const auto words = arguments(cf);
  RedisSettings settings;
  std::string fault = read_redis_settings(words, settings);
  if (fault.empty()) {
    fault = read_password_file(cf, settings, settings.courier.password);
  }
  RedisTarget target;
  if (fault.empty()) {
    target.courier = std::move(settings.courier);
    target.names_patience = settings.names_patience;
    target.shards = settings.shards;
  }
  for (std::size_t i = 0; fault.empty() && i < settings.names.size(); i++) {
    fault = look_up(cf, settings.names[i], target);
  }
  if (!fault.empty()) return refuse(cf, "weir_redis: " + fault);
  conf.redis = std::move(target);
  return NGX_CONF_OK;
}

}  // namespace weir
