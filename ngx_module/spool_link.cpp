#include "ngx_module/spool_link.h"

#include <algorithm>

#include "ngx_module/clock.h"

namespace weir {

SpoolLink::SpoolLink(const SpoolTarget& target)
    : threads_(target.threads, *this),
      spool_(target.settings, threads_, *this),
      timer_owner_(),
      timer_() {
  timer_owner_.fd = -1;
  timer_owner_.data = this;
  timer_.data = &timer_owner_;
  timer_.log = ngx_cycle->log;
  timer_.handler = on_timer;
  timer_.cancelable = 1;
}

SpoolLink::~SpoolLink() {
  if (timer_.timer_set) ngx_del_timer(&timer_);
}

void SpoolLink::start(Keeper& keeper) {
  keeper_ = &keeper;
  spool_.start(loop_time());
  watch();
}

void SpoolLink::on_timer(ngx_event_t* event) noexcept {
  static_cast<SpoolLink*>(static_cast<ngx_connection_t*>(event->data)->data)->tick();
}

// An old worker leaves what is in the spool to those that come after it.
void SpoolLink::tick() noexcept {
  if (ngx_exiting) spool_.leave();
  const bool may_drain = !ngx_exiting && keeper_->may_drain();
  spool_.tick(loop_time(), may_drain ? keeper_ : nullptr);
  watch();
}

// Clients that wait for a sync keep a worker that was told to quit; looking after files does not.
void SpoolLink::watch() noexcept {
  timer_.cancelable = spool_.busy() || threads_.running() > 0 ? 0 : 1;
  using std::chrono::milliseconds;
  const auto left = std::chrono::ceil<milliseconds>(spool_.due() - loop_time()).count();
  const auto wait = static_cast<ngx_msec_t>(std::max<decltype(left)>(left, 1));
  if (timer_.timer_set) ngx_del_timer(&timer_);  // nginx would keep one that is only somewhat later
  ngx_add_timer(&timer_, wait);
}

void SpoolLink::note(std::string_view sentence) noexcept {
  ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0, "weir: %*s", WEIR_TEXT(sentence));
}

void SpoolLink::warn(std::string_view sentence) noexcept {
  ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0, "weir: %*s", WEIR_TEXT(sentence));
}

}  // namespace weir
