#include "ngx_module/rewrite_phase.h"

namespace weir {
namespace {

// The beginning of ngx_http_rewrite_loc_conf_t, which its own file keeps to itself: so since nginx
// 0.1.29.
struct RewriteConf {
  ngx_array_t* codes;  // bytes: each step begins with the function that runs it
};

// By name: an nginx that was built without it must load this module all the same.
const ngx_module_t* rewrite_module(const ngx_cycle_t* cycle) {
  for (ngx_uint_t i = 0; cycle->modules[i] != nullptr; i++) {
    if (std::string_view(cycle->modules[i]->name) == "ngx_http_rewrite_module") {
      return cycle->modules[i];
    }
  }
  return nullptr;
}

}  // namespace

bool returns_at_once(ngx_conf_t* cf) {
  const ngx_module_t* rewrite = rewrite_module(cf->cycle);
  if (rewrite == nullptr) return false;
  const auto* context = static_cast<ngx_http_conf_ctx_t*>(cf->ctx);
  const auto* conf = static_cast<const RewriteConf*>(context->loc_conf[rewrite->ctx_index]);
  if (conf == nullptr || conf->codes == nullptr) return false;
  if (conf->codes->nelts * conf->codes->size < sizeof(ngx_http_script_code_pt)) return false;
  return *static_cast<ngx_http_script_code_pt*>(conf->codes->elts) == ngx_http_script_return_code;
}

}  // namespace weir
