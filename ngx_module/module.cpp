// ngx_http_weir_module: what nginx looks for when it loads the module, and the worker's beginning
// and end.
#include "ngx_module/nginx.h"

#include "ngx_module/directives.h"
#include "ngx_module/spool_directive.h"
#include "ngx_module/worker.h"

namespace weir {
namespace {

Worker* worker = nullptr;  // made and ended below, by the one thread that a worker has

bool serves_requests() {
  return ngx_process == NGX_PROCESS_WORKER || ngx_process == NGX_PROCESS_SINGLE;
}

// In the master, or at a start or reload's check: `ngx_cycle` is still the one before.
ngx_int_t init_module(ngx_cycle_t* cycle) noexcept {
  try {
    warn_of_left_spool(main_conf(const_cast<ngx_cycle_t*>(ngx_cycle)), main_conf(cycle),
                       cycle->log);
  } catch (...) {
    return NGX_ERROR;
  }
  return NGX_OK;
}

ngx_int_t init_process(ngx_cycle_t* cycle) noexcept {
  const MainConf* conf = main_conf(cycle);
  if (conf == nullptr || !conf->edge.redis || !serves_requests()) return NGX_OK;
  try {
    worker = new Worker(*conf);
    worker->start();
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
    init_main_conf,        //
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
    weir::init_module,   // once a configuration is taken
    weir::init_process,  // in each worker, after the fork
    nullptr,             // init_thread
    nullptr,             // exit_thread
    weir::exit_process,  // in each worker
    nullptr,             // exit_master
    NGX_MODULE_V1_PADDING,
};
