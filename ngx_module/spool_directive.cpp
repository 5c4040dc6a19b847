#include "ngx_module/spool_directive.h"

#include "core/config/words.h"
#include "core/spool/settings.h"
#include "edge/spool_folder.h"
#include "ngx_module/background.h"
#include "ngx_module/conf_words.h"

namespace weir {
namespace {

// These return an empty string, or the sentence that refuses the directive.

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

std::string read_spool(ngx_conf_t* cf, SpoolSettings& settings) {
  if (auto fault = read_spool_settings(arguments(cf), settings); !fault.empty()) return fault;
  ngx_str_t path;
  std::string fault = full_path(cf, settings, path);
  if (fault.empty()) fault = check_spool_folder(settings.directory);
  return fault.empty() ? make_folder(cf, path) : fault;
}

std::string folder_of(const MainConf* conf) {
  return conf != nullptr && conf->edge.spool ? conf->edge.spool->directory : std::string();
}

}  // namespace

char* set_spool(ngx_conf_t* cf, MainConf& conf) {
  if (cf->cmd_type != NGX_HTTP_MAIN_CONF) {
    return refuse(cf, "weir_spool is shared by all servers: move it to the http block");
  }
  if (conf.edge.spool) return refuse(cf, "weir_spool stands here twice: remove one");
  SpoolSettings settings;
  if (auto fault = read_spool(cf, settings); !fault.empty()) {
    return refuse(cf, "weir_spool: " + fault);
  }
  conf.threads = add_thread_pool(cf);
  if (conf.threads == nullptr) return refuse(cf, "weir_spool: there is no memory");
  conf.edge.spool = std::move(settings);
  return NGX_CONF_OK;
}

void warn_of_left_spool(const MainConf* old_conf, const MainConf* new_conf, ngx_log_t* log) {
  const std::string sentence = left_spool(folder_of(old_conf), folder_of(new_conf));
  if (!sentence.empty()) ngx_log_error(NGX_LOG_WARN, log, 0, "%*s", WEIR_TEXT(sentence));
}

}  // namespace weir
