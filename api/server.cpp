#include "api/server.h"

#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <list>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include "api/http_session.h"

namespace weir::api {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Local = asio::local::stream_protocol;

constexpr std::chrono::milliseconds kBreath{100};  // after an accept that failed
constexpr mode_t kSocketMode = 0660;
constexpr std::size_t kMostTurnedAway = 100;  // at once; more are closed without a word
constexpr std::chrono::seconds kTurnAwayTime{1};

const Problem kTooManyConnections{503, "too_many_connections",
                                  "Too many connections are open: try again in a second", "", 1};

std::string reason() { return std::strerror(errno); }

std::string cannot_listen(const std::string& path, const std::string& why) {
  return "nothing can listen at " + path + " (" + why +
         "): make its folder, writable for this user, or choose another --socket";
}

int new_socket() { return ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); }

// Whether nobody listens there, so that what stands there may go. A server that has no time to
// accept is one, too.
bool is_free(const sockaddr_un& address, std::string& error) {
  const std::string path = address.sun_path;
  const int probe = new_socket();
  if (probe < 0) {
    error = cannot_listen(path, reason());
    return false;
  }
  const int failure =
      ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0
                                                                                         : errno;
  ::close(probe);
  if (failure == ECONNREFUSED || failure == ENOENT) return true;
  error = failure == 0 || failure == EAGAIN
              ? path + " is served by another process: end that, or choose another --socket"
              : cannot_listen(path, std::strerror(failure));
  return false;
}

// The file, by which one's own socket is told from a later one at the same path; 0: none.
ino_t file_at(const std::string& path) {
  struct stat there {};
  return ::lstat(path.c_str(), &there) == 0 && S_ISSOCK(there.st_mode) ? there.st_ino : 0;
}

std::string no_group(const std::string& name) {
  return "there is no group " + name + ": name the web server's with --group";
}

bool set_group(const ServerSettings& settings, std::string& error) {
  if (settings.group.empty()) return true;
  const group* found = ::getgrnam(settings.group.c_str());
  if (found == nullptr) {
    error = no_group(settings.group);
    return false;
  }
  if (::chown(settings.path.c_str(), static_cast<uid_t>(-1), found->gr_gid) == 0) return true;
  error = settings.path + " cannot be given to the group " + settings.group + " (" + reason() +
          "): make this user a member of it";
  return false;
}

// The listening socket, or -1.
int open_socket(const ServerSettings& settings, std::string& error) {
  if (error = fault_of_path(settings.path); !error.empty()) return -1;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, settings.path.c_str(), settings.path.size());
  if (!is_free(address, error)) return -1;
  if (file_at(settings.path) != 0) ::unlink(settings.path.c_str());
  const int descriptor = new_socket();
  const mode_t before = ::umask(0777 & ~kSocketMode);
  const bool bound =
      ::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  if (!bound) error = cannot_listen(settings.path, reason());
  ::umask(before);
  if (bound && set_group(settings, error) && ::listen(descriptor, SOMAXCONN) == 0)
    return descriptor;
  if (bound) ::unlink(settings.path.c_str());
  ::close(descriptor);
  return -1;
}

}  // namespace

std::string fault_of_path(const std::string& path) {
  if (path.empty() || path.front() != '/') {
    return '"' + path +
           "\" is no path from / on, as --socket has to be: /run/weir-api/api.sock, say";
  }
  if (path.size() >= sizeof(sockaddr_un::sun_path))
    return path + " is too long for a socket: 107 bytes are the most";
  struct stat there {};
  if (::lstat(path.c_str(), &there) == 0 && !S_ISSOCK(there.st_mode))
    return path + " is there and is no socket: take it away, or choose another --socket";
  return "";
}

std::string fault_of_group(const std::string& name) {
  return name.empty() || ::getgrnam(name.c_str()) != nullptr ? "" : no_group(name);
}

