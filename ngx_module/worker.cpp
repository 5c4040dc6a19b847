#include "ngx_module/worker.h"

namespace weir {
namespace {

std::optional<SpoolLink>& open_spool(std::optional<SpoolLink>& spool, const MainConf& conf) {
  if (conf.spool) spool.emplace(*conf.spool);
  return spool;
}

// Without a spool there is nowhere else to go while Redis is slow: requests wait the whole timeout,
// unless the configuration says otherwise.
RedisTarget with_patience(const MainConf& conf) {
  RedisTarget target = *conf.redis;
  if (!conf.spool && !target.names_patience) target.courier.patience = target.courier.timeout;
  return target;
}

// Redis' WAIT holds up a connection, so that those who want it have one of their own.
std::unique_ptr<RedisLink> open_replicated(const MainConf& conf, Metrics& metrics) {
  if (!conf.wants_replicas) return nullptr;
  RedisTarget target = with_patience(conf);
  target.for_replicas = true;
  target.name += ", for wait=";
  for (RedisTarget::Address& address : target.addresses) address.name += ", for wait=";
  return std::make_unique<RedisLink>(target, metrics);
}

}  // namespace

Worker::Worker(const MainConf& conf)
    : metrics(metrics_memory(conf.metrics), static_cast<std::uint64_t>(ngx_pid), process_lives),
      shared_metrics(*metrics_memory(conf.metrics)),
      redis(with_patience(conf), metrics),
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
  redis.describe(status);
  if (spool) status.spool = spool->writer().status();
  return status;
}

}  // namespace weir
