// What the configuration says to Weir. docs/directives.md describes each directive;
// tools/check-directives compares it with the table in directives.cpp.
#pragma once

#include "apache_module/apache.h"

#include <string>

#include "core/http/location.h"
#include "edge/edge.h"

namespace weir {

// Of the main server; those of virtual hosts stay empty.
struct ServerConf {
  EdgeSettings edge;
};

// Of a section that httpd merges by directory: a server's own, Directory, Location and their kin.
struct LocationConf {
  LocationSettings settings;
  bool says_something = false;  // or else it is as the section around it
  std::string place;            // of its last directive, "/etc/apache2/apache2.conf:12"
};

extern const command_rec kDirectives[];

// The module's configuration callbacks.
void* create_server_conf(apr_pool_t* pool, server_rec* server) noexcept;
void* create_location_conf(apr_pool_t* pool, char* section) noexcept;
void* merge_location_conf(apr_pool_t* pool, void* outer, void* inner) noexcept;

ServerConf& server_conf(const server_rec* main_server);
const LocationSettings& settings_of(const request_rec* r);

}  // namespace weir
