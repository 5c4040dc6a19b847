// A Redis that may say anything, in chunks of any size, at any time: whoever handed in a record is
// told at most once, in order (but for those that have more patience than others), with the record
// unless Redis has it, never after cancelling, and exactly once when the connection is gone.
#include <fuzzer/FuzzedDataProvider.h>

#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/redis/courier.h"

namespace {

using weir::Courier;

constexpr std::size_t kMaxWaiting = 70;
constexpr std::size_t kMaxOutput = 4000;
constexpr std::size_t kMostOwn = 40 * kMaxWaiting + 1000;  // WAITs, a probe, a look at the stream
constexpr std::string_view kPassword = "s3same";

void require(bool condition) {
  if (!condition) std::abort();
}

class Log : public weir::CourierLog {
 public:
  void ready() noexcept override {}
  void warn(std::string_view sentence) noexcept override {
    require(!sentence.empty() && sentence.find(kPassword) == std::string_view::npos);
    for (const char c : sentence) require(c >= 0x20 && c < 0x7f);
  }
};

class World {
 public:
  explicit World(FuzzedDataProvider& input) : input_(input), courier_(settings(), log_) {}

  void run() {
    while (input_.remaining_bytes() > 0) {
      step();
      require(courier_.waiting() <= kMaxWaiting);
      require(courier_.output().size() <= kMaxOutput + kMostOwn);
      require(courier_.state() != Courier::State::away || courier_.output().empty());
    }
    end();
  }

 private:
  struct Customer final : weir::Customer {
    World* world = nullptr;
    Courier::Ticket ticket = 0;
    bool told = false, cancelled = false;
    bool submits = false, cancels = false;  // when it is told
    bool patient = false;
    std::string record;

    void settled(weir::Outcome outcome, std::string_view back) noexcept override {
      require(!told && !cancelled);
      require(back == (outcome == weir::Outcome::acknowledged ? "" : record));
      told = true;
      if (!patient) {
        require(!world->told_any_ || ticket > world->last_told_);
        world->told_any_ = true;
        world->last_told_ = ticket;
      }
      if (submits) world->submit("again", 0);
      if (cancels) world->cancel(ticket + 1);
    }
  };

  static weir::CourierSettings settings() {
    weir::CourierSettings settings;
    settings.stream = "weir:{0}";
    settings.password = kPassword;
    settings.max_waiting = kMaxWaiting;
    settings.max_output = kMaxOutput;
    settings.watches_oldest = true;
    settings.stream_length = 1000;
    return settings;
  }

  void step() {
    switch (input_.ConsumeIntegralInRange(0, 12)) {
      case 0:
        return courier_.connected(now_);
      case 1:
        return end();
      case 2:
        return submit(input_.ConsumeRandomLengthString(300),
                      input_.ConsumeIntegral<std::uint8_t>());
      case 3:
        return cancel(input_.ConsumeIntegral<std::uint8_t>());
      case 4:
        return courier_.wrote(input_.ConsumeIntegral<std::uint16_t>());
      case 5:
        return wait(input_.ConsumeIntegralInRange(0, 3000));
      case 6:
        return feed(input_.ConsumeRandomLengthString());
      case 7:
        return feed("$15\r\n1763700000000-0\r\n");
      case 8:
        return feed("-READONLY You can't write against a read only replica.\r\n");
      case 9:
        return feed(":" + std::to_string(input_.ConsumeIntegralInRange(-1, 2000)) + "\r\n");
      case 10:
        return feed("-ERR The ID specified in XADD must be greater than 0-0\r\n");
      case 11:
        return feed("*1\r\n*2\r\n$3\r\n1-0\r\n*2\r\n$1\r\nr\r\n$3\r\nabc\r\n");
      default:
        return greet();
    }
  }

  void greet() {
    courier_.connected(now_);
    feed("+OK\r\n*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n*2\r\n$10\r\nappendonly\r\n$3\r\nyes\r\n");
    feed("*2\r\n$11\r\nappendfsync\r\n$2\r\nno\r\n-NOPERM no\r\n-NOPERM no\r\n:0\r\n");
    require(courier_.state() == Courier::State::ready);
  }

  // The bits of `how`: submits, cancels, is patient, wants replicas.
  void submit(const std::string& record, unsigned how) {
    auto customer = std::make_unique<Customer>();
    customer->world = this;
    customer->submits = (how & 1) != 0;
    customer->cancels = (how & 2) != 0;
    customer->patient = (how & 4) != 0;
    customer->record = record;
    const bool ready = courier_.state() == Courier::State::ready;
    const weir::Terms terms{static_cast<std::uint8_t>(how >> 3 & 3), customer->patient};
    const auto submitted = courier_.submit(record, *customer, now_, &customer->ticket, terms);
    require(ready || submitted == Courier::Submitted::away);
    if (submitted != Courier::Submitted::taken) return;
    require(customers_.empty() || customer->ticket > customers_.rbegin()->first);
    customers_[customer->ticket] = std::move(customer);
  }

  // Tickets that are settled, or were never given out, are none of the courier's business.
  void cancel(Courier::Ticket ticket) {
    const auto found = customers_.find(ticket);
    if (found != customers_.end() && !found->second->told) found->second->cancelled = true;
    courier_.cancel(ticket);
  }

  void wait(int milliseconds) {
    now_ += std::chrono::milliseconds(milliseconds);
    const auto deadline = courier_.deadline();
    const bool overdue = courier_.expire(now_);
    require(!overdue || (deadline && *deadline <= now_));
    require(!overdue || courier_.state() == Courier::State::away);
    courier_.ask(now_);
    const auto next = courier_.deadline();
    require(!next || *next > now_);  // a server's timer never spins
  }

  // Each chunk in memory of its own, so that reading past it or after it shows.
  void feed(std::string_view bytes) {
    const std::vector<char> chunk(bytes.begin(), bytes.end());
    const bool sane = courier_.feed({chunk.data(), chunk.size()}, now_);
    require(sane == (courier_.state() != Courier::State::away));
  }

  void end() {
    courier_.closed();
    require(courier_.waiting() == 0 && !courier_.pressing() && !courier_.deadline());
    for (const auto& [ticket, customer] : customers_)
      require(customer->told != customer->cancelled);
  }

  FuzzedDataProvider& input_;
  Log log_;
  Courier::Time now_{};
  std::map<Courier::Ticket, std::unique_ptr<Customer>> customers_;
  bool told_any_ = false;
  Courier::Ticket last_told_ = 0;
  Courier courier_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider input(data, size);
  World(input).run();
  return 0;
}
