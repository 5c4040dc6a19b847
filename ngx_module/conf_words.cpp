#include "ngx_module/conf_words.h"

namespace weir {

std::vector<std::string_view> arguments(ngx_conf_t* cf) {
  const auto* words = static_cast<ngx_str_t*>(cf->args->elts);
  std::vector<std::string_view> result;
  for (ngx_uint_t i = 1; i < cf->args->nelts; i++) result.push_back(view(words[i]));
  return result;
}

char* refuse(ngx_conf_t* cf, const std::string& sentence) {
  ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%*s", WEIR_TEXT(sentence));
  return static_cast<char*>(NGX_CONF_ERROR);
}

std::string place_of(ngx_conf_t* cf) {
  if (cf->conf_file == nullptr) return "the command line";
  return std::string(view(cf->conf_file->file.name)) + ':' + std::to_string(cf->conf_file->line);
}

}  // namespace weir
