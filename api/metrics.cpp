#include "api/metrics.h"

#include <cstdint>
#include <string_view>

namespace weir::api {
namespace {

class Page {
 public:
  void family(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    ((((text += "# HELP ") += name) += ' ') += help) += '\n';
    ((((text += "# TYPE ") += name) += ' ') += type) += '\n';
  }
  void sample(std::string_view labels, std::uint64_t value) {
    ((((text += name_) += labels) += ' ') += std::to_string(value)) += '\n';
  }

  std::string text;

 private:
  std::string name_;
};

void add_pools(Page& page, const PoolStatus& figures, const PoolStatus& streams) {
  constexpr std::string_view kFigures = "{pool=\"figures\"}", kStreams = "{pool=\"streams\"}";
  const auto both = [&](std::uint64_t of_figures, std::uint64_t of_streams) {
    page.sample(kFigures, of_figures);
    page.sample(kStreams, of_streams);
  };
  page.family("weir_api_postgres_up", "gauge", "Whether PostgreSQL can be asked.");
  both(figures.why_away.empty() ? 1 : 0, streams.why_away.empty() ? 1 : 0);
  page.family("weir_api_sessions", "gauge", "Sessions of PostgreSQL that are open.");
  both(figures.sessions, streams.sessions);
  page.family("weir_api_sessions_busy", "gauge", "Of these, how many answer at this moment.");
  both(figures.busy, streams.busy);
  page.family("weir_api_queries_waiting", "gauge", "Queries that wait for a session.");
  both(figures.waiting, streams.waiting);
  page.family("weir_api_queries_total", "counter", "Queries that were sent.");
  both(figures.queries, streams.queries);
  page.family("weir_api_queries_cancelled_total", "counter", "Queries whose clients all left.");
  both(figures.cancelled, streams.cancelled);
  page.family("weir_api_queries_refused_total", "counter",
              "Queries that were not sent: PostgreSQL away, queue full, or waited too long.");
  both(figures.refused, streams.refused);
}

}  // namespace

std::string metrics_page(const ServerCounts& server, const PoolStatus& figures,
                         const PoolStatus& streams, const Flights& flights) {
  Page page;
  page.family("weir_api_connections", "gauge", "Connections of the web server that are open.");
  page.sample("", server.connections);
  page.family("weir_api_connections_refused_total", "counter", "Connections beyond the bound.");
  page.sample("", server.turned_away);
  page.family("weir_api_answers_total", "counter", "Answers by the first digit of their status.");
  for (std::size_t i = 2; i < 6; ++i) {
    page.sample("{class=\"" + std::to_string(i) + "xx\"}", server.by_class[i]);
  }
  page.family("weir_api_cache_hits_total", "counter", "Answers that were kept.");
  page.sample("", flights.hits());
  page.family("weir_api_shared_total", "counter", "Requests that waited for another one's query.");
  page.sample("", flights.shared());
  page.family("weir_api_cache_bytes", "gauge", "Memory of the answers that are kept.");
  page.sample("", flights.bytes());
  add_pools(page, figures, streams);
  return page.text;
}

}  // namespace weir::api
