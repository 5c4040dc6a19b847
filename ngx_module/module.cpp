// ngx_http_weir_module: what nginx looks for when it loads the module, and the worker's beginning
// and end.
#include "ngx_module/nginx.h"

#include "ngx_module/directives.h"
#include "ngx_module/worker.h"

namespace weir {
namespace {

Worker* worker = nullptr;  // made and ended below, by the one thread that a worker has

bool serves_requests() {
  return ngx_process == NGX_PROCESS_WORKER || ngx_process == NGX_PROCESS_SINGLE;
}

ngx_int_t init_process(ngx_cycle_t* cycle) noexcept {
  const RedisTarget* target = redis_target(cycle);
  if (target == nullptr || !serves_requests()) return NGX_OK;
  try {
    worker = new Worker(*target);
    worker->redis.start();
    return NGX_OK;
  } catch (...) {
    ngx_log_error(NGX_LOG_EMERG, cycle->log, 0, "weir has no memory for a worker");
    return NGX_ERROR;
  }
}

void exit_process(ngx_cycle_t*) noexcept {
  delete worker;
  worker = nullptr;
}

ngx_http_module_t module_context = {
    nullptr,               // preconfiguration
    nullptr,               // postconfiguration
    create_main_conf,      //
    nullptr,               // init_main_conf
    nullptr,               // create_srv_conf
    nullptr,               // merge_srv_conf
    create_location_conf,  //
    merge_location_conf,   //
};

}  // namespace

Worker* current_worker() { return worker; }

}  // namespace weir

ngx_module_t ngx_http_weir_module = {
    NGX_MODULE_V1,
    &weir::module_context,
    weir::directives,
    NGX_HTTP_MODULE,
    nullptr,             // init_master
    nullptr,             // init_module
    weir::init_process,  // in each worker, after the fork
    nullptr,             // init_thread
    nullptr,             // exit_thread
    weir::exit_process,  // in each worker
    nullptr,             // exit_master
    NGX_MODULE_V1_PADDING,
};
