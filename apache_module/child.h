// What a child process has of Weir: the writer, and a desk for each request that is being looked
// at. Made in child_init, ended by a cleanup of the child's pool.
//
//   Child* child = current_child();
//   DeskLease desk(*child);                      // the request's own until it is answered
//   desk->intake.take(…);
//
// When that cleanup runs, request threads have been joined (event, worker), or the one thread there
// is lies below the cleanup, stopped in the middle (prefork on SIGTERM). So nothing is freed then
// that a request may have in hand: the process is about to end.
#pragma once

#include "apache_module/apache.h"

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "apache_module/log.h"
#include "apache_module/shared.h"
#include "core/http/intake.h"
#include "edge/edge.h"
#include "threads/writer.h"

namespace weir {

// What one request at a time works with. It grows with what it meets, and is used again.
struct Desk {
  explicit Desk(Metrics& metrics) : intake(metrics) {}

  Intake intake;
  std::string body;
};

class Child {
 public:
  // Throws where there is no memory or no descriptor to be had.
  Child(const EdgeSettings& settings, const Shared& shared);

  bool start() noexcept { return writer.start(); }

  // As many as requests at the same time. Those that grew large are not kept.
  std::unique_ptr<Desk> take_desk();
  void give_back(std::unique_ptr<Desk> desk) noexcept;

 private:
  ApacheLog log_;

 public:
  Writer writer;

 private:
  std::mutex lock_;
  std::vector<std::unique_ptr<Desk>> desks_;  // that are free
};

class DeskLease {
 public:
  explicit DeskLease(Child& child) : child_(child), desk_(child.take_desk()) {}
  ~DeskLease() { child_.give_back(std::move(desk_)); }
  DeskLease(const DeskLease&) = delete;
  DeskLease& operator=(const DeskLease&) = delete;

  Desk* operator->() const { return desk_.get(); }

 private:
  Child& child_;
  std::unique_ptr<Desk> desk_;
};

// Null where there is no WeirRedis, and where a child could not start its threads.
Child* current_child();

// httpd's hooks.
void start_child(apr_pool_t* pchild, server_rec* main_server) noexcept;
void leave_child(apr_pool_t* pchild, int graceful) noexcept;

// In the parent, of the configuration that its children get.
Shared& shared_memory();

}  // namespace weir
