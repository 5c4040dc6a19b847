// The memory in which all workers count, as nginx shares it: made when the first configuration is
// taken, kept over reloads, gone with the master.
//
//   conf.metrics = add_metrics_zone(cf);            // while the configuration is read
//   Edge edge(settings, {…, *metrics_memory(conf.metrics), …});   // in init_process
#pragma once

#include "ngx_module/nginx.h"

#include "core/metrics/metrics.h"

namespace weir {

// Null: no memory.
ngx_shm_zone_t* add_metrics_zone(ngx_conf_t* cf);

// Null before the configuration is taken.
inline MetricsMemory* metrics_memory(const ngx_shm_zone_t* zone) {
  return static_cast<MetricsMemory*>(zone->data);
}

}  // namespace weir
