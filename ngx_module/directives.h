// What the configuration says to Weir. docs/directives.md describes each directive;
// tools/check-directives compares it with the table in directives.cpp.
#pragma once

#include "ngx_module/nginx.h"

#include <string>

#include "core/http/location.h"
#include "edge/edge.h"

namespace weir {

struct MainConf {
  EdgeSettings edge;
  ngx_thread_pool_t* threads = nullptr;  // there if there is a spool
  ngx_shm_zone_t* metrics = nullptr;     // there if there is a Redis
};

struct LocationConf {
  LocationSettings settings;
  std::string place;  // of `weir`, "/etc/nginx/nginx.conf:12"; empty: no `weir` here
};

extern ngx_command_t directives[];

// The module's configuration callbacks.
void* create_main_conf(ngx_conf_t* cf) noexcept;
char* init_main_conf(ngx_conf_t* cf, void* conf) noexcept;
void* create_location_conf(ngx_conf_t* cf) noexcept;
char* merge_location_conf(ngx_conf_t* cf, void* outer, void* inner) noexcept;

const Location& location_of(ngx_http_request_t* r);

// Null if there is no http block.
const MainConf* main_conf(const ngx_cycle_t* cycle);

}  // namespace weir
