#include "ngx_module/spool_directive.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/config/words.h"
#include "core/spool/settings.h"
#include "ngx_module/conf_words.h"
#include "spool/contents.h"

namespace weir {
namespace {

// These return an empty string, or the sentence that refuses the directive.

std::string check_parent(const std::string& path) {
  const std::string parent = path.substr(0, std::max<std::size_t>(path.rfind('/'), 1));
  struct stat status;
  if (stat(parent.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) return {};
  return "the folder " + quoted(parent) + " that it should lie in is not there: make it";
}

// nginx gives the folder to the worker's user; a folder that others use is not ours to give.
std::string check_folder(const std::string& path) {
  struct stat status;
  if (stat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return check_parent(path);
    return quoted(path) + " cannot be looked at (" + std::strerror(errno) + ")";
  }
  if (!S_ISDIR(status.st_mode)) return quoted(path) + " is no folder: name one of the spool's own";
  const std::string stranger = foreign_file(path);
  if (stranger.empty()) return {};
  return quoted(path) + " holds " + quoted(stranger) +
         ", which is not Weir's: give the spool a folder of its own";
}

// Absolute, without a slash at the end, and ended by a NUL as nginx wants it.
std::string full_path(ngx_conf_t* cf, SpoolSettings& settings, ngx_str_t& path) {
  path = to_ngx(settings.directory);
  if (ngx_conf_full_name(cf->cycle, &path, 0) != NGX_OK) return "there is no memory";
  while (path.len > 1 && path.data[path.len - 1] == '/') path.len--;
  settings.directory = view(path);
  path.data = ngx_pstrdup(cf->pool, &path);
  auto* ended = static_cast<u_char*>(ngx_pnalloc(cf->pool, path.len + 1));
  if (path.data == nullptr || ended == nullptr) return "there is no memory";
  *ngx_cpymem(ended, path.data, path.len) = '\0';
  path.data = ended;
  return {};
}

// nginx makes the folder, and gives it to the worker's user.
std::string make_folder(ngx_conf_t* cf, const ngx_str_t& name) {
  auto* path = static_cast<ngx_path_t*>(ngx_pcalloc(cf->pool, sizeof(ngx_path_t)));
  if (path == nullptr) return "there is no memory";
  path->name = name;
  path->conf_file = cf->conf_file->file.name.data;
  path->line = cf->conf_file->line;
  if (ngx_add_path(cf, &path) == NGX_OK) return {};
  return quoted(view(name)) + " is used by another directive: give the spool a folder of its own";
}

std::string read_spool(ngx_conf_t* cf, SpoolTarget& target) {
  if (auto fault = read_spool_settings(arguments(cf), target.settings); !fault.empty()) {
    return fault;
  }
  ngx_str_t path;
  std::string fault = full_path(cf, target.settings, path);
  if (fault.empty()) fault = check_folder(target.settings.directory);
  if (fault.empty()) fault = make_folder(cf, path);
  if (!fault.empty()) return fault;
  target.threads = add_thread_pool(cf);
  return target.threads == nullptr ? "there is no memory" : "";
}

}  // namespace

char* set_spool(ngx_conf_t* cf, MainConf& conf) {
  if (cf->cmd_type != NGX_HTTP_MAIN_CONF) {
    return refuse(cf, "weir_spool is shared by all servers: move it to the http block");
  }
  if (conf.spool) return refuse(cf, "weir_spool stands here twice: remove one");
  SpoolTarget target;
  if (auto fault = read_spool(cf, target); !fault.empty()) {
    return refuse(cf, "weir_spool: " + fault);
  }
  conf.spool = std::move(target);
  return NGX_CONF_OK;
}

void warn_of_left_spool(const MainConf* old_conf, const MainConf* new_conf, ngx_log_t* log) {
  if (old_conf == nullptr || !old_conf->spool) return;
  const std::string& left = old_conf->spool->settings.directory;
  if (new_conf != nullptr && new_conf->spool && new_conf->spool->settings.directory == left) return;
  if (!holds_segments(left)) return;
  ngx_log_error(
      NGX_LOG_WARN, log, 0,
      "weir: nobody empties the spool folder %*s any more, which still holds records: move "
      "its files into the folder that weir_spool names now",
      WEIR_TEXT(left));
}

}  // namespace weir
