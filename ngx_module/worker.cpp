#include "ngx_module/worker.h"

#include <algorithm>
#include <array>

#include "core/redis/settings.h"
#include "ngx_module/metrics_zone.h"

namespace weir {
namespace {

using std::chrono::milliseconds;

constexpr ngx_msec_t kGreetingWait = 250;

}  // namespace

Worker::Worker(const MainConf& conf)
    : redis_(conf.edge.redis->addresses, *this),
      replicated_(conf.edge.redis->addresses, *this),
      threads_(conf.threads, *this),
      timer_owner_(),
      timer_(),
      turn_end_(),
      edge(conf.edge, {clock, log_, redis_, replicated_, threads_, *metrics_memory(conf.metrics),
                       static_cast<std::uint64_t>(ngx_pid), ngx_worker}) {
  redis_.serve(edge.redis);
  if (edge.replicated) replicated_.serve(*edge.replicated);
  edge.speak(is_first_of_stream(conf.edge.redis->shards, ngx_worker));
  timer_owner_.fd = -1;
  timer_owner_.data = this;
  timer_.data = &timer_owner_;
  timer_.log = ngx_cycle->log;
  timer_.handler = on_timer;
  turn_end_.data = this;
  turn_end_.log = ngx_cycle->log;
  turn_end_.handler = on_turn_end;
}

Worker::~Worker() {
  if (timer_.timer_set) ngx_del_timer(&timer_);
  if (turn_end_.posted) {
    ngx_delete_posted_event(&turn_end_);  // which is more than one statement
  }
}

void Worker::start() {
  edge.start();
  look_for_redis();
  watch();
}

std::chrono::steady_clock::time_point Worker::moment() noexcept {
  if (!moment_) {
    moment_ = std::chrono::steady_clock::now();
    ngx_post_event(&turn_end_, &ngx_posted_events);
  }
  return *moment_;
}

void Worker::on_turn_end(ngx_event_t* event) noexcept {
  static_cast<Worker*>(event->data)->moment_.reset();
}

// By poll(), since nginx's loop is not running yet.
void Worker::look_for_redis() noexcept {
  const auto until = clock.steady() + milliseconds(kGreetingWait);
  while (!edge.settled() && clock.steady() < until) {
    const auto wait = std::min(edge.due(), until) - clock.steady();
    std::array<pollfd, 2> descriptors{redis_.to_poll(), replicated_.to_poll()};
    poll(descriptors.data(), descriptors.size(),
         static_cast<int>(std::chrono::ceil<milliseconds>(wait).count()));
    ngx_time_update();
    redis_.polled(descriptors[0].revents);
    replicated_.polled(descriptors[1].revents);
    edge.tick();
  }
}

void Worker::on_timer(ngx_event_t* event) noexcept {
  static_cast<Worker*>(static_cast<ngx_connection_t*>(event->data)->data)->tick();
}

void Worker::tick() noexcept {
  if (ngx_exiting) edge.leave();
  redis_.read_pending();
  replicated_.read_pending();
  edge.tick();
  watch();
}

// A timer that stands too early just looks again; so one that is set is moved only to an earlier
// time. What nobody waits for does not keep a worker that was told to quit.
void Worker::watch() noexcept {
  timer_.cancelable = edge.busy() || threads_.running() > 0 ? 0 : 1;
  const auto left = std::chrono::ceil<milliseconds>(edge.due() - clock.steady()).count();
  const auto wait = static_cast<ngx_msec_t>(std::max<decltype(left)>(left, 1));
  if (timer_.timer_set) {
    const auto later = static_cast<ngx_msec_int_t>(timer_.timer.key - (ngx_current_msec + wait));
    if (later <= 0) return;
    ngx_del_timer(&timer_);  // nginx would keep one that is only somewhat later
  }
  ngx_add_timer(&timer_, wait);
}

}  // namespace weir
