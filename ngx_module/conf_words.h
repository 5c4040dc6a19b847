// What setters of directives share: the words of a directive, and refusals with file and line.
//
//   char* set_thing(ngx_conf_t* cf, Conf& conf) {
//     for (std::string_view word : arguments(cf)) if (!known(word)) return refuse(cf, "…");
#pragma once

#include "ngx_module/nginx.h"

#include <string>
#include <vector>

namespace weir {

// The words after the directive's name. They live as long as the configuration does.
std::vector<std::string_view> arguments(ngx_conf_t* cf);

// Reports one sentence, to which nginx adds file and line; returns NGX_CONF_ERROR.
char* refuse(ngx_conf_t* cf, const std::string& sentence);

// "/etc/nginx/nginx.conf:12"
std::string place_of(ngx_conf_t* cf);

// A setter for nginx's table: finds the typed configuration and lets no exception through.
template <class Conf, char* (*Set)(ngx_conf_t*, Conf&)>
char* setter(ngx_conf_t* cf, ngx_command_t*, void* conf) noexcept {
  try {
    return Set(cf, *static_cast<Conf*>(conf));
  } catch (...) {
    return const_cast<char*>("met with an unexpected error, perhaps for want of memory");
  }
}

}  // namespace weir
