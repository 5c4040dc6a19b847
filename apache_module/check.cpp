#include "apache_module/check.h"

#include <string>

#include "apache_module/directives.h"
#include "core/config/words.h"

namespace weir {
namespace {

void tell(const std::string& sentence) {
  ap_log_error(APLOG_MARK, APLOG_EMERG | APLOG_STARTUP, 0, nullptr, "%s", sentence.c_str());
}

std::string place_of(const ap_directive_t& directive) {
  return std::string(view(directive.filename)) + ':' + std::to_string(directive.line_num);
}

bool is(const ap_directive_t& directive, const char* name) {
  return ap_cstr_casecmp(directive.directive, name) == 0;
}

// The first word, in lower case as httpd keeps the names of handlers.
std::string first_word(apr_pool_t* pool, const ap_directive_t& directive) {
  const char* rest = directive.args;
  char* word = ap_getword_conf(pool, &rest);
  ap_str_tolower(word);
  return word;
}

bool names_weir(std::string_view handler) {
  return handler.substr(0, kHandlerPrefix.size()) == kHandlerPrefix;
}

// An empty string, or what is wrong with naming this handler.
std::string fault_of_handler(const std::string& handler, const ServerConf& conf) {
  if (!endpoint_from_word(std::string_view(handler).substr(kHandlerPrefix.size()))) {
    return "there is no handler " + quoted(handler) + ": write " + endpoint_words("weir-");
  }
  if (conf.edge.redis) return {};
  return quoted(handler) +
         " needs a Redis to keep events in: add \"WeirRedis unix:/path\" or \"WeirRedis "
         "host:port\" outside of all sections";
}

// What the configuration as it was read says.
struct Found {
  bool right = true;
  bool defaults_count = false;  // a server's own limits meet events somewhere as they are
};

// The section around the directive says nothing of limits, or is a server.
bool takes_defaults(const ap_directive_t& directive) {
  const ap_directive_t* const section = directive.parent;
  if (section == nullptr || is(*section, "<VirtualHost")) return true;
  for (const auto* one = section->first_child; one != nullptr; one = one->next) {
    if (is(*one, "WeirLimit")) return false;
  }
  return true;
}

void look_at(apr_pool_t* pool, const ap_directive_t& directive, ServerConf& conf, Found& found) {
  if (is(directive, "WeirOptions") && std::strstr(directive.args, "wait=") != nullptr) {
    conf.edge.wants_replicas = true;
  }
  if (!is(directive, "SetHandler") && !is(directive, "AddHandler")) return;
  const std::string handler = first_word(pool, directive);
  if (!names_weir(handler)) return;
  if (takes_defaults(directive)) found.defaults_count = true;
  const std::string fault = fault_of_handler(handler, conf);
  if (fault.empty()) return;
  tell(fault + ", for " + directive.directive + " in " + place_of(directive));
  found.right = false;
}

// Sections within sections.
void look_at_all(apr_pool_t* pool, const ap_directive_t* directive, ServerConf& conf,
                 Found& found) {
  for (; directive != nullptr; directive = directive->next) {
    look_at(pool, *directive, conf, found);
    look_at_all(pool, directive->first_child, conf, found);
  }
}

// Null where the section says nothing to Weir.
LocationConf* location_in(const ap_conf_vector_t* section) {
  return static_cast<LocationConf*>(ap_get_module_config(section, &weir_module));
}

bool limits_hold(const LocationConf& merged, const std::string& place) {
  const auto fault = contradiction_in(merged.settings.location().limits);
  if (!fault.empty()) tell("WeirLimit: " + fault + ", in the section of " + place);
  return fault.empty();
}

// A section, as a request to it would meet it, and the Files and If sections inside of it.
bool limits_agree(apr_pool_t* pool, LocationConf* around, const ap_conf_vector_t* section);

bool inner_limits_agree(apr_pool_t* pool, LocationConf* around,
                        const apr_array_header_t* sections) {
  bool right = true;
  for (int i = 0; sections != nullptr && i < sections->nelts; ++i) {
    const auto* inner = reinterpret_cast<ap_conf_vector_t**>(sections->elts)[i];
    right = limits_agree(pool, around, inner) && right;
  }
  return right;
}

bool limits_agree(apr_pool_t* pool, LocationConf* around, const ap_conf_vector_t* section) {
  LocationConf* const own = location_in(section);
  auto* const here =
      own == nullptr ? around : static_cast<LocationConf*>(merge_location_conf(pool, around, own));
  bool right = own == nullptr || !own->says_something || limits_hold(*here, own->place);
  const auto* core = static_cast<core_dir_config*>(ap_get_core_module_config(section));
  if (core == nullptr) return right;
  right = inner_limits_agree(pool, here, core->sec_file) && right;
  return inner_limits_agree(pool, here, core->sec_if) && right;
}

bool all_limits_agree(apr_pool_t* pool, const server_rec* server, bool defaults_count) {
  LocationConf* const outer = location_in(server->lookup_defaults);
  const auto* dir =
      static_cast<core_dir_config*>(ap_get_core_module_config(server->lookup_defaults));
  const auto* core =
      static_cast<core_server_config*>(ap_get_core_module_config(server->module_config));
  bool right = !defaults_count || !outer->says_something || limits_hold(*outer, outer->place);
  for (const apr_array_header_t* sections :
       {dir->sec_file, dir->sec_if, core->sec_dir, core->sec_url}) {
    right = inner_limits_agree(pool, outer, sections) && right;
  }
  return right;
}

bool check(apr_pool_t* pool, server_rec* main_server) {
  Found found;
  look_at_all(pool, ap_conftree, server_conf(main_server), found);
  for (const server_rec* server = main_server; server != nullptr; server = server->next) {
    found.right = found.right && all_limits_agree(pool, server, found.defaults_count);
  }
  return found.right;
}

}  // namespace

int check_config(apr_pool_t*, apr_pool_t*, apr_pool_t* ptemp, server_rec* main_server) noexcept {
  try {
    return check(ptemp, main_server) ? OK : HTTP_INTERNAL_SERVER_ERROR;
  } catch (...) {
    tell("Weir had no memory for the configuration");
    return HTTP_INTERNAL_SERVER_ERROR;
  }
}

}  // namespace weir
