#include "api/figure.h"

#include <utility>
#include <variant>

#include "api/csv.h"
#include "api/etag.h"
#include "api/failure.h"
#include "api/table.h"

namespace weir::api {

void Figure::start(Service& service, const Request& request, const Route& route,
                   Arguments arguments, const std::shared_ptr<Client>& client) {
  auto figure = std::make_shared<Figure>(service, request, route, std::move(arguments), client);
  client->when_gone([weak = std::weak_ptr<Figure>(figure)] {
    if (const auto self = weak.lock()) self->gone();
  });
  figure->ask_permission();
}

Figure::Figure(Service& service, const Request& request, const Route& route, Arguments arguments,
               std::shared_ptr<Client> client)
    : service_(service),
      route_(route),
      arguments_(std::move(arguments)),
      client_(std::move(client)),
      viewer_(request.viewers.at(0)),
      if_none_match_(request.if_none_match) {}

void Figure::ask_permission() {
  const auto make = [this] {
    auto query = std::make_shared<Query>();
    query->owner = viewer_;
    query->sql = "SELECT tenant FROM weir_api.tenants($1)";
    query->params = {viewer_};
    return query;
  };
  const auto ticket = service_.permissions().join(
      viewer_, Service::kPermissionTime, make, [self = shared_from_this()](const Landing& landing) {
        self->permission_ = 0;
        self->permitted(landing);
      });
  if (ticket != 0) permission_ = ticket;
}

void Figure::permitted(const Landing& landing) {
  if (over_) return;
  if (landing.failure != nullptr) return fail(*landing.failure);
  auto chosen = choose_tenant(landing.answer->values, arguments_.tenant);
  if (const auto* problem = std::get_if<Problem>(&chosen)) {
    over_ = true;
    return client_->send(response_of(*problem));
  }
  tenant_ = std::get<std::string>(std::move(chosen));
  if (arguments_.format == Format::csv && route_.csv != nullptr) return ask_stream();
  ask_figure(key());
}

// Names hold no control character, so that a NUL parts them.
std::string Figure::key() const {
  std::string key(route_.path);
  (key += '\0') += tenant_;
  for (const auto& value : arguments_.values) {
    key += '\0';
    if (value) (key += '=') += *value;
  }
  return key;
}

std::shared_ptr<Query> Figure::make_query(const char* sql) const {
  auto query = std::make_shared<Query>();
  query->owner = viewer_;
  query->sql = sql;
  query->params = {viewer_, tenant_};
  query->params.insert(query->params.end(), arguments_.values.begin(), arguments_.values.end());
  return query;
}

std::shared_ptr<Query> Figure::make_version_query() const {
  auto query = std::make_shared<Query>();
  query->owner = viewer_;
  query->sql = "SELECT weir_api.version($1, $2)";
  query->params = {viewer_, tenant_};
  return query;
}

void Figure::ask_figure(const std::string& wanted) {
  const bool is_own = wanted != key();
  const auto ticket = service_.flights().join(
      wanted, service_.settings().cache_time, [this] { return make_query(route_.json); },
      [self = shared_from_this(), is_own](const Landing& landing) {
        self->flight_ = 0;
        if (!self->over_) self->landed(landing, is_own);
      },
      [this] { return make_version_query(); });
  if (ticket != 0) flight_ = ticket;
}

// That somebody may not see it is an answer to whoever asked first: who only waited with him asks
// once more, for himself.
void Figure::landed(const Landing& landing, bool is_own) {
  const Failure* failure = landing.failure;
  if (failure != nullptr && failure->kind == Failure::Kind::forbidden && !is_own) {
    return ask_figure(key() + '\0' + viewer_);
  }
  if (failure != nullptr) return fail(*failure);
  const auto& answer = landing.answer;
  if (answer->values.empty()) return fail({Failure::Kind::broken, "no row came"});
  if (arguments_.format == Format::csv) return send_table(answer->values[0]);
  send_answer({answer, &answer->values[0]}, answer->etag);
}

// Counted as an answer, until it is sent.
void Figure::send_table(const std::string& answer) {
  struct Held {
    std::string csv;
    Weight weight;
  };
  const auto held = std::make_shared<Held>();
  const std::string_view place = arguments_.table ? *arguments_.table : route_.table;
  if (const auto problem = table_csv(answer, place, held->csv)) {
    over_ = true;
    if (problem->status == 500) service_.world().log_error("an answer is no JSON");
    return client_->send(response_of(*problem));
  }
  held->weight.put(service_.scale(), held->csv.size());
  send_answer({held, &held->csv}, etag_of(held->csv));
}

// A stream ------------------------------------------------------------------------------------

void Figure::ask_stream() {
  const auto stream = make_query(route_.csv);
  auto self = shared_from_this();
  stream->on_columns = [self](const Row& row) { append_names(self->chunk_, row); };
  stream->on_row = [self](const Row& row) {
    append_values(self->chunk_, row);
    self->add_row();
  };
  stream->on_end = [self](const Failure* failure) { self->streamed(failure); };
  stream_ = stream;
  service_.world().streams.run(stream);
}

void Figure::add_row() {
  if (over_ || chunk_.size() < kChunk) return;
  ahead_.push_back(std::exchange(chunk_, {}));
  weigh(ahead_.back().size());
  if (!writing_) flush();
  const bool is_far =
      ahead_bytes_ >= kMostAhead || (ahead_bytes_ >= kChunk && service_.stream_scale().is_full());
  if (const auto stream = stream_.lock(); stream && is_far) stream->paused = true;
}

void Figure::weigh(std::size_t more) {
  ahead_bytes_ += more;
  weight_.put(service_.stream_scale(), ahead_bytes_);
}

void Figure::flush() {
  if (!begun_) client_->begin(head());
  begun_ = true;
  writing_ = true;
  std::string piece = std::exchange(ahead_.empty() ? chunk_ : ahead_.front(), {});
  if (!ahead_.empty()) {
    weigh(-piece.size());
    ahead_.pop_front();
  }
  client_->write(std::move(piece), [self = shared_from_this()] { self->written(); });
}

void Figure::written() {
  writing_ = false;
  if (over_) return;
  const bool is_all = ahead_.empty() && chunk_.empty();
  if (ended_ && is_all) {
    over_ = true;
    return client_->finish();
  }
  if (!ahead_.empty() || ended_) flush();
  const auto stream = stream_.lock();
  if (stream && stream->paused && ahead_bytes_ < kMostAhead / 2) {
    service_.world().streams.resume(*stream);
  }
}

void Figure::streamed(const Failure* failure) {
  ended_ = true;
  if (over_) return;
  if (failure != nullptr) return fail(*failure);
  if (!begun_) {
    auto body = std::make_shared<const std::string>(std::move(chunk_));
    return send_answer(body, etag_of(*body));
  }
  if (!writing_) written();
}

// The end -------------------------------------------------------------------------------------

void Figure::fail(const Failure& failure) {
  over_ = true;
  if (failure.kind == Failure::Kind::broken || failure.kind == Failure::Kind::schema) {
    service_.world().log_error(failure.sentence);
  }
  if (begun_) return client_->cut();
  client_->send(response_of(problem_of(failure)));
}

Response Figure::head() const {
  Response response;
  response.headers = {{"Cache-Control", "private, no-cache"}};
  if (arguments_.format == Format::csv) {
    response.type = "text/csv; charset=utf-8; header=present";
    const std::string name(route_.path.substr(route_.path.rfind('/') + 1));
    response.headers.emplace_back("Content-Disposition",
                                  "attachment; filename=\"" + name + ".csv\"");
  }
  return response;
}

void Figure::send_answer(const std::shared_ptr<const std::string>& body, const std::string& etag) {
  over_ = true;
  Response response = head();
  response.headers.emplace_back("ETag", etag);
  if (matches(if_none_match_, etag)) {
    response.status = 304;
  } else {
    response.body = body;
  }
  client_->send(std::move(response));
}

void Figure::gone() {
  if (over_) return;
  over_ = true;
  service_.permissions().leave(permission_);
  service_.flights().leave(flight_);
  ahead_.clear();
  weigh(-ahead_bytes_);
  if (const auto stream = stream_.lock(); stream && !ended_) {
    service_.world().streams.cancel(*stream);
  }
}

}  // namespace weir::api
