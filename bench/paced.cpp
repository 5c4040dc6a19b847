// Load at a steady rate, whatever becomes of the answers: request n is due n / RATE seconds after
// the start, and its time counts from then, not from when there was a connection free to send it. A
// server that stands still for a moment is so charged with every request that it kept waiting, as
// its clients would (Gil Tene calls the contrary "coordinated omission"). A request that is due
// while all connections wait for an answer is sent as soon as one is free.
//
//   paced PORT PATH BODY RATE SECONDS [CONNECTIONS=64] [LEDGER]
//   paced 8080 /track bench/bodies/event.json 20000 5
//
// With a ledger each event gets an event_id of its own, and for each answer the ledger has a line:
// the id, a tab, and the time of the answer in microseconds since 1970.
//
// Prints ok=, bad= (not 200, or a connection that broke), seconds=, p50= p75= p90= p99= p999= max=
// in ms, and late=, the 99th percentile of how late requests were sent while connections were free:
// what the generator itself adds. Exits with 1 if not a single answer came.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Nanos = std::int64_t;

constexpr Nanos kSecond = 1'000'000'000;
constexpr Nanos kLast = 10 * kSecond;  // for what is under way at the end

Nanos now() {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

long long wall_micros() {
  return std::chrono::system_clock::now().time_since_epoch() / std::chrono::microseconds(1);
}

struct Plan {
  std::uint16_t port;
  std::string path, body;
  double rate, seconds;
  std::size_t connections;
  const char* ledger;  // or null
};

struct Connection {
  int fd = -1;
  Nanos due = 0;
  std::size_t number = 0;
  bool busy = false;
  std::string in;
};

class Load {
 public:
  explicit Load(const Plan& plan);
  bool run();
  void print() const;

 private:
  bool connect(Connection& connection);
  std::string message(std::size_t number) const;
  std::string id(std::size_t number) const;
  Nanos due(std::size_t number) const;
  void send_due(Nanos time);
  void send(Connection& connection, std::size_t number, Nanos time, bool was_free);
  void wait(Nanos time);
  void read(Connection& connection);
  void connect_again(Connection& connection);
  void answered(Connection& connection, bool good);
  bool more(Nanos time) const;

  const Plan plan_;
  const std::size_t total_;
  const unsigned long salt_ = static_cast<unsigned long>(wall_micros());
  Nanos start_ = 0;
  Nanos end_ = 0;
  int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  std::vector<Connection> all_;
  std::vector<Connection*> free_;
  std::size_t next_ = 0;
  std::size_t bad_ = 0;
  bool held_up_ = false;  // requests were due while no connection was free
  std::vector<Nanos> took_, late_;
  std::FILE* ledger_ = nullptr;
};

Load::Load(const Plan& plan)
    : plan_(plan),
      total_(static_cast<std::size_t>(plan.rate * plan.seconds)),
      all_(plan.connections) {
  took_.reserve(total_);
  late_.reserve(total_);
  if (plan.ledger != nullptr) ledger_ = std::fopen(plan.ledger, "w");
}

bool Load::connect(Connection& connection) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(plan_.port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  connection.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  connection.in.clear();
  if (::connect(connection.fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    std::perror("paced: connect");
    return false;
  }
  const int on = 1;
  setsockopt(connection.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = &connection;
  return epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.fd, &event) == 0;
}

std::string Load::id(std::size_t number) const {
  char text[40];
  std::snprintf(text, sizeof text, "%08lx-%04lx-4000-8000-%012zx", (salt_ >> 16) & 0xFFFFFFFF,
                salt_ & 0xFFFF, number);
  return text;
}

std::string Load::message(std::size_t number) const {
  std::string body = plan_.body;
  if (ledger_ != nullptr) body.insert(1, "\"event_id\":\"" + id(number) + "\",");
  return "POST " + plan_.path +
         " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

Nanos Load::due(std::size_t number) const {
  return start_ + static_cast<Nanos>(static_cast<double>(number) * 1e9 / plan_.rate);
}

void Load::send_due(Nanos time) {
  const bool were_free = !held_up_;
  while (next_ < total_ && !free_.empty() && due(next_) <= time) {
    Connection& connection = *free_.back();
    free_.pop_back();
    send(connection, next_++, time, were_free);
  }
  held_up_ = free_.empty() && next_ < total_ && due(next_) <= time;
}

// A body of some kB always fits into the empty buffer of a socket.
void Load::send(Connection& connection, std::size_t number, Nanos time, bool was_free) {
  static const std::string same = ledger_ == nullptr ? message(0) : "";
  connection.due = due(number);
  connection.number = number;
  connection.busy = true;
  if (was_free) late_.push_back(time - connection.due);
  const std::string text = same.empty() ? message(number) : "";
  const std::string& out = same.empty() ? text : same;
  if (::send(connection.fd, out.data(), out.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(out.size())) {
    answered(connection, false);
  }
}

void Load::wait(Nanos time) {
  Nanos until = start_ + static_cast<Nanos>(plan_.seconds * 1e9) + kLast;
  if (!free_.empty() && next_ < total_) until = due(next_);
  const Nanos left = std::max<Nanos>(until - time, 0);
  const timespec timeout{left / kSecond, left % kSecond};
  epoll_event events[128];
  const int count = epoll_pwait2(epoll_, events, 128, &timeout, nullptr);
  for (int i = 0; i < count; ++i) read(*static_cast<Connection*>(events[i].data.ptr));
}

// The length of a whole answer at the front of what came, or 0.
std::size_t whole_answer(std::string_view in) {
  const auto head = in.find("\r\n\r\n");
  if (head == std::string_view::npos) return 0;
  const auto at = in.find("Content-Length: ");
  if (at == std::string_view::npos || at > head) return 0;
  const std::size_t size = head + 4 + std::strtoul(in.data() + at + 16, nullptr, 10);
  return in.size() >= size ? size : 0;
}

void Load::read(Connection& connection) {
  char bytes[4096];
  const ssize_t got = recv(connection.fd, bytes, sizeof bytes, 0);
  if (got <= 0) return connection.busy ? answered(connection, false) : connect_again(connection);
  connection.in.append(bytes, static_cast<std::size_t>(got));
  if (whole_answer(connection.in) == 0) return;
  const bool good = connection.in.compare(9, 3, "200") == 0;
  const bool last = connection.in.find("Connection: close") != std::string::npos;
  connection.in.clear();
  answered(connection, good);
  if (good && last) connect_again(connection);
}

void Load::connect_again(Connection& connection) {
  close(connection.fd);
  if (!connect(connection)) std::exit(EXIT_FAILURE);
}

void Load::answered(Connection& connection, bool good) {
  end_ = now();
  took_.push_back(end_ - connection.due);
  if (good && ledger_ != nullptr) {
    std::fprintf(ledger_, "%s\t%lld\n", id(connection.number).c_str(), wall_micros());
  }
  if (!good) {
    ++bad_;
    connect_again(connection);
  }
  connection.busy = false;
  free_.push_back(&connection);
}

bool Load::more(Nanos time) const {
  if (next_ == total_ && free_.size() == all_.size()) return false;
  return time < start_ + static_cast<Nanos>(plan_.seconds * 1e9) + kLast;
}

bool Load::run() {
  prctl(PR_SET_TIMERSLACK, 1);
  for (auto& connection : all_) {
    if (!connect(connection)) return false;
    free_.push_back(&connection);
  }
  start_ = now();
  for (Nanos time = start_; more(time); time = now()) {
    send_due(time);
    wait(now());
  }
  bad_ += all_.size() - free_.size() + total_ - next_;
  return (ledger_ == nullptr || std::fclose(ledger_) == 0) && took_.size() > 0;
}

double percentile(std::vector<Nanos> sorted, double part) {
  if (sorted.empty()) return 0;
  std::sort(sorted.begin(), sorted.end());
  const auto at = static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1));
  return static_cast<double>(sorted[at]) / 1e6;
}

void Load::print() const {
  std::printf("ok=%zu bad=%zu seconds=%.3f", took_.size() - std::min(bad_, took_.size()), bad_,
              static_cast<double>(end_ - start_) / 1e9);
  const std::pair<const char*, double> parts[] = {{"p50", .5},  {"p75", .75},   {"p90", .9},
                                                  {"p99", .99}, {"p999", .999}, {"max", 1}};
  for (const auto& [name, part] : parts) std::printf(" %s=%.4f", name, percentile(took_, part));
  std::printf(" late=%.4f\n", percentile(late_, .99));
}

}  // namespace

int main(int count, char** words) {
  if (count < 6 || count > 8) {
    std::fputs("usage: paced PORT PATH BODY RATE SECONDS [CONNECTIONS [LEDGER]]\n", stderr);
    return EXIT_FAILURE;
  }
  std::ifstream file(words[3], std::ios::binary);
  const Plan plan{static_cast<std::uint16_t>(std::atoi(words[1])),
                  words[2],
                  {std::istreambuf_iterator<char>(file), {}},
                  std::atof(words[4]),
                  std::atof(words[5]),
                  count > 6 ? static_cast<std::size_t>(std::atoi(words[6])) : 64,
                  count > 7 ? words[7] : nullptr};
  if (plan.body.empty() || plan.rate <= 0 || plan.seconds <= 0 || plan.connections == 0) {
    std::fputs("paced: no body, or a figure that is no figure\n", stderr);
    return EXIT_FAILURE;
  }
  Load load(plan);
  const bool ran = load.run();
  load.print();
  return ran ? EXIT_SUCCESS : EXIT_FAILURE;
}
