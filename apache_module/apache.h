// httpd's headers, which are C, and the few conversions between its words and ours.
#pragma once

// The forms of httpd's table of directives that name which kind of function a setter is.
#define AP_HAVE_C99

#include <httpd.h>

#include <ap_mpm.h>
#include <apr_strings.h>
#include <http_config.h>
#include <http_core.h>
#include <http_log.h>
#include <http_main.h>
#include <http_protocol.h>
#include <http_request.h>
#include <mpm_common.h>
#include <unixd.h>

#include <cstring>
#include <string_view>

extern "C" {
extern module AP_MODULE_DECLARE_DATA weir_module;
}
APLOG_USE_MODULE(weir);

namespace weir {

// A header's value; empty where there is none.
inline std::string_view view(const char* text) {
  return text == nullptr ? std::string_view{} : std::string_view{text};
}

inline std::string_view header(const request_rec* r, const char* name) {
  return view(apr_table_get(r->headers_in, name));
}

// A copy that ends with a NUL, as httpd wants its words.
inline const char* in_pool(apr_pool_t* pool, std::string_view text) {
  return apr_pstrmemdup(pool, text.data(), text.size());
}

}  // namespace weir
