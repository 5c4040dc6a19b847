#include "core/redis/link.h"

#include <cerrno>
#include <cstring>
#include <utility>

namespace weir {

RedisLink::RedisLink(LinkSettings settings, RedisTransport& transport, const Clock& clock, Log& log,
                     Metrics& metrics)
    : settings_(std::move(settings)),
      transport_(transport),
      clock_(clock),
      log_(log),
      metrics_(metrics),
      courier_(settings_.courier, *this),
      outage_(settings_.courier.seed) {}

RedisLink::~RedisLink() {
  transport_.disconnect();
  count();
}

void RedisLink::speak(bool speaks) noexcept {
  speaks_ = speaks;
  courier_.watch_oldest(speaks);
}

Courier::Submitted RedisLink::submit(std::string_view record, Customer& customer,
                                     Terms terms) noexcept {
  const auto submitted = courier_.submit(record, customer, clock_.steady(), nullptr, terms);
  if (submitted == Courier::Submitted::full) metrics_.add(Metric::full_records);
  if (submitted == Courier::Submitted::taken) transport_.changed();
  return submitted;
}

void RedisLink::connect() noexcept {
  was_ready_ = false;
  state_ = State::connecting;
  due_ = clock_.steady() + settings_.courier.timeout;
  if (const int error = transport_.connect(address_)) lost("cannot connect", error);
}

void RedisLink::opened() noexcept {
  state_ = State::open;
  due_.reset();
  courier_.connected(clock_.steady());
  transport_.changed();
}

bool RedisLink::feed(std::string_view bytes) noexcept {
  const bool makes_sense = courier_.feed(bytes, clock_.steady());
  if (!makes_sense) lost("its answers are not those wanted", 0);
  count();
  if (makes_sense) transport_.changed();
  return makes_sense;
}

void RedisLink::lost(const char* what, int error) noexcept {
  transport_.disconnect();
  state_ = State::waiting;
  metrics_.add(Metric::lost_connections);
  metrics_.set(Gauge::redis_ready, 0);
  courier_.closed();
  count();
  const Time now = clock_.steady();
  if (!was_ready_ && next_address()) {
    due_ = now + std::chrono::milliseconds(1);
  } else {
    looked_everywhere_ = true;
    const auto loss = outage_.lost(now);
    due_ = now + loss.wait;
    if (loss.tell) tell_loss(what, error, loss.wait);
  }
  transport_.changed();
}

// False: all of them have failed.
bool RedisLink::next_address() noexcept {
  const std::size_t addresses = settings_.addresses.size();
  address_ = (address_ + 1) % addresses;
  failed_addresses_ = (failed_addresses_ + 1) % addresses;
  return failed_addresses_ != 0;
}

void RedisLink::tell_loss(const char* what, int error, std::chrono::milliseconds wait) noexcept {
  try {
    std::string sentence = "weir has no Redis at " + settings_.name + ": " + what +
                           "; it tries again in " + std::to_string(wait.count()) +
                           " ms, and until then records go to the spool or are answered 503";
    if (error != 0) sentence += " (" + std::to_string(error) + ": " + std::strerror(error) + ")";
    log_.write(Log::Level::error, sentence);
  } catch (...) {
    log_.write(Log::Level::error, "weir has no Redis, and no memory to say more");
  }
}

std::optional<RedisLink::Time> RedisLink::due() const {
  return state_ == State::open ? courier_.deadline() : due_;
}

void RedisLink::tick() noexcept {
  const auto when = due();
  const Time now = clock_.steady();
  if (!when || *when > now) return;
  if (state_ == State::waiting) return connect();
  if (state_ == State::connecting) return lost("cannot connect", ETIMEDOUT);
  if (courier_.expire(now)) return lost("no answer in time", 0);
  courier_.ask(now);
  count();
  transport_.changed();
}

// What came since the last time; at least once a second, since the stream is looked at that often.
void RedisLink::count() noexcept {
  constexpr std::pair<Outcome, Metric> kMetrics[] = {
      {Outcome::acknowledged, Metric::acknowledged_records},
      {Outcome::refused, Metric::refused_records},
      {Outcome::unfit, Metric::refused_records},
      {Outcome::late, Metric::late_records},
      {Outcome::timed_out, Metric::timed_out_records},
      {Outcome::lost, Metric::lost_records},
  };
  const CourierCounters& counters = courier_.counters();
  for (const auto& [outcome, metric] : kMetrics) {
    if (const auto more = counters[outcome] - counted_[outcome]) metrics_.add(metric, more);
  }
  counted_ = counters;
  const auto openings = courier_.breaker_openings() - counted_openings_;
  if (openings > 0) metrics_.add(Metric::breaker_openings, openings);
  counted_openings_ += openings;
}

void RedisLink::ready() noexcept {
  metrics_.set(Gauge::redis_ready, 1);
  was_ready_ = true;
  looked_everywhere_ = false;
  failed_addresses_ = 0;
  if (outage_.over()) {
    say(Log::Level::notice, "weir keeps its records in Redis at ", settings_.addresses[address_]);
  }
}

void RedisLink::warn(std::string_view sentence) noexcept {
  say(Log::Level::warning, "weir: ", sentence);
}

void RedisLink::unsafe(std::string_view sentence) noexcept {
  if (speaks_) warn(sentence);
}

void RedisLink::say(Log::Level level, const char* beginning, std::string_view rest) noexcept {
  try {
    log_.write(level, std::string(beginning) + std::string(rest));
  } catch (...) {
    log_.write(level, rest);
  }
}

}  // namespace weir
