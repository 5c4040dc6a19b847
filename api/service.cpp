#include "api/service.h"

#include <algorithm>
#include <utility>

#include "api/arguments.h"
#include "api/failure.h"
#include "api/figure.h"
#include "api/openapi.h"
#include "api/proof.h"
#include "core/json/text.h"

namespace weir::api {
namespace {

void send(const std::shared_ptr<Client>& client, const Problem& problem) {
  client->send(response_of(problem));
}

bool is_viewer(const std::string& name) {
  const bool fits = !name.empty() && name.size() <= static_cast<std::size_t>(Service::kMostViewer);
  return fits && !find_bad_text(name) && std::none_of(name.begin(), name.end(), [](char c) {
           return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
         });
}

Response page(std::string type, std::string body) {
  return {200,
          std::move(type),
          std::make_shared<const std::string>(std::move(body)),
          {{"Cache-Control", "no-store"}}};
}

Response health(const std::string& why_away) {
  if (why_away.empty()) return page("application/json", "{\"status\":\"ok\"}\n");
  return response_of(problem_of(Failure{Failure::Kind::away, why_away}));
}

}  // namespace

Service::Service(World world, const Settings& settings)
    : world_(std::move(world)),
      settings_(settings),
      scale_(settings.answer_bytes),
      stream_scale_(settings.ahead_bytes),
      flights_(world_.figures, scale_, settings.cache_bytes, world_.clock),
      permissions_(world_.permissions, permission_scale_, kPermissionBytes, world_.clock,
                   Flights::Left::finished) {}

void Service::answer(const Request& request, const std::shared_ptr<Client>& client) {
  std::string fault;
  const auto target = parse_target(request.target, fault);
  if (!target) return send(client, {400, "bad_target", fault});
  const Route* route = find_route(target->path);
  if (route == nullptr) {
    return send(client, {404, "no_such_path",
                         "There is nothing at this path: /v1/openapi.json lists what there is"});
  }
  if (request.method != "GET" && request.method != "HEAD") {
    Response response =
        response_of({405, "method_not_allowed", "This path is read: use GET or HEAD"});
    response.headers.emplace_back("Allow", "GET, HEAD");
    return client->send(std::move(response));
  }
  if (route->kind == Kind::figure) return answer_figure(request, *target, *route, client);
  auto read = read_arguments(*route, target->query, world_.today());
  if (const auto* problem = std::get_if<Problem>(&read)) return send(client, *problem);
  switch (route->kind) {
    case Kind::health:
      return client->send(health(world_.why_away()));
    case Kind::metrics:
      return client->send(page("text/plain; version=0.0.4", world_.metrics()));
    default:
      return client->send(page("application/json", openapi_json()));
  }
}

void Service::answer_figure(const Request& request, const Target& target, const Route& route,
                            const std::shared_ptr<Client>& client) {
  if (!is_proof(settings_.proof, request.proofs)) {
    return send(client, {401, "no_proof",
                         "The web server did not prove that it is the one: see that it sets "
                         "X-Weir-Proof to what --proof-file holds"});
  }
  if (request.viewers.size() != 1 || !is_viewer(request.viewers[0])) {
    return send(client,
                {401, "no_viewer",
                 "The web server handed over no name of a viewer, or several: see that it asks "
                 "for one and sets X-Weir-Viewer"});
  }
  auto read = read_arguments(route, target.query, world_.today());
  if (const auto* problem = std::get_if<Problem>(&read)) return send(client, *problem);
  auto& arguments = std::get<Arguments>(read);
  if (arguments.format == Format::csv && !request.can_stream) {
    return send(client, {505, "http_1_1_needed",
                         "format=csv needs HTTP/1.1: let the web server speak it to this one"});
  }
  world_.in_turn(client, [this, request, &route,
                          arguments = std::move(arguments)](const std::shared_ptr<Client>& here) {
    Figure::start(*this, request, route, arguments, here);
  });
}

std::variant<std::string, Problem> choose_tenant(const std::vector<std::string>& tenants,
                                                 const std::optional<std::string>& wanted) {
  const auto has = [&](const std::string& name) {
    return std::find(tenants.begin(), tenants.end(), name) != tenants.end();
  };
  if (wanted) {
    if (has(*wanted) || has("*")) return *wanted;
    return problem_of({Failure::Kind::forbidden, ""});
  }
  if (tenants.empty()) return problem_of({Failure::Kind::forbidden, ""});
  // Where everything lands until write keys name the tenant.
  if (has("*")) return std::string("default");
  if (tenants.size() > 1) {
    return bad_parameter(kTenant, "This viewer may see several tenants: name one with tenant=");
  }
  return tenants[0];
}

}  // namespace weir::api
