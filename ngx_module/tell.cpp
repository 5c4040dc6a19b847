#include "ngx_module/tell.h"

#include "core/http/health.h"
#include "core/metrics/render.h"
#include "ngx_module/clock.h"
#include "ngx_module/metrics_zone.h"
#include "ngx_module/worker.h"

namespace weir {
namespace {

// One worker alone looks at the stream's oldest entry; the others know it from what it has
// published.
KeepStatus status_for_health(Worker& worker) {
  KeepStatus status = worker.keep_status();
  if (status.stream.oldest_at) return status;
  const auto oldest = earliest(worker.shared_metrics, Gauge::stream_oldest_at, process_lives);
  if (oldest != 0) status.stream.oldest_at = static_cast<Timestamp>(oldest);
  return status;
}

}  // namespace

Answer tell(Endpoint endpoint, std::string& page) {
  Worker& worker = *current_worker();
  if (endpoint == Endpoint::health)
    return health_answer(status_for_health(worker), wall_time(), page);
  worker.publish();
  page = render_metrics(worker.shared_metrics, process_lives, wall_time());
  Answer answer;
  answer.body = page;
  answer.media = kMetricsMedia;
  return answer;
}

}  // namespace weir
