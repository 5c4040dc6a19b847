// The load generator of the chaos tests: many clients that send events, send again until they are
// answered, and write down every event_id that was acknowledged.
//
//   build/chaos/load PORT LEDGER [connections=64] [rate=0] [seed=1] [rude=1] [patience=10000]
//
// rate is in events a second, 0 for as many as there can be; patience in ms. It reports on standard
// output four times a second. SIGTERM: no new requests, the ones in hand are sent until they are
// answered, at most a minute long; then a last line "total …". A ledger that cannot be written is
// an error (exit 1), for it would be a proof of nothing.
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "t/chaos/client.h"

namespace {

using namespace weir_chaos;

constexpr std::int64_t kReportEvery = 250'000;
constexpr std::int64_t kLast = 60'000'000;

volatile std::sig_atomic_t told_to_end = 0;

std::int64_t micros_of(std::chrono::nanoseconds time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time).count();
}

// Time of day as microseconds: the reports are held against the log of the faults.
std::int64_t now_micros() { return micros_of(std::chrono::system_clock::now().time_since_epoch()); }

std::uint64_t option(int argc, char** argv, const char* name, std::uint64_t otherwise) {
  const std::size_t size = std::strlen(name);
  for (int i = 3; i < argc; ++i)
    if (std::strncmp(argv[i], name, size) == 0 && argv[i][size] == '=')
      return std::strtoull(argv[i] + size + 1, nullptr, 10);
  return otherwise;
}

class Load {
 public:
  Load(int argc, char** argv);
  bool run();

 private:
  void hand_out(std::int64_t now);
  void wait_for_events();
  bool busy() const;

  Settings settings_;
  std::uint64_t rate_;
  std::int64_t began_ = now_micros();
  Traffic traffic_;
  Tally tally_;
  int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  std::vector<std::unique_ptr<Client>> clients_;
  std::uint64_t next_ = 0;
  std::uint64_t events_ = 0;  // handed out
};

Load::Load(int argc, char** argv)
    : rate_(option(argc, argv, "rate", 0)),
      traffic_({option(argc, argv, "seed", 1), static_cast<std::uint64_t>(began_), began_ / 1000,
                option(argc, argv, "users", 2000)}),
      tally_(argv[2]) {
  settings_.port = std::atoi(argv[1]);
  settings_.seed = option(argc, argv, "seed", 1);
  settings_.rude = option(argc, argv, "rude", 1) != 0;
  settings_.patience_micros =
      static_cast<std::int64_t>(option(argc, argv, "patience", 10'000)) * 1000;
  const auto count = static_cast<int>(option(argc, argv, "connections", 64));
  for (int number = 0; number < count; ++number)
    clients_.push_back(std::make_unique<Client>(epoll_, settings_, traffic_, tally_));
}

// Gives idle clients their next request, as many as the rate allows.
void Load::hand_out(std::int64_t now) {
  for (auto& client : clients_) {
    if (!client->idle()) continue;
    const auto allowed = static_cast<std::uint64_t>(now - began_) * rate_ / 1'000'000;
    if (rate_ && events_ >= allowed) return;
    const Request request = traffic_.request(next_++);
    events_ += request.events;
    client->start(request, now);
  }
}

void Load::wait_for_events() {
  std::array<epoll_event, 256> events;
  const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 5);
  const std::int64_t now = now_micros();
  for (int i = 0; i < count; ++i)
    static_cast<Client*>(events[static_cast<std::size_t>(i)].data.ptr)->on_event(now);
}

bool Load::busy() const {
  for (const auto& client : clients_)
    if (!client->idle()) return true;
  return false;
}

bool Load::run() {
  std::int64_t report_at = began_, timers_at = began_, end_at = 0;
  for (std::int64_t now = began_; !end_at || busy(); now = now_micros()) {
    if (told_to_end && !end_at) end_at = now + kLast;
    if (end_at && now > end_at) break;
    if (!end_at) hand_out(now);
    wait_for_events();
    if (now >= timers_at) {
      timers_at = now + 5000;
      for (auto& client : clients_) client->on_time(now);
    }
    if (now < report_at) continue;
    report_at = now + kReportEvery;
    tally_.report(static_cast<std::uint64_t>(now / 1000), "report");
  }
  for (auto& client : clients_) client->give_up();
  tally_.report(static_cast<std::uint64_t>(now_micros() / 1000), "total");
  return tally_.flush();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3 || std::atoi(argv[1]) <= 0) {
    std::fprintf(stderr, "usage: %s PORT LEDGER [NAME=NUMBER...]\n", argv[0]);
    return 2;
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  struct sigaction action {};
  action.sa_handler = [](int) { told_to_end = 1; };
  sigaction(SIGTERM, &action, nullptr);
  if (Load(argc, argv).run()) return 0;
  std::fprintf(stderr, "%s cannot be written\n", argv[2]);
  return 1;
}
