// Memory that all children share, made by the parent before it forks. APR has no say in it: httpd
// clears its pools at each restart, and unloads the module in between.
//
//   Shared shared;
//   if (!prepare_shared(pconf, shared)) …        // in post_config
//   Metrics metrics(shared.metrics, …);          // in a child
#pragma once

#include "apache_module/apache.h"

#include <string>

#include "core/metrics/metrics.h"

namespace weir {

struct Shared {
  MetricsMemory* metrics = nullptr;  // for as long as the parent lives: totals survive restarts
  void* seats = nullptr;             // threads/seats.h, of the children of one configuration
};

// False: no memory.
bool prepare_shared(apr_pool_t* pconf, Shared& shared) noexcept;

// The folder in which the configuration before this one spooled, which becomes `now`; both empty
// where there was none. Empty where it cannot be remembered.
std::string replace_spool_folder(const std::string& now);

}  // namespace weir
