#include "api/metrics.h"

#include <cstdint>
#include <string>
#include <string_view>

#include "core/metrics/page.h"

namespace weir::api {
namespace {

// Families one after the other, each with its samples.
class Page {
 public:
  void family(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    page_.head(name, help, type);
  }
  template <typename Number>
  void sample(std::string_view labels, Number value) {
    page_.line(name_, labels, value);
  }
  std::string take() { return page_.take(); }

 private:
  MetricsPage page_;
  std::string name_;
};

void add_pools(Page& page, const Pools& pools) {
  const auto family = [&](std::string_view name, std::string_view type, std::string_view help,
                          auto value) {
    page.family(name, type, help);
    for (const auto& [pool, status] : pools) {
      page.sample("pool=\"" + std::string(pool) + '"', value(status));
    }
  };
  using Status = const PoolStatus&;
  family("weir_api_postgres_up", "gauge", "Whether PostgreSQL can be asked.",
         [](Status of) -> std::uint64_t { return of.why_away.empty() ? 1 : 0; });
  family("weir_api_sessions", "gauge", "Sessions of PostgreSQL that are open.",
         [](Status of) { return of.sessions; });
  family("weir_api_sessions_busy", "gauge", "Of these, how many answer at this moment.",
         [](Status of) { return of.busy; });
  family("weir_api_queries_waiting", "gauge", "Queries that wait for a session.",
         [](Status of) { return of.waiting; });
  family("weir_api_queries_total", "counter", "Queries that were sent.",
         [](Status of) { return of.queries; });
  family("weir_api_queries_cancelled_total", "counter", "Queries whose clients all left.",
         [](Status of) { return of.cancelled; });
  family("weir_api_queries_refused_total", "counter",
         "Queries that were not sent: PostgreSQL away, queue full, or waited too long.",
         [](Status of) { return of.refused; });
}

}  // namespace

std::string metrics_page(const ServerCounts& server, Service& service, const Pools& pools,
                         double allowance) {
  const Flights& flights = service.flights();
  Page page;
  page.family("weir_api_connections", "gauge", "Connections of the web server that are open.");
  page.sample("", server.connections);
  page.family("weir_api_connections_refused_total", "counter", "Connections beyond the bound.");
  page.sample("", server.turned_away);
  page.family("weir_api_answers_total", "counter", "Answers by the first digit of their status.");
  for (std::size_t i = 2; i < 6; ++i) {
    page.sample("class=\"" + std::to_string(i) + "xx\"", server.by_class[i]);
  }
  page.family("weir_api_cache_hits_total", "counter", "Answers that were kept.");
  page.sample("", flights.hits());
  page.family("weir_api_shared_total", "counter", "Requests that waited for another one's query.");
  page.sample("", flights.shared());
  page.family("weir_api_cache_bytes", "gauge", "Memory of the answers that are kept.");
  page.sample("", flights.bytes());
  page.family("weir_api_answer_bytes", "gauge", "Memory of answers, kept or on their way.");
  page.sample("", service.scale().bytes());
  page.family("weir_api_ahead_bytes", "gauge", "Memory of rows that wait for slow readers.");
  page.sample("", service.stream_scale().bytes());
  page.family("weir_api_figure_seconds_allowed", "gauge",
              "How long sessions may work on figures, in seconds a second: fewer while the machine "
              "is full.");
  page.sample("", allowance);
  add_pools(page, pools);
  return page.take();
}

}  // namespace weir::api
