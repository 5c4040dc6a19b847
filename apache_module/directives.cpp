#include "apache_module/directives.h"

#include <vector>

#include "apache_module/log.h"
#include "apache_module/pool.h"
#include "core/config/words.h"
#include "edge/spool_folder.h"

namespace weir {
namespace {

using Words = std::vector<std::string_view>;

const char* refuse(cmd_parms* cmd, const std::string& fault) {
  return apr_pstrcat(cmd->pool, cmd->cmd->name, ": ", fault.c_str(), nullptr);
}

// A setter for httpd's table: gathers the words, and lets no exception through. Null: accepted.
template <const char* (*Set)(cmd_parms*, LocationConf&, const Words&)>
const char* setter(cmd_parms* cmd, void* conf, int count, char* const words[]) noexcept {
  try {
    if (const char* misplaced = ap_check_cmd_context(cmd, NOT_IN_LIMIT)) return misplaced;
    auto& location = *static_cast<LocationConf*>(conf);
    return Set(cmd, location, Words(words, words + count));
  } catch (...) {
    return "Weir met with an unexpected error, perhaps for want of memory";
  }
}

// Directives for all of a server are taken everywhere, and refused by Weir itself: httpd would say
// that they are wrong there, but not where they would be right.
bool in_section(cmd_parms* cmd) { return ap_check_cmd_context(cmd, GLOBAL_ONLY) != nullptr; }

constexpr const char* kForAll =
    "it is shared by all servers: move it out of the section, to the top of the configuration";

const char* set_redis(cmd_parms* cmd, LocationConf&, const Words& words) {
  if (in_section(cmd)) return refuse(cmd, kForAll);
  auto& redis = server_conf(cmd->server).edge.redis;
  if (redis) return refuse(cmd, "it stands here twice: remove one");
  RedisTarget target;
  std::string warning;
  const std::string folder = ap_server_root_relative(cmd->pool, "");
  auto fault = read_redis_target(words, folder, target, warning);
  if (!fault.empty()) return refuse(cmd, fault);
  if (!warning.empty()) ApacheLog().write(Log::Level::warning, warning);
  redis = std::move(target);
  return nullptr;
}

const char* set_spool(cmd_parms* cmd, LocationConf&, const Words& words) {
  if (in_section(cmd)) return refuse(cmd, kForAll);
  auto& spool = server_conf(cmd->server).edge.spool;
  if (spool) return refuse(cmd, "it stands here twice: remove one");
  SpoolSettings settings;
  if (auto fault = read_spool_settings(words, settings); !fault.empty()) return refuse(cmd, fault);
  std::string& path = settings.directory;
  path = view(ap_server_root_relative(cmd->pool, path.c_str()));
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  if (auto fault = check_spool_folder(path); !fault.empty()) return refuse(cmd, fault);
  spool = std::move(settings);
  return nullptr;
}

// What every directive of a section does once it is read.
const char* said(cmd_parms* cmd, LocationConf& conf, const std::string& fault) {
  if (!fault.empty()) return refuse(cmd, fault);
  conf.settings.inherit({});  // a section that is merged with nothing has what it says itself
  conf.says_something = true;
  conf.place =
      std::string(view(cmd->directive->filename)) + ':' + std::to_string(cmd->directive->line_num);
  return nullptr;
}

const char* set_options(cmd_parms* cmd, LocationConf& conf, const Words& words) {
  return said(cmd, conf, conf.settings.set_options(words));
}

const char* set_limits(cmd_parms* cmd, LocationConf& conf, const Words& words) {
  if (words.empty()) return refuse(cmd, "it names no limit: write NAME=VALUE, such as body=2m");
  for (const std::string_view word : words) {
    if (auto fault = conf.settings.add_limit(word); !fault.empty()) return refuse(cmd, fault);
  }
  return said(cmd, conf, {});
}

const char* set_origins(cmd_parms* cmd, LocationConf& conf, const Words& words) {
  if (words.empty()) return refuse(cmd, "it names no origin: write one, or \"off\"");
  return said(cmd, conf, conf.settings.add_origins(words));
}

constexpr int kAnywhere = RSRC_CONF | ACCESS_CONF;

}  // namespace

const command_rec kDirectives[] = {
    // Syntax:  WeirRedis unix:PATH|HOST:PORT ... [user=NAME] [password_file=PATH] [stream=NAME]
    //          [shards=NUMBER] [timeout=TIME] [patience=TIME] [inflight=NUMBER]
    //          [stream_length=NUMBER] [stream_memory=SIZE]
    // Default: none
    // Context: server config
    AP_INIT_TAKE_ARGV("WeirRedis", setter<set_redis>, nullptr, kAnywhere,
                      "where events are kept, as unix:PATH or HOST:PORT"),

    // Syntax:  WeirSpool PATH [size=SIZE] [segment=SIZE] [free=SIZE] [drain=SIZE]
    // Default: none
    // Context: server config
    AP_INIT_TAKE_ARGV("WeirSpool", setter<set_spool>, nullptr, kAnywhere,
                      "the folder where events go while Redis is away"),

    // Syntax:  WeirOptions [strict] [wait=NUMBER] | off
    // Default: WeirOptions off
    // Context: server config, virtual host, directory
    AP_INIT_TAKE_ARGV("WeirOptions", setter<set_options>, nullptr, kAnywhere,
                      "strict, wait=NUMBER, or off"),

    // Syntax:  WeirLimit NAME=VALUE ...
    // Default: none
    // Context: server config, virtual host, directory
    AP_INIT_TAKE_ARGV("WeirLimit", setter<set_limits>, nullptr, kAnywhere,
                      "limits of requests, as NAME=VALUE"),

    // Syntax:  WeirCors ORIGIN ... | off
    // Default: WeirCors off
    // Context: server config, virtual host, directory
    AP_INIT_TAKE_ARGV("WeirCors", setter<set_origins>, nullptr, kAnywhere,
                      "the origins whose pages may send events, or off"),

    {nullptr, {nullptr}, nullptr, 0, RAW_ARGS, nullptr}};

void* create_server_conf(apr_pool_t* pool, server_rec*) noexcept {
  return pool_new<ServerConf>(pool);
}

void* create_location_conf(apr_pool_t* pool, char*) noexcept {
  return pool_new<LocationConf>(pool);
}

// httpd merges while it reads the configuration, and for each request again: what says nothing is
// not copied.
void* merge_location_conf(apr_pool_t* pool, void* outer, void* inner) noexcept {
  const auto* around = static_cast<LocationConf*>(outer);
  const auto* own = static_cast<LocationConf*>(inner);
  if (!own->says_something) return outer;
  if (!around->says_something) return inner;
  auto* merged = pool_new<LocationConf>(pool, *own);
  if (merged == nullptr) return inner;
  try {
    merged->settings.inherit(around->settings);
    return merged;
  } catch (...) {
    return inner;
  }
}

ServerConf& server_conf(const server_rec* main_server) {
  return *static_cast<ServerConf*>(ap_get_module_config(main_server->module_config, &weir_module));
}

const LocationSettings& settings_of(const request_rec* r) {
  return static_cast<LocationConf*>(ap_get_module_config(r->per_dir_config, &weir_module))
      ->settings;
}

}  // namespace weir
