// What the server does with a request, whichever way it came: finds the route, reads the
// parameters, asks whether the viewer may see the tenant, and answers from what is kept or from
// PostgreSQL.
//
//   Service service(World{permissions, figures, streams, clock, today, why_away, metrics, log},
//                   settings);
//   service.answer(request, client);             // client hears of it, now or later
//
//   method, path, viewer, parameters ──► which tenants may this viewer see? ──┬──► a flight for all
//        405, 404, 401, 400                     403, 400 (kept for 1 s)         │
//                                                                               └──► streamed rows
//
// The permission is looked up before anything is taken from what is kept, and PostgreSQL looks once
// more: each figure's function there gets the viewer's name too. What is kept is kept by tenant,
// path and parameters, not by viewer.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "api/client.h"
#include "api/database.h"
#include "api/flights.h"
#include "api/problem.h"
#include "api/route.h"
#include "api/target.h"
#include "core/event/day.h"

namespace weir::api {

struct World {
  Database& permissions;  // for looking up who may see what, which waits for no figure
  Database& figures;
  Database& streams;  // for rows as CSV, so that slow readers hold up nobody else
  Flights::Clock clock;
  std::function<Day()> today;             // UTC
  std::function<std::string()> why_away;  // "": PostgreSQL is there
  std::function<std::string()> metrics;   // a page for Prometheus
  std::function<void(std::string_view)> log_error;
  // Calls with the client, at once or when its turn has come: see pace.h.
  using Call = std::function<void(const std::shared_ptr<Client>&)>;
  std::function<void(const std::shared_ptr<Client>&, Call)> in_turn =
      [](const std::shared_ptr<Client>& client, const Call& call) { call(client); };
};

struct Settings {
  std::size_t cache_bytes = 16 << 20;
  std::size_t answer_bytes = 64 << 20;
  std::string proof{};                 // what the web server has to send; empty: nothing
  std::size_t ahead_bytes = 16 << 20;  // of all streams together
  std::chrono::milliseconds cache_time{5000};
};

class Service {
 public:
  static constexpr std::chrono::milliseconds kPermissionTime{1000};
  static constexpr int kMostViewer = 128;  // bytes of a name

  static constexpr std::size_t kPermissionBytes = 4 << 20;

  Service(World world, const Settings& settings);

  void answer(const Request& request, const std::shared_ptr<Client>& client);

  const World& world() const { return world_; }
  const Settings& settings() const { return settings_; }
  Flights& flights() { return flights_; }
  Flights& permissions() { return permissions_; }
  const Scale& scale() const { return scale_; }
  const Scale& stream_scale() const { return stream_scale_; }

 private:
  void answer_figure(const Request& request, const Target& target, const Route& route,
                     const std::shared_ptr<Client>& client);

  const World world_;
  const Settings settings_;
  Scale scale_, stream_scale_, permission_scale_{2 * kPermissionBytes};
  Flights flights_, permissions_;
};

// Which of `tenants` a request means that names `wanted` or none.
std::variant<std::string, Problem> choose_tenant(const std::vector<std::string>& tenants,
                                                 const std::optional<std::string>& wanted);

}  // namespace weir::api
