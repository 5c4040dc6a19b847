// One client of the load generator: one connection, one request at a time, sent again until it is
// answered. It never blocks; whoever owns it calls on_event() for its descriptor and on_time()
// often.
//
//            start()                      made                    written
//   idle ─────────────▶ connecting ─────────────▶ sending ──────────────▶ waiting ──200/400──▶ idle
//                           ▲    │ refused            │ cut                  │ cut, 503, too late
//                           │    ▼                    ▼                      │
//                           └── resting ◀─────────────┴──────────────────────┘
//
// A kept connection goes from idle straight to sending. Some requests are sent in two pieces, some
// are left by their client before the answer comes, and some are sent again after it was had: all
// that happens to real clients.
#pragma once

#include <cstdint>
#include <string>

#include "t/chaos/tally.h"
#include "t/chaos/traffic.h"

namespace weir_chaos {

struct Settings {
  int port = 0;
  std::uint64_t seed = 1;
  std::int64_t patience_micros = 10'000'000;  // for one answer
  bool rude = true;                           // leave, send in pieces, send again
};

class Client {
 public:
  Client(int epoll, const Settings& settings, const Traffic& traffic, Tally& tally)
      : epoll_(epoll), settings_(settings), traffic_(traffic), tally_(tally) {}
  ~Client() { disconnect(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  bool idle() const { return state_ == State::idle; }
  void start(const Request& request, std::int64_t now);
  void on_event(std::int64_t now);
  void on_time(std::int64_t now);
  // No answer is going to be waited for any more.
  void give_up();

 private:
  enum class State { idle, connecting, sending, waiting, resting };

  void connect(std::int64_t now);
  void begin_try(std::int64_t now);
  void write_more(std::int64_t now);
  void read_more(std::int64_t now);
  void take_answer(std::int64_t now, int status, const std::string& body, bool closing);
  void settle(char state);
  void retry(std::int64_t now);  // over another connection
  void rest(std::int64_t now);
  void disconnect();
  bool chance(std::uint64_t one_in, std::uint64_t purpose) const;

  int epoll_;
  const Settings& settings_;
  const Traffic& traffic_;
  Tally& tally_;

  State state_ = State::idle;
  int fd_ = -1;
  Request request_;
  std::uint32_t tries_ = 0;
  bool answered_ = false;  // with 200; the request is being sent once more all the same
  std::string out_, in_;
  std::size_t written_ = 0;
  std::size_t pause_at_ = 0;  // where the first of two pieces ends
  std::int64_t since_ = 0;    // of this try
  std::int64_t wake_ = 0;
};

}  // namespace weir_chaos
