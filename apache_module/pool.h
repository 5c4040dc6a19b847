// C++ objects in an APR pool. The destructor runs when the pool goes, if there is one to run.
//
//   auto* conf = pool_new<LocationConf>(pool);
//   if (conf == nullptr) return nullptr;   // no memory, or the constructor threw
#pragma once

#include "apache_module/apache.h"

#include <new>
#include <type_traits>
#include <utility>

namespace weir {

template <class T, class... Args>
T* pool_new(apr_pool_t* pool, Args&&... args) noexcept {
  static_assert(alignof(T) <= 8, "apr_palloc() aligns to 8 bytes only");
  void* place = apr_palloc(pool, sizeof(T));
  if (place == nullptr) return nullptr;
  try {
    T* object = new (place) T(std::forward<Args>(args)...);
    if constexpr (!std::is_trivially_destructible_v<T>) {
      const auto destroy = [](void* data) -> apr_status_t {
        static_cast<T*>(data)->~T();
        return APR_SUCCESS;
      };
      apr_pool_cleanup_register(pool, object, destroy, apr_pool_cleanup_null);
    }
    return object;
  } catch (...) {
    return nullptr;
  }
}

}  // namespace weir