class Server::Impl : public std::enable_shared_from_this<Server::Impl> {
 public:
  Impl(asio::io_context& loop, ServerSettings settings, Answer answer)
      : loop_(loop),
        settings_(std::move(settings)),
        answer_(std::move(answer)),
        acceptor_(loop),
        breath_(loop) {}

  bool listen(std::string& error);
  void leave(std::function<void()> left);

  ServerCounts counts;

 private:
  void accept();
  void take(Local::socket socket);
  void turn_away(Local::socket socket);
  void begin(Local::socket socket, const HttpHooks& hooks);
  HttpHooks hooks();
  void closed();

  asio::io_context& loop_;
  const ServerSettings settings_;
  const Answer answer_;
  Local::acceptor acceptor_;
  asio::steady_timer breath_;
  std::list<HttpSession> sessions_;
  std::function<void()> left_;
  std::size_t turning_away_ = 0;
  ino_t file_ = 0;
  bool leaving_ = false;
};

bool Server::Impl::listen(std::string& error) {
  const int descriptor = open_socket(settings_, error);
  if (descriptor < 0) return false;
  file_ = file_at(settings_.path);
  acceptor_.assign(Local(), descriptor);
  accept();
  return true;
}

void Server::Impl::accept() {
  acceptor_.async_accept(
      [self = shared_from_this()](const error_code& error, Local::socket socket) {
        if (self->leaving_) return;
        if (!error) {
          self->take(std::move(socket));
          return self->accept();
        }
        // No descriptor is free, or no memory: others close in a moment.
        self->breath_.expires_after(kBreath);
        self->breath_.async_wait([self](const error_code& cut) {
          if (!cut && !self->leaving_) self->accept();
        });
      });
}

void Server::Impl::take(Local::socket socket) {
  if (counts.connections >= settings_.most_connections) return turn_away(std::move(socket));
  ++counts.connections;
  begin(std::move(socket), hooks());
}

HttpHooks Server::Impl::hooks() {
  HttpHooks hooks;
  hooks.write_time = settings_.write_time;
  hooks.answer = answer_;
  hooks.answered = [this](int status) { ++counts.by_class[status / 100]; };
  hooks.is_leaving = [this] { return leaving_; };
  hooks.closed = [self = shared_from_this()] { self->closed(); };
  return hooks;
}

// The request is read before it is refused: a web server that is still writing one when its
// connection is closed does not read why.
void Server::Impl::turn_away(Local::socket socket) {
  ++counts.turned_away;
  if (turning_away_ >= kMostTurnedAway) return;
  ++turning_away_;
  HttpHooks hooks = this->hooks();
  hooks.idle_time = kTurnAwayTime;
  hooks.refusal = kTooManyConnections;
  hooks.closed = [self = shared_from_this()] { --self->turning_away_; };
  begin(std::move(socket), hooks);
}

void Server::Impl::begin(Local::socket socket, const HttpHooks& hooks) {
  sessions_.remove_if([](const HttpSession& session) { return session.is_over(); });
  sessions_.emplace_back(socket.release(), loop_, hooks);
}

void Server::Impl::closed() {
  --counts.connections;
  if (leaving_ && counts.connections == 0 && left_) std::exchange(left_, nullptr)();
}

void Server::Impl::leave(std::function<void()> left) {
  leaving_ = true;
  left_ = std::move(left);
  error_code ignored;
  acceptor_.close(ignored);
  if (file_at(settings_.path) == file_) ::unlink(settings_.path.c_str());
  for (HttpSession& session : sessions_) session.leave();
  sessions_.clear();
  if (counts.connections == 0 && left_) std::exchange(left_, nullptr)();
}

Server::Server(asio::io_context& loop, ServerSettings settings, Answer answer)
    : impl_(std::make_shared<Impl>(loop, std::move(settings), std::move(answer))) {}

Server::~Server() = default;

bool Server::listen(std::string& error) { return impl_->listen(error); }
void Server::leave(std::function<void()> left) { impl_->leave(std::move(left)); }
const ServerCounts& Server::counts() const { return impl_->counts; }

}  // namespace weir::api
