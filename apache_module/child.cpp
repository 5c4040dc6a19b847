#include "apache_module/child.h"

#include <utility>

#include "apache_module/directives.h"
#include "apache_module/keepalive_grace.h"

namespace weir {
namespace {

Child* child = nullptr;  // made below, and left to the end of the process
Shared shared;           // set before the fork

// May run inside prefork's handler of SIGTERM: it allocates nothing and takes no lock.
apr_status_t end_child(void*) noexcept {
  child->writer.stop();
  return APR_SUCCESS;
}

}  // namespace

Child::Child(const EdgeSettings& settings, const Shared& memory)
    : writer(settings, *memory.metrics, Seats(memory.seats), log_) {}

std::unique_ptr<Intake> Child::take_intake() {
  {
    const std::lock_guard guard(lock_);
    if (!intakes_.empty()) {
      auto intake = std::move(intakes_.back());
      intakes_.pop_back();
      return intake;
    }
  }
  return std::make_unique<Intake>(writer.metrics());
}

void Child::give_back(std::unique_ptr<Intake> intake) noexcept {
  intake->release();
  try {
    const std::lock_guard guard(lock_);
    intakes_.push_back(std::move(intake));
  } catch (...) {  // no memory: it goes
  }
}

Child* current_child() { return child; }

Shared& shared_memory() { return shared; }

void start_child(apr_pool_t* pchild, server_rec* main_server) noexcept {
  const EdgeSettings& settings = server_conf(main_server).edge;
  if (!settings.redis || shared.metrics == nullptr) return;
  try {
    auto made = std::make_unique<Child>(settings, shared);
    if (!made->start()) {
      return log_fault("weir has no thread for this child, which answers 503: raise its limits");
    }
    child = made.release();
    apr_pool_cleanup_register(pchild, nullptr, end_child, apr_pool_cleanup_null);
  } catch (...) {
    log_fault("weir has no memory or descriptors for this child, which answers 503");
  }
}

void leave_child(apr_pool_t*, int graceful) noexcept {
  if (graceful == 0) end_grace();
  if (child != nullptr) child->writer.leave();
}

}  // namespace weir
