#include "ngx_module/worker.h"

#include "core/redis/settings.h"

namespace weir {
namespace {

std::optional<SpoolLink>& open_spool(std::optional<SpoolLink>& spool, const MainConf& conf) {
  if (conf.spool) spool.emplace(*conf.spool);
  return spool;
}

// Without a spool there is nowhere else to go while Redis is slow: requests wait the whole timeout,
// unless the configuration says otherwise.
RedisTarget target_of_worker(const MainConf& conf) {
  RedisTarget target = *conf.redis;
  target.courier.stream = stream_of(target.courier, target.shards, ngx_worker);
  if (!conf.spool && !target.names_patience) target.courier.patience = target.courier.timeout;
  return target;
}

// Redis' WAIT holds up a connection, so that those who want it have one of their own.
std::unique_ptr<RedisLink> open_replicated(const MainConf& conf, Metrics& metrics) {
  if (!conf.wants_replicas) return nullptr;
  RedisTarget target = target_of_worker(conf);
  target.for_replicas = true;
  target.name += ", for wait=";
  for (RedisTarget::Address& address : target.addresses) address.name += ", for wait=";
  return std::make_unique<RedisLink>(target, metrics);
}

}  // namespace

Worker::Worker(const MainConf& conf)
    : metrics(metrics_memory(conf.metrics), static_cast<std::uint64_t>(ngx_pid), process_lives),
      shared_metrics(*metrics_memory(conf.metrics)),
      tells_of_stream(is_first_of_stream(conf.redis->shards, ngx_worker)),
      redis(target_of_worker(conf), metrics),
      replicated(open_replicated(conf, metrics)),
      keeper({&redis, replicated.get(), open_spool(spool, conf) ? &spool->writer() : nullptr}) {}

void Worker::start() {
  redis.start();
  if (replicated) replicated->start();
  if (spool) spool->start(keeper);
  publisher.start();
}

KeepStatus Worker::keep_status() {
  KeepStatus status;
  status.tells_of_stream = tells_of_stream && !ngx_exiting;
  redis.describe(status);
  if (spool) status.spool = spool->writer().status();
  return status;
}

}  // namespace weir
