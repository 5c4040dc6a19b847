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

std::string quoted(std::string_view word) { return '"' + std::string(word) + '"'; }

bool split(std::string_view word, std::string_view& name, std::string_view& value) {
  const std::size_t equals = word.find('=');
  if (equals == std::string_view::npos) return false;
  name = word.substr(0, equals);
  value = word.substr(equals + 1);
  return true;
}

ngx_str_t to_ngx(std::string_view text) {
  return {text.size(), reinterpret_cast<u_char*>(const_cast<char*>(text.data()))};
}

std::string place_of(ngx_conf_t* cf) {
  if (cf->conf_file == nullptr) return "the command line";
  return std::string(view(cf->conf_file->file.name)) + ':' + std::to_string(cf->conf_file->line);
}

}  // namespace weir
