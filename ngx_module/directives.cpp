#include "ngx_module/directives.h"

#include <algorithm>

#include "core/config/words.h"
#include "ngx_module/conf_words.h"
#include "ngx_module/metrics_zone.h"
#include "ngx_module/pool.h"
#include "ngx_module/redis_directive.h"
#include "ngx_module/request.h"
#include "ngx_module/rewrite_phase.h"
#include "ngx_module/spool_directive.h"

namespace weir {
namespace {

constexpr off_t kNginxBodyDefault = 1 << 20;  // of client_max_body_size, ngx_http_core_module.c

// Directives that belong into some blocks only are taken everywhere, and refused by Weir itself:
// nginx would say that they are wrong there, but not where they would be right.
constexpr ngx_uint_t kAnywhere = NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF |
                                 NGX_HTTP_SIF_CONF | NGX_HTTP_LIF_CONF | NGX_HTTP_LMT_CONF |
                                 NGX_CONF_ANY;

constexpr std::string_view kOtherHandler =
    "another directive, such as proxy_pass, answers in this location already: give \"weir\" a "
    "location of its own";

constexpr std::string_view kReturns =
    "\"return\" ends every request here before \"weir\" is asked: remove one of them, for \"weir\"";

ngx_http_core_loc_conf_t* core_conf(ngx_conf_t* cf) {
  return static_cast<ngx_http_core_loc_conf_t*>(
      ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
}

char* set_weir(ngx_conf_t* cf, LocationConf& conf) {
  if (cf->cmd_type != NGX_HTTP_LOC_CONF) {
    return refuse(
        cf,
        "weir: it belongs directly into a location block: write location = /track { weir track; }");
  }
  if (!conf.place.empty()) return refuse(cf, "weir: this location has it already: remove one");
  if (auto fault = conf.settings.set_kind(arguments(cf)); !fault.empty()) {
    return refuse(cf, "weir: " + fault);
  }
  auto& handler = core_conf(cf)->handler;
  if (handler != nullptr) return refuse(cf, std::string(kOtherHandler));
  handler = handle_request;
  conf.place = place_of(cf);
  return NGX_CONF_OK;
}

char* set_limits(ngx_conf_t* cf, LocationConf& conf) {
  for (const std::string_view word : arguments(cf)) {
    if (auto fault = conf.settings.add_limit(word); !fault.empty()) {
      return refuse(cf, "weir_limit: " + fault);
    }
  }
  return NGX_CONF_OK;
}

char* set_origins(ngx_conf_t* cf, LocationConf& conf) {
  const auto fault = conf.settings.add_origins(arguments(cf));
  return fault.empty() ? NGX_CONF_OK : refuse(cf, "weir_cors: " + fault);
}

}  // namespace

ngx_command_t directives[] = {
    // Syntax:  weir track|crash|cli|health|metrics [strict] [wait=NUMBER];
    // Default: none
    // Context: location
    {ngx_string("weir"), kAnywhere, setter<LocationConf, set_weir>, NGX_HTTP_LOC_CONF_OFFSET, 0,
     nullptr},

    // Syntax:  weir_redis unix:PATH|HOST:PORT ... [user=NAME] [password_file=PATH] [stream=NAME]
    //          [shards=NUMBER] [timeout=TIME] [patience=TIME] [inflight=NUMBER]
    //          [stream_length=NUMBER] [stream_memory=SIZE];
    // Default: none
    // Context: http
    {ngx_string("weir_redis"), kAnywhere, setter<MainConf, set_redis>, NGX_HTTP_MAIN_CONF_OFFSET, 0,
     nullptr},

    // Syntax:  weir_spool PATH [size=SIZE] [segment=SIZE] [free=SIZE] [drain=SIZE];
    // Default: none
    // Context: http
    {ngx_string("weir_spool"), kAnywhere, setter<MainConf, set_spool>, NGX_HTTP_MAIN_CONF_OFFSET, 0,
     nullptr},

    // Syntax:  weir_limit NAME=VALUE ...;
    // Default: none
    // Context: http, server, location
    {ngx_string("weir_limit"),
     NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF | NGX_CONF_1MORE,
     setter<LocationConf, set_limits>, NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},

    // Syntax:  weir_cors ORIGIN ... | off;
    // Default: weir_cors off;
    // Context: http, server, location
    {ngx_string("weir_cors"),
     NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF | NGX_CONF_1MORE,
     setter<LocationConf, set_origins>, NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},

    ngx_null_command};

namespace {

// What can be seen only once all of the configuration is read; so it names its place itself.
char* refuse_later(ngx_conf_t* cf, const LocationConf& conf, std::string_view sentence) {
  ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "%*s in %*s", WEIR_TEXT(sentence),
                WEIR_TEXT(conf.place));
  return static_cast<char*>(NGX_CONF_ERROR);
}

// nginx compares an announced length with client_max_body_size before any handler runs, and answers
// with a page of its own. Weir's limit answers as the interface says; so nginx's is taken over,
// where somebody has set it, and then lifted.
void take_over_body_limit(ngx_http_core_loc_conf_t* core, Limits& limits) {
  const off_t theirs = core->client_max_body_size;
  if (theirs != 0 && theirs != kNginxBodyDefault) {
    limits.body = std::min(limits.body, static_cast<std::size_t>(theirs));
  }
  core->client_max_body_size = 0;
}

// `if` and `limit_except` are parts of their location.
void inherit_weir(ngx_http_core_loc_conf_t* core, const LocationConf& outer, LocationConf& inner) {
  if (!core->noname || !inner.place.empty() || outer.place.empty()) return;
  inner.settings.take_kind(outer.settings);
  inner.place = outer.place;
  if (core->handler == nullptr) core->handler = handle_request;
}

char* merge(ngx_conf_t* cf, const LocationConf& outer, LocationConf& inner) {
  ngx_http_core_loc_conf_t* core = core_conf(cf);
  inner.settings.inherit(outer.settings);
  inherit_weir(core, outer, inner);
  if (inner.place.empty()) return NGX_CONF_OK;

  auto* main = static_cast<MainConf*>(ngx_http_conf_get_module_main_conf(cf, ngx_http_weir_module));
  if (!main->edge.redis) {
    return refuse_later(cf, inner,
                        "\"weir\" needs a Redis to keep events in: add \"weir_redis unix:/path;\" "
                        "or \"weir_redis host:port;\" to the http block, for \"weir\"");
  }
  if (!core->noname && core->handler != handle_request)
    return refuse_later(cf, inner, kOtherHandler);
  if (!core->noname && returns_at_once(cf)) return refuse_later(cf, inner, kReturns);
  const auto fault = contradiction_in(inner.settings.location().limits);
  if (!fault.empty()) return refuse_later(cf, inner, "weir_limit: " + fault + ", for \"weir\"");
  take_over_body_limit(core, inner.settings.location().limits);
  if (inner.settings.location().replicas > 0) main->edge.wants_replicas = true;
  return NGX_CONF_OK;
}

}  // namespace

void* create_main_conf(ngx_conf_t* cf) noexcept { return pool_new<MainConf>(cf->pool); }

char* init_main_conf(ngx_conf_t* cf, void* conf) noexcept {
  auto* main = static_cast<MainConf*>(conf);
  if (!main->edge.redis) return NGX_CONF_OK;
  main->metrics = add_metrics_zone(cf);
  return main->metrics != nullptr ? NGX_CONF_OK : static_cast<char*>(NGX_CONF_ERROR);
}

void* create_location_conf(ngx_conf_t* cf) noexcept { return pool_new<LocationConf>(cf->pool); }

char* merge_location_conf(ngx_conf_t* cf, void* outer, void* inner) noexcept {
  try {
    return merge(cf, *static_cast<LocationConf*>(outer), *static_cast<LocationConf*>(inner));
  } catch (...) {
    return const_cast<char*>("weir had no memory for the configuration");
  }
}

const Location& location_of(ngx_http_request_t* r) {
  return static_cast<LocationConf*>(ngx_http_get_module_loc_conf(r, ngx_http_weir_module))
      ->settings.location();
}

const MainConf* main_conf(const ngx_cycle_t* cycle) {
  if (cycle->conf_ctx == nullptr) return nullptr;  // before the first configuration
  return static_cast<MainConf*>(ngx_http_cycle_get_module_main_conf(cycle, ngx_http_weir_module));
}

}  // namespace weir
