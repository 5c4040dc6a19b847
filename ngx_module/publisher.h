// Puts the worker's gauges where all workers' figures are added up, once a second: whoever is asked
// for metrics tells of all workers, and those that are not asked have to have said it before.
//
//   Publisher publisher;
//   publisher.start();          // in init_process
#pragma once

#include "ngx_module/nginx.h"

namespace weir {

class Publisher {
 public:
  Publisher();
  ~Publisher();
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  void start();

 private:
  static void on_timer(ngx_event_t* event) noexcept;

  ngx_connection_t timer_owner_;  // nginx reads the fd of a timer's data for its debug log
  ngx_event_t timer_;
};

}  // namespace weir
