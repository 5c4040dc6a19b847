// mod_weir: what httpd looks for when it loads the module, and what the parent does before it
// forks.
#include "apache_module/apache.h"

#include <http_connection.h>
#include <sys/stat.h>

#include <cerrno>
#include <string>

#include "apache_module/check.h"
#include "apache_module/child.h"
#include "apache_module/directives.h"
#include "apache_module/keepalive_grace.h"
#include "apache_module/log.h"
#include "apache_module/request.h"
#include "apache_module/shared.h"
#include "core/config/words.h"
#include "edge/spool_folder.h"

namespace weir {
namespace {

// The children's user has to be able to write there. An empty string, or what is wrong.
std::string make_spool_folder(const std::string& path) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return "the spool's folder " + quoted(path) + " cannot be made: " + std::strerror(errno);
  }
  if (geteuid() != 0) return {};
  struct stat status {};
  if (stat(path.c_str(), &status) == 0 && status.st_uid == ap_unixd_config.user_id) return {};
  if (chown(path.c_str(), ap_unixd_config.user_id, static_cast<gid_t>(-1)) == 0) return {};
  return "the spool's folder " + quoted(path) +
         " cannot be given to the user that httpd's children run as: " + std::strerror(errno);
}

bool prepare(apr_pool_t* pconf, const EdgeSettings& settings) {
  const std::string folder =
      settings.redis && settings.spool ? settings.spool->directory : std::string{};
  if (!folder.empty()) {
    if (auto fault = make_spool_folder(folder); !fault.empty()) {
      log_fault("weir: " + fault);
      return false;
    }
  }
  const std::string warning = left_spool(replace_spool_folder(folder), folder);
  if (!warning.empty()) ApacheLog().write(Log::Level::warning, warning);
  if (!settings.redis || prepare_shared(pconf, shared_memory())) return true;
  log_fault("weir has no memory to share among children");
  return false;
}

// httpd reads the configuration twice when it starts, and throws the first away.
int post_config(apr_pool_t* pconf, apr_pool_t*, apr_pool_t*, server_rec* main_server) noexcept {
  if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG) return OK;
  shared_memory() = {};
  try {
    const bool done = prepare(pconf, server_conf(main_server).edge);
    return done ? OK : HTTP_INTERNAL_SERVER_ERROR;
  } catch (...) {
    return HTTP_INTERNAL_SERVER_ERROR;
  }
}

void register_hooks(apr_pool_t*) noexcept {
  ap_hook_check_config(check_config, nullptr, nullptr, APR_HOOK_MIDDLE);
  ap_hook_post_config(post_config, nullptr, nullptr, APR_HOOK_MIDDLE);
  ap_hook_child_init(start_child, nullptr, nullptr, APR_HOOK_MIDDLE);
  ap_hook_child_stopping(leave_child, nullptr, nullptr, APR_HOOK_MIDDLE);
  ap_hook_pre_close_connection(give_grace, nullptr, nullptr, APR_HOOK_FIRST);
  ap_hook_handler(handle_request, nullptr, nullptr, APR_HOOK_MIDDLE);
}

}  // namespace
}  // namespace weir

extern "C" {
module AP_MODULE_DECLARE_DATA weir_module = {
    STANDARD20_MODULE_STUFF,
    weir::create_location_conf,
    weir::merge_location_conf,
    weir::create_server_conf,
    nullptr,  // merge_server_config: what is for all of a server stands in the main one
    weir::kDirectives,
    weir::register_hooks,
    AP_MODULE_FLAG_NONE,
};
}
