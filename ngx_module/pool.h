// C++ objects in an nginx pool. The destructor runs when the pool goes, if there is one to run.
//
//   auto* conf = pool_new<LocationConf>(cf->pool);
//   if (conf == nullptr) return nullptr;   // no memory, or the constructor threw
#pragma once

#include "ngx_module/nginx.h"

#include <new>
#include <type_traits>
#include <utility>

namespace weir {

template <class T, class... Args>
T* pool_new(ngx_pool_t* pool, Args&&... args) noexcept {
  static_assert(alignof(T) <= NGX_ALIGNMENT, "ngx_palloc() aligns to NGX_ALIGNMENT only");
  try {
    if constexpr (std::is_trivially_destructible_v<T>) {
      void* place = ngx_palloc(pool, sizeof(T));
      return place == nullptr ? nullptr : new (place) T(std::forward<Args>(args)...);
    } else {
      ngx_pool_cleanup_t* cleanup = ngx_pool_cleanup_add(pool, sizeof(T));
      if (cleanup == nullptr) return nullptr;
      T* object = new (cleanup->data) T(std::forward<Args>(args)...);
      cleanup->handler = [](void* data) { static_cast<T*>(data)->~T(); };  // only once it exists
      return object;
    }
  } catch (...) {
    return nullptr;
  }
}

}  // namespace weir
