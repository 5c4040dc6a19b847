// One request for a figure, from its permission to its last byte. It keeps itself alive by what it
// waits for.
//
//   Figure::start(service, request, route, arguments, client);
//
//   permission ──► flight ──────────────► sent, as it is or one of its lists as CSV
//        │
//        └──► stream: first 64 kB ──all of it──► sent, with its length and tag
//                          │more
//                          ▼
//                  begun ──► a chunk is written ⇄ rows fill the next ones ──► finished
//
// Rows are read ahead of a slow reader, so that PostgreSQL is done with them soon: up to kMostAhead
// bytes, and no more than a chunk once all readers together have what the service allows. Then no
// row is read until the reader has caught up; the session's own time ends what takes too long.
// Whoever goes away has his question cancelled.
#pragma once

#include <deque>
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
  static constexpr std::size_t kChunk = 64 << 10, kMostAhead = 4 << 20;

  static void start(Service& service, const Request& request, const Route& route,
                    Arguments arguments, const std::shared_ptr<Client>& client);

  Figure(Service& service, const Request& request, const Route& route, Arguments arguments,
         std::shared_ptr<Client> client);

 private:
  void ask_permission();
  void permitted(const Landing& landing);
  void ask_figure(const std::string& wanted);
  void landed(const Landing& landing, bool is_own);
  void ask_stream();
  std::shared_ptr<Query> make_query(const char* sql) const;
  std::shared_ptr<Query> make_version_query() const;
  std::string key() const;

  void send_table(const std::string& answer);
  void add_row();
  void weigh(std::size_t more);
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
  std::weak_ptr<Query> stream_;  // weak: it holds this one
  std::string chunk_;
  std::deque<std::string> ahead_;  // what is read and not yet on its way
  std::size_t ahead_bytes_ = 0;
  Weight weight_;
  bool begun_ = false, writing_ = false, ended_ = false, over_ = false;
};

}  // namespace weir::api
