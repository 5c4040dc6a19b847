// What is wrong with a configuration as a whole, once all of it is read: `apachectl configtest`
// says so, with the place and the remedy.
//
//   ap_hook_check_config(check_config, nullptr, nullptr, APR_HOOK_MIDDLE);
//
// httpd lets a handler be named at the time of a request too ("%{…}", a script): one that there is
// not is answered 500 then, with a line in the error log. Sections that meet only at a request,
// such as a Directory and a Location, are looked at one by one.
#pragma once

#include "apache_module/apache.h"

namespace weir {

// How the handlers are called: "weir-track".
constexpr std::string_view kHandlerPrefix = "weir-";

int check_config(apr_pool_t* pconf, apr_pool_t* plog, apr_pool_t* ptemp,
                 server_rec* main_server) noexcept;

}  // namespace weir
