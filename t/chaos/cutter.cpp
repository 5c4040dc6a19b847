// Stands between the servers and Redis, and cuts their connections in the middle of something.
//
//   build/chaos/cutter LISTEN TARGET      # two paths of unix sockets
//
//   SIGUSR1   of the next reply on each connection half is passed on, then it is cut: Redis took
//   the
//             command, and nobody heard the answer to its end
//   SIGUSR2   of the next command on each connection half is passed on, then it is cut
//   SIGHUP    the next reply on each connection is dropped, and the connection cut
//   SIGSTOP   nothing moves; after SIGCONT what was on its way arrives late
//
// When Redis is not there, a connection is taken and closed at once, as a load balancer does.
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <list>
#include <string>
#include <vector>

namespace {

enum class Cut { none, reply, command, whole_reply };

volatile std::sig_atomic_t asked = 0;

struct Side {
  int fd = -1;
  std::string bytes;  // on their way to this side
};

struct Pair {
  Side server;  // nginx or the flusher
  Side redis;
  Cut cut = Cut::none;
  bool over = false;
};

sockaddr_un address_of(const char* path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  return address;
}

int listen_at(const char* path) {
  unlink(path);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const sockaddr_un address = address_of(path);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return -1;
  chmod(path, 0777);
  return listen(fd, 128) == 0 ? fd : -1;
}

// Closed at once where Redis does not answer.
void take(int listener, const char* target, std::list<Pair>& pairs) {
  const int server = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (server < 0) return;
  const int redis = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un address = address_of(target);
  if (connect(redis, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    close(redis);
    close(server);
    return;
  }
  fcntl(redis, F_SETFL, O_NONBLOCK);
  Pair pair;
  pair.server.fd = server;
  pair.redis.fd = redis;
  pairs.push_back(pair);
}

// What a cut leaves of a piece, and whether it comes here.
bool cuts(const Pair& pair, bool to_redis) {
  if (to_redis) return pair.cut == Cut::command;
  return pair.cut == Cut::reply || pair.cut == Cut::whole_reply;
}

void read_from(Pair& pair, Side& from, Side& to, bool to_redis) {
  char bytes[65536];
  const ssize_t count = recv(from.fd, bytes, sizeof bytes, 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0) {
    pair.over = true;
    return;
  }
  const auto size = static_cast<std::size_t>(count);
  const bool cut = cuts(pair, to_redis);
  to.bytes.append(bytes, cut ? (pair.cut == Cut::whole_reply ? 0 : size / 2) : size);
  pair.over = cut;
}

void write_to(Pair& pair, Side& side) {
  if (side.bytes.empty()) return;
  const ssize_t count = send(side.fd, side.bytes.data(), side.bytes.size(), MSG_NOSIGNAL);
  if (count > 0) side.bytes.erase(0, static_cast<std::size_t>(count));
  if (count < 0 && errno != EAGAIN && errno != EINTR) pair.over = true;
}

void serve(Pair& pair, const pollfd& server, const pollfd& redis) {
  constexpr short kReadable = POLLIN | POLLHUP | POLLERR;
  if (server.revents & kReadable) read_from(pair, pair.server, pair.redis, true);
  if (!pair.over && redis.revents & kReadable) read_from(pair, pair.redis, pair.server, false);
  write_to(pair, pair.redis);
  write_to(pair, pair.server);
}

// A side whose other one is slow is not read from meanwhile, so that memory is bounded.
pollfd wanted(const Side& side, const Side& other) {
  const int events = (other.bytes.empty() ? POLLIN : 0) | (side.bytes.empty() ? 0 : POLLOUT);
  return {side.fd, static_cast<short>(events), 0};
}

void obey(std::list<Pair>& pairs) {
  const int signal = asked;
  if (signal == 0) return;
  asked = 0;
  const Cut cut = signal == SIGUSR1   ? Cut::reply
                  : signal == SIGUSR2 ? Cut::command
                                      : Cut::whole_reply;
  for (Pair& pair : pairs) pair.cut = cut;
}

void drop_those_that_are_over(std::list<Pair>& pairs) {
  pairs.remove_if([](const Pair& pair) {
    if (!pair.over) return false;
    close(pair.server.fd);
    close(pair.redis.fd);
    return true;
  });
}

void run(int listener, const char* target) {
  std::list<Pair> pairs;
  for (;;) {
    std::vector<pollfd> polled{{listener, POLLIN, 0}};
    for (const Pair& pair : pairs) {
      polled.push_back(wanted(pair.server, pair.redis));
      polled.push_back(wanted(pair.redis, pair.server));
    }
    const int ready = poll(polled.data(), polled.size(), 100);
    obey(pairs);
    if (ready <= 0) continue;
    std::size_t at = 1;
    for (Pair& pair : pairs) {
      serve(pair, polled[at], polled[at + 1]);
      at += 2;
    }
    drop_those_that_are_over(pairs);
    if (polled[0].revents) take(listener, target, pairs);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s LISTEN TARGET\n", argv[0]);
    return 2;
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  struct sigaction action {};
  action.sa_handler = [](int signal) { asked = signal; };
  for (const int signal : {SIGUSR1, SIGUSR2, SIGHUP}) sigaction(signal, &action, nullptr);
  const int listener = listen_at(argv[1]);
  if (listener < 0) {
    std::fprintf(stderr, "%s cannot be listened at: %s\n", argv[1], std::strerror(errno));
    return 1;
  }
  run(listener, argv[2]);
}
