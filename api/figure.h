// One request for a figure, from its permission to its last byte. It keeps itself alive by what it
// waits for.
//
//   Figure::start(service, request, route, arguments, client);
//
//   permission ──► flight ──────────────► sent
//        │
//        └──► stream: first 64 kB ──all of it──► sent, with its length and tag
//                          │more
//                          ▼
//                  begun ──► a chunk is written ⇄ rows fill the next one ──► finished
//
// While a chunk is on its way and the next one is full, no row is read: a slow reader costs two
// chunks of memory and one session. Whoever goes away has his question cancelled.
#pragma once

#include <memory>
#include <string>

#include "api/arguments.h"
#include "api/client.h"
#include "api/flights.h"
#include "api/route.h"
#include "api/service.h"

namespace weir::api {

class Figure : public std::enable_shared_from_this<Figure> {
 public:
  static constexpr std::size_t kChunk = 64 << 10;

  static void start(Service& service, const Request& request, const Route& route,
                    Arguments arguments, const std::shared_ptr<Client>& client);

  Figure(Service& service, const Request& request, const Route& route, Arguments arguments,
         std::shared_ptr<Client> client);

 private:
  void ask_permission();
  void permitted(const Landing& landing);
  void ask_figure();
  void ask_stream();
  std::shared_ptr<Query> make_query(const char* sql) const;
  std::string key() const;

  void add_row();
  void flush();
  void written();
  void streamed(const Failure* failure);
  void fail(const Failure& failure);
  void send_answer(const std::shared_ptr<const std::string>& body, const std::string& etag);
  Response head() const;
  void gone();

  Service& service_;
  const Route& route_;
  const Arguments arguments_;
  const std::shared_ptr<Client> client_;
  const std::string viewer_, if_none_match_;
  std::string tenant_;
  Flights::Ticket permission_ = 0, flight_ = 0;
  std::shared_ptr<Query> stream_;
  std::string chunk_;
  bool begun_ = false, writing_ = false, ended_ = false, over_ = false;
};

}  // namespace weir::api
