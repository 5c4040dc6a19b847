#include "ngx_module/tell.h"

#include "core/http/health.h"
#include "core/metrics/render.h"
#include "ngx_module/clock.h"
#include "ngx_module/metrics_zone.h"
#include "ngx_module/worker.h"

namespace weir {

Answer tell(Endpoint endpoint, std::string& page) {
  Worker& worker = *current_worker();
  if (endpoint == Endpoint::health) return health_answer(worker.keep_status(), wall_time(), page);
  worker.publish();
  page = render_metrics(worker.shared_metrics, process_lives, wall_time());
  Answer answer;
  answer.body = page;
  answer.media = kMetricsMedia;
  return answer;
}

}  // namespace weir
