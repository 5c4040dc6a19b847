#include "pg/conninfo.h"

#include <memory>
#include <string_view>

#include <postgresql/libpq-fe.h>

namespace weir::pg {
namespace {

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
using Options = std::unique_ptr<PQconninfoOption, FreeOptions>;

bool is_name_alone(const std::string& conninfo) {
  return conninfo.find('=') == std::string::npos && conninfo.find("://") == std::string::npos;
}

std::string_view value_of(const Options& options, std::string_view keyword) {
  for (const PQconninfoOption* option = options.get(); option && option->keyword; ++option) {
    if (option->keyword == keyword && option->val != nullptr) return option->val;
  }
  return {};
}

bool is_local_host(std::string_view host) {
  return host.empty() || host[0] == '/' || host[0] == '@' || host == "localhost" || host == "::1" ||
         host.substr(0, 4) == "127.";
}

}  // namespace

std::string conninfo_fault(const std::string& conninfo) {
  if (is_name_alone(conninfo)) return {};
  char* words = nullptr;
  const Options options(PQconninfoParse(conninfo.c_str(), &words));
  std::string fault = words == nullptr ? "" : words;
  while (!fault.empty() && fault.back() == '\n') fault.pop_back();
  if (!options && fault.empty()) fault = "out of memory";
  PQfreemem(words);
  return fault;
}

bool is_local(const std::string& conninfo) {
  const Options given(is_name_alone(conninfo) ? nullptr
                                              : PQconninfoParse(conninfo.c_str(), nullptr));
  if (!given && !is_name_alone(conninfo)) return false;
  const Options defaults(PQconndefaults());
  if (!value_of(given, "service").empty()) return false;
  // An address counts before a name; what is given before the environment.
  std::string_view hosts;
  for (const char* keyword : {"hostaddr", "host"}) {
    for (const Options* options : {&given, &defaults}) {
      if (hosts.empty()) hosts = value_of(*options, keyword);
    }
  }
  while (!hosts.empty()) {
    const auto comma = hosts.find(',');
    if (!is_local_host(hosts.substr(0, comma))) return false;
    hosts.remove_prefix(comma == std::string_view::npos ? hosts.size() : comma + 1);
  }
  return true;
}

}  // namespace weir::pg
