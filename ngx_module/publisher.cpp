#include "ngx_module/publisher.h"

#include "ngx_module/worker.h"

namespace weir {
namespace {

constexpr ngx_msec_t kEvery = 1000;

}  // namespace

Publisher::Publisher() : timer_owner_(), timer_() {
  timer_owner_.fd = -1;
  timer_owner_.data = this;
  timer_.data = &timer_owner_;
  timer_.log = ngx_cycle->log;
  timer_.handler = on_timer;
  timer_.cancelable = 1;  // a worker that is told to quit does not wait for it
}

Publisher::~Publisher() {
  if (timer_.timer_set) ngx_del_timer(&timer_);
}

void Publisher::start() { ngx_add_timer(&timer_, kEvery); }

void Publisher::on_timer(ngx_event_t* event) noexcept {
  current_worker()->publish();
  ngx_add_timer(event, kEvery);
}

}  // namespace weir
