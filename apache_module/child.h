// What a child process has of Weir: the writer, and an intake for each request that is being
// decided on. Made in child_init, ended by a cleanup of the child's pool.
//
//   Child* child = current_child();
//   IntakeLease intake(*child);                  // this thread's own, and what it answers with it
//   intake->take(…);
//
// When that cleanup runs, request threads have been joined (event, worker), or the one thread there
// is lies below the cleanup, stopped in the middle (prefork on SIGTERM). So nothing is freed then
// that a request may have in hand: the process is about to end.
#pragma once

#include "apache_module/apache.h"

#include <memory>
#include <mutex>
#include <vector>

#include "apache_module/log.h"
#include "apache_module/shared.h"
#include "core/http/intake.h"
#include "edge/edge.h"
#include "threads/writer.h"

namespace weir {

class Child {
 public:
  // Throws where there is no memory or no descriptor to be had.
  Child(const EdgeSettings& settings, const Shared& shared);

  bool start() noexcept { return writer.start(); }

  // As many as are wanted at the same time.
  std::unique_ptr<Intake> take_intake();
  void give_back(std::unique_ptr<Intake> intake) noexcept;

 private:
  ApacheLog log_;

 public:
  Writer writer;

 private:
  std::mutex lock_;
  std::vector<std::unique_ptr<Intake>> intakes_;  // that are free
};

class IntakeLease {
 public:
  explicit IntakeLease(Child& child) : child_(child), intake_(child.take_intake()) {}
  ~IntakeLease() { child_.give_back(std::move(intake_)); }
  IntakeLease(const IntakeLease&) = delete;
  IntakeLease& operator=(const IntakeLease&) = delete;

  Intake* operator->() const { return intake_.get(); }

 private:
  Child& child_;
  std::unique_ptr<Intake> intake_;
};

// Null where there is no WeirRedis, and where a child could not start its threads.
Child* current_child();

// httpd's hooks.
void start_child(apr_pool_t* pchild, server_rec* main_server) noexcept;
void leave_child(apr_pool_t* pchild, int graceful) noexcept;

// In the parent, of the configuration that its children get.
Shared& shared_memory();

}  // namespace weir
