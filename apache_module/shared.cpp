#include "apache_module/shared.h"

#include <apr_strings.h>
#include <sys/mman.h>

#include <climits>

#include "threads/seats.h"

namespace weir {
namespace {

// What httpd keeps over restarts, by a name. A new build of the module whose counters lie otherwise
// finds nothing of the old one.
struct Retained {
  MetricsMemory* metrics;
  char spool[PATH_MAX];
};

Retained* retained() noexcept {
  char key[64];
  apr_snprintf(key, sizeof key, "weir-%" APR_UINT64_T_HEX_FMT "-%" APR_SIZE_T_FMT,
               static_cast<apr_uint64_t>(kMetricsLayout), kMetricsBytes);
  void* data = ap_retained_data_get(key);
  if (data == nullptr)
    data = ap_retained_data_create(key, sizeof(Retained));  // which copies the key
  return static_cast<Retained*>(data);
}

void* map(std::size_t bytes) noexcept {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? nullptr : memory;
}

// Children of an earlier configuration have a mapping of their own.
apr_status_t unmap_seats(void* seats) noexcept {
  munmap(seats, kSeatsBytes);
  return APR_SUCCESS;
}

}  // namespace

bool prepare_shared(apr_pool_t* pconf, Shared& shared) noexcept {
  Retained* const kept = retained();
  if (kept->metrics == nullptr) {
    void* const memory = map(kMetricsBytes);
    if (memory == nullptr) return false;
    kept->metrics = open_metrics(memory);
  }
  shared.metrics = kept->metrics;
  shared.seats = map(kSeatsBytes);
  if (shared.seats == nullptr) return false;
  apr_pool_cleanup_register(pconf, shared.seats, unmap_seats, apr_pool_cleanup_null);
  return true;
}

std::string replace_spool_folder(const std::string& now) {
  Retained* const kept = retained();
  std::string before = kept->spool;
  apr_cpystrn(kept->spool, now.c_str(), sizeof kept->spool);
  return before;
}

}  // namespace weir
