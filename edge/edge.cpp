#include "edge/edge.h"

#include <malloc.h>

#include <csignal>

#include <algorithm>
#include <new>
#include <utility>

#include "core/http/health.h"
#include "core/metrics/render.h"
#include "core/redis/settings.h"

namespace weir {
namespace {

constexpr std::chrono::seconds kPublishEvery{1};

// Without a spool there is nowhere else to go while Redis is slow: requests wait the whole timeout,
// unless the configuration says otherwise.
CourierSettings courier_settings(const EdgeSettings& settings, const Host& host, bool replicated) {
  const RedisTarget& target = *settings.redis;
  CourierSettings courier = target.courier;
  courier.stream = stream_of(courier, target.shards, host.number);
  courier.seed = host.process * 2 + (replicated ? 1 : 0);
  if (!settings.spool && !target.names_patience) courier.patience = courier.timeout;
  return courier;
}

LinkSettings link_settings(const EdgeSettings& settings, const Host& host, bool replicated) {
  const std::string suffix = replicated ? ", for wait=" : "";
  LinkSettings link{
      settings.redis->name + suffix, {}, courier_settings(settings, host, replicated)};
  for (const auto& address : settings.redis->addresses) {
    link.addresses.push_back(address.name + suffix);
  }
  return link;
}

// Redis' WAIT holds up a connection, so that those who want it have one of their own.
std::unique_ptr<RedisLink> open_replicated(const EdgeSettings& settings, const Host& host,
                                           Metrics& metrics) {
  if (!settings.wants_replicas) return nullptr;
  return std::make_unique<RedisLink>(link_settings(settings, host, true), host.replicated,
                                     host.clock, host.log, metrics);
}

SpoolWriter* open_spool(const EdgeSettings& settings, const Host& host, SpoolLog& log,
                        std::optional<Spool>& spool) {
  if (!settings.spool) return nullptr;
  return &spool.emplace(*settings.spool, host.background, log);
}

// glibc hands back to the system what is freed of a size that it took from there, which at first is
// 128 KiB. Freed once, 28 MB would count as an ordinary block, and so would twice as much that is
// free: a worker would keep for good what its largest request took. Named, the size stays.
void keep_no_large_blocks() noexcept { mallopt(M_MMAP_THRESHOLD, 128 << 10); }

BreakerState state_of(Breaker::State state) {
  if (state == Breaker::State::closed) return BreakerState::closed;
  return state == Breaker::State::half_open ? BreakerState::half_open : BreakerState::open;
}

void describe(const Courier& courier, KeepStatus& status) {
  status.redis = courier.condition();
  status.breaker = state_of(courier.breaker());
  status.in_flight = courier.waiting();
  const StreamFacts& stream = courier.stream();
  status.stream.entries = stream.length;
  status.stream.bytes = stream.memory;
  if (stream.oldest_ms) {
    status.stream.oldest_at = static_cast<Timestamp>(*stream.oldest_ms) * 1000;
  }
  status.stream.too_long = courier.stream_too_long();
}

}  // namespace

// They run as one user, so what may not be signalled is none of them.
bool process_lives(std::uint64_t process) { return kill(static_cast<pid_t>(process), 0) == 0; }

Edge::Edge(const EdgeSettings& settings, const Host& host)
    : host_(host),
      metrics(&host.metrics, host.process, process_lives),
      redis(link_settings(settings, host, false), host.redis, host.clock, host.log, metrics),
      replicated(open_replicated(settings, host, metrics)),
      keeper({&redis, replicated.get(), open_spool(settings, host, *this, spool)}) {}

Edge::~Edge() { publish(); }  // what was counted since it did so last

void Edge::start() noexcept {
  keep_no_large_blocks();
  publish_at_ = host_.clock.steady() + kPublishEvery;
  redis.start();
  if (replicated) replicated->start();
  if (spool) spool->start(host_.clock.steady());
}

void Edge::speak(bool speaks) noexcept {
  speaks_ = speaks;
  redis.speak(speaks);
}

Edge::Time Edge::due() const noexcept {
  Time due = publish_at_;
  if (const auto next = redis.due()) due = std::min(due, *next);
  if (replicated) due = std::min(due, replicated->due().value_or(due));
  if (spool) due = std::min(due, spool->due());
  return due;
}

// A process that leaves leaves what is in the spool to those that come after it.
void Edge::tick() noexcept {
  redis.tick();
  if (replicated) replicated->tick();
  const Time now = host_.clock.steady();
  if (spool && spool->due() <= now) {
    if (leaving_) spool->leave();
    spool->tick(now, !leaving_ && keeper.may_drain() ? &keeper : nullptr);
  }
  if (publish_at_ > now) return;
  publish_at_ = now + kPublishEvery;
  publish();
}

void Edge::leave() noexcept {
  leaving_ = true;
  if (spool) spool->leave();
}

bool Edge::busy() const noexcept {
  return redis.pressing() || (replicated && replicated->pressing()) || (spool && spool->busy());
}

Answer Edge::tell(Endpoint endpoint, std::string& page) {
  const Timestamp now = host_.clock.wall();
  if (endpoint == Endpoint::health) return health_answer(status_for_health(), now, page);
  publish();
  page = render_metrics(host_.metrics, process_lives, now);
  Answer answer;
  answer.body = page;
  answer.media = kMetricsMedia;
  return answer;
}

// Shows the others how it is here: whoever is asked for metrics tells of all.
void Edge::publish() noexcept { weir::publish(status(), host_.clock.wall(), metrics); }

KeepStatus Edge::status() const {
  KeepStatus status;
  status.tells_of_stream = speaks_ && !leaving_;
  describe(redis.courier(), status);
  if (replicated) status.replicated = replicated->courier().condition();
  if (spool) status.spool = spool->status();
  return status;
}

// One process alone looks at the stream's oldest entry; the others know it from what it has
// published.
KeepStatus Edge::status_for_health() const {
  KeepStatus known = status();
  if (known.stream.oldest_at) return known;
  const auto oldest = earliest(host_.metrics, Gauge::stream_oldest_at, process_lives);
  if (oldest != 0) known.stream.oldest_at = static_cast<Timestamp>(oldest);
  return known;
}

void Edge::note(std::string_view sentence) noexcept { say(Log::Level::notice, sentence); }

void Edge::warn(std::string_view sentence) noexcept { say(Log::Level::warning, sentence); }

void Edge::say(Log::Level level, std::string_view sentence) noexcept {
  try {
    host_.log.write(level, "weir: " + std::string(sentence));
  } catch (...) {
    host_.log.write(level, sentence);
  }
}

std::string_view exception_sentence(std::string& text) noexcept {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    return "weir had no memory for a request";
  } catch (const std::exception& error) {
    try {
      return text = std::string("weir failed in a request: ") + error.what();
    } catch (...) {
      return "weir failed in a request, and had no memory to say why";
    }
  } catch (...) {
    return "weir failed in a request";
  }
}

}  // namespace weir
