#include "ngx_module/redis_directive.h"

#include "edge/redis_target.h"
#include "ngx_module/conf_words.h"

namespace weir {

char* set_redis(ngx_conf_t* cf, MainConf& conf) {
  if (cf->cmd_type != NGX_HTTP_MAIN_CONF) {
    return refuse(cf, "weir_redis is shared by all servers: move it to the http block");
  }
  if (conf.edge.redis) return refuse(cf, "weir_redis stands here twice: remove one");
  RedisTarget target;
  std::string warning;
  const auto fault =
      read_redis_target(arguments(cf), std::string(view(cf->cycle->conf_prefix)), target, warning);
  if (!fault.empty()) return refuse(cf, "weir_redis: " + fault);
  if (!warning.empty()) ngx_conf_log_error(NGX_LOG_WARN, cf, 0, "%*s", WEIR_TEXT(warning));
  conf.edge.redis = std::move(target);
  return NGX_CONF_OK;
}

}  // namespace weir
