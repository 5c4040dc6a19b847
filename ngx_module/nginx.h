// nginx's headers, which are C and have to come before everything else, and the few conversions
// between its words and ours.
#pragma once

extern "C" {
#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_event_connect.h>
#include <ngx_http.h>

extern ngx_module_t ngx_http_weir_module;
}

#include <chrono>
#include <string_view>

#if __cplusplus < 201703L
#error "Weir needs C++17: build the module with g++ 11 or later, whose default it is"
#endif

namespace weir {

inline std::string_view view(const ngx_str_t& text) {
  return {reinterpret_cast<const char*>(text.data), text.len};
}

inline std::string_view view(const ngx_table_elt_t* header) {
  return header == nullptr ? std::string_view{} : view(header->value);
}

// nginx's strings point to what may be changed, but it changes none that it is only shown.
inline ngx_str_t to_ngx(std::string_view text) {
  return {text.size(), reinterpret_cast<u_char*>(const_cast<char*>(text.data()))};
}

}  // namespace weir

// Hands a std::string or std::string_view to nginx's formatter as the two arguments of "%*s".
#define WEIR_TEXT(text) (text).size(), (text).data()
