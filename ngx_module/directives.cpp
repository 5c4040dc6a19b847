#include "ngx_module/directives.h"

#include <algorithm>

#include "ngx_module/conf_words.h"
#include "ngx_module/pool.h"
#include "ngx_module/redis_directive.h"
#include "ngx_module/request.h"

namespace weir {
namespace {

constexpr off_t kNginxBodyDefault = 1 << 20;  // of client_max_body_size, ngx_http_core_module.c

// Directives that belong into some blocks only are taken everywhere, and refused by Weir itself:
// nginx would say that they are wrong there, but not where they would be right.
constexpr ngx_uint_t kAnywhere = NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF |
                                 NGX_HTTP_SIF_CONF | NGX_HTTP_LIF_CONF | NGX_HTTP_LMT_CONF |
                                 NGX_CONF_ANY;

constexpr const char* kKinds = "write weir track, weir crash, weir cli or weir health";

char* set_weir(ngx_conf_t* cf, LocationConf& conf) {
  const auto words = arguments(cf);
  if (cf->cmd_type != NGX_HTTP_LOC_CONF) {
    return refuse(
        cf,
        "\"weir\" belongs directly into a location block: write location = /track { weir track; }");
  }
  if (words.empty() || words.size() > 2) {
    return refuse(
        cf, std::string("\"weir\" takes a kind of location and perhaps \"strict\", and no more: ") +
                kKinds);
  }
  if (conf.takes) return refuse(cf, "this location has \"weir\" already: remove one");
  const auto endpoint = endpoint_from_word(words.front());
  if (!endpoint) {
    return refuse(cf, "\"weir\" does not know " + quoted(words.front()) + ": " + kKinds);
  }
  if (words.size() > 1 && words[1] != "strict") {
    return refuse(cf, "\"weir\" does not know " + quoted(words[1]) +
                          ": after the kind of location it takes only \"strict\"");
  }
  auto* core = static_cast<ngx_http_core_loc_conf_t*>(
      ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
  if (core->handler != nullptr) {
    return refuse(cf,
                  "another directive, such as proxy_pass, answers in this location already: "
                  "give \"weir\" a location of its own");
  }
  core->handler = handle_request;
  conf.takes = true;
  conf.location.endpoint = *endpoint;
  conf.location.strict = words.size() > 1;
  conf.place = place_of(cf);
  return NGX_CONF_OK;
}

char* set_limits(ngx_conf_t* cf, LocationConf& conf) {
  for (const std::string_view word : arguments(cf)) {
    std::string_view name, value;
    if (!split(word, name, value)) {
      return refuse(cf, "weir_limit does not know " + quoted(word) + ": write NAME=VALUE");
    }
    Limits probe;
    if (auto fault = set_limit(probe, name, value); !fault.empty()) return refuse(cf, fault);
    const bool again = std::any_of(conf.limit_words.begin(), conf.limit_words.end(),
                                   [&](const auto& known) { return known.first == name; });
    if (again) return refuse(cf, "the limit " + quoted(name) + " stands here twice: remove one");
    conf.limit_words.emplace_back(name, value);
  }
  return NGX_CONF_OK;
}

char* set_origins(ngx_conf_t* cf, LocationConf& conf) {
  const auto words = arguments(cf);
  conf.names_origins = true;
  if (words.size() == 1 && words.front() == "off") return NGX_CONF_OK;
  for (const std::string_view word : words) {
    if (auto fault = conf.location.cors.add_origin(word); !fault.empty()) return refuse(cf, fault);
  }
  return NGX_CONF_OK;
}

}  // namespace

ngx_command_t directives[] = {
    // Syntax:  weir track|crash|cli|health [strict];
    // Default: none
    // Context: location
    {ngx_string("weir"), kAnywhere, setter<LocationConf, set_weir>, NGX_HTTP_LOC_CONF_OFFSET, 0,
     nullptr},

    // Syntax:  weir_redis unix:PATH|HOST:PORT [user=NAME] [password_file=PATH] [stream=NAME]
    //          [timeout=TIME] [inflight=NUMBER];
    // Default: none
    // Context: http
    {ngx_string("weir_redis"), kAnywhere, setter<MainConf, set_redis>, NGX_HTTP_MAIN_CONF_OFFSET, 0,
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
char* refuse_later(ngx_conf_t* cf, const LocationConf& conf, const char* sentence) {
  ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "%s in %*s", sentence, WEIR_TEXT(conf.place));
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

void inherit(LocationConf& inner, const LocationConf& outer, bool same_location) {
  if (!inner.names_origins) inner.location.cors = outer.location.cors;
  inner.limit_words.insert(inner.limit_words.begin(), outer.limit_words.begin(),
                           outer.limit_words.end());
  for (const auto& [name, value] : inner.limit_words) {
    set_limit(inner.location.limits, name, value);  // passed when it was read
  }
  if (!same_location || inner.takes) return;
  inner.takes = outer.takes;
  inner.location.endpoint = outer.location.endpoint;
  inner.location.strict = outer.location.strict;
  inner.place = outer.place;
}

char* merge(ngx_conf_t* cf, const LocationConf& outer, LocationConf& inner) {
  auto* core = static_cast<ngx_http_core_loc_conf_t*>(
      ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
  inherit(inner, outer, core->noname);  // `if` and `limit_except` are parts of their location
  if (!inner.takes) return NGX_CONF_OK;

  const auto* main =
      static_cast<MainConf*>(ngx_http_conf_get_module_main_conf(cf, ngx_http_weir_module));
  if (!main->redis) {
    return refuse_later(cf, inner,
                        "\"weir\" needs a Redis to keep events in: add \"weir_redis unix:/path;\" "
                        "or \"weir_redis host:port;\" to the http block, for \"weir\"");
  }
  if (core->noname && core->handler == nullptr) core->handler = handle_request;
  if (!core->noname && core->handler != handle_request) {
    return refuse_later(cf, inner,
                        "another directive, such as proxy_pass, answers in the same location: "
                        "give it a location of its own, apart from \"weir\"");
  }
  take_over_body_limit(core, inner.location.limits);
  return NGX_CONF_OK;
}

}  // namespace

void* create_main_conf(ngx_conf_t* cf) noexcept { return pool_new<MainConf>(cf->pool); }

void* create_location_conf(ngx_conf_t* cf) noexcept { return pool_new<LocationConf>(cf->pool); }

char* merge_location_conf(ngx_conf_t* cf, void* outer, void* inner) noexcept {
  try {
    return merge(cf, *static_cast<LocationConf*>(outer), *static_cast<LocationConf*>(inner));
  } catch (...) {
    return const_cast<char*>("weir had no memory for the configuration");
  }
}

const LocationConf& location_conf(ngx_http_request_t* r) {
  return *static_cast<LocationConf*>(ngx_http_get_module_loc_conf(r, ngx_http_weir_module));
}

const RedisTarget* redis_target(ngx_cycle_t* cycle) {
  const auto* conf =
      static_cast<MainConf*>(ngx_http_cycle_get_module_main_conf(cycle, ngx_http_weir_module));
  return conf != nullptr && conf->redis ? &*conf->redis : nullptr;
}

}  // namespace weir
