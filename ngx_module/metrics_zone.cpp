#include "ngx_module/metrics_zone.h"

namespace weir {
namespace {

constexpr std::size_t kAlignment = alignof(MetricsMemory);

// `previous` is the memory of the configuration before, if the zone is the same.
ngx_int_t init_zone(ngx_shm_zone_t* zone, void* previous) noexcept {
  auto* pool = reinterpret_cast<ngx_slab_pool_t*>(zone->shm.addr);
  if (previous != nullptr || zone->shm.exists) {
    zone->data = previous != nullptr ? previous : pool->data;
    return NGX_OK;
  }
  auto* bytes = static_cast<u_char*>(ngx_slab_calloc(pool, kMetricsBytes + kAlignment));
  if (bytes == nullptr) return NGX_ERROR;
  zone->data = pool->data = open_metrics(ngx_align_ptr(bytes, kAlignment));
  return NGX_OK;
}

}  // namespace

ngx_shm_zone_t* add_metrics_zone(ngx_conf_t* cf) {
  ngx_str_t name = ngx_string("weir_metrics");
  // nginx's allocator keeps books at the beginning, and whole pages.
  const std::size_t size = ngx_align(kMetricsBytes, ngx_pagesize) + 16 * ngx_pagesize;
  ngx_shm_zone_t* zone = ngx_shared_memory_add(cf, &name, size, &ngx_http_weir_module);
  if (zone != nullptr) zone->init = init_zone;
  return zone;
}

}  // namespace weir
