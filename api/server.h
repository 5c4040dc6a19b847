// Listens on the unix socket, and holds the connections to their bound.
//
//   Server server(loop, settings, answer);
//   std::string error;
//   if (!server.listen(error)) …      // a sentence
//   server.leave(left);               // takes no more, answers what it has, then calls `left`
//
// Whoever can open the socket is the web server: it has mode 0660, and the group that --group
// names. A connection beyond the bound is answered 503 with Retry-After and closed. A socket at
// which nobody listens any more is replaced. One of which that is not known stays, whoever's it is.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <numeric>
#include <string>

#include "api/client.h"

namespace boost::asio {
class io_context;
}

namespace weir::api {

struct ServerSettings {
  std::string path;
  std::string group;  // empty: the process' own
  std::size_t most_connections = 1000;
  std::chrono::milliseconds write_time{30'000};
};

struct ServerCounts {
  std::size_t connections = 0;
  std::uint64_t turned_away = 0;
  std::uint64_t by_class[6] = {};  // answers: 2xx in [2], and so on

  std::uint64_t answers() const {
    return std::accumulate(std::begin(by_class), std::end(by_class), std::uint64_t{0});
  }
};

// Empty, or a sentence where no socket can have this path. One that does not begin with / may be
// abstract (unix(7)), which has no mode: whoever is on the machine could open it. Whether the
// folder is there only the service can know: systemd makes it (RuntimeDirectory=).
std::string fault_of_path(const std::string& path);

// Empty, or a sentence where there is no such group. Whether the socket can be given to it only the
// service can know: systemd makes it a member (SupplementaryGroups=), and nobody else.
std::string fault_of_group(const std::string& name);

class Server {
 public:
  using Answer = std::function<void(const Request&, const std::shared_ptr<Client>&)>;

  Server(boost::asio::io_context& loop, ServerSettings settings, Answer answer);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  bool listen(std::string& error);
  void leave(std::function<void()> left);
  const ServerCounts& counts() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace weir::api
