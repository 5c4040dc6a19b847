// A Redis that may say anything, in chunks of any size, at any time: whoever handed in a record is
// told at most once, in order, never after cancelling, and exactly once when the connection is
// gone.
#include <fuzzer/FuzzedDataProvider.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/redis/courier.h"

namespace {

using weir::Courier;

constexpr std::size_t kMaxWaiting = 70;
constexpr std::size_t kMaxOutput = 4000;
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
      require(courier_.output().size() <= kMaxOutput);
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
    std::string record;

    void settled(weir::Outcome outcome, std::string_view back) noexcept override {
      require(!told && !cancelled);
      require(back == (outcome == weir::Outcome::acknowledged ? "" : record));
      require(!world->told_any_ || ticket > world->last_told_);
      told = world->told_any_ = true;
      world->last_told_ = ticket;
      if (submits) world->submit("again", false, false);
      if (cancels) world->cancel(ticket + 1);
    }
  };

  static weir::CourierSettings settings() {
    weir::CourierSettings settings;
    settings.stream = "weir:{0}";
    settings.password = kPassword;
    settings.max_waiting = kMaxWaiting;
    settings.max_output = kMaxOutput;
    return settings;
  }

  void step() {
    switch (input_.ConsumeIntegralInRange(0, 9)) {
      case 0:
        return courier_.connected(now_);
      case 1:
        return end();
      case 2:
        return submit(input_.ConsumeRandomLengthString(300), input_.ConsumeBool(),
                      input_.ConsumeBool());
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
      default:
        return greet();
    }
  }

  void greet() {
    courier_.connected(now_);
    feed("+OK\r\n*2\r\n$10\r\nappendonly\r\n$3\r\nyes\r\n");
    feed("*2\r\n$11\r\nappendfsync\r\n$2\r\nno\r\n-NOPERM no\r\n:0\r\n");
    require(courier_.state() == Courier::State::ready);
  }

  void submit(const std::string& record, bool submits, bool cancels) {
    auto customer = std::make_unique<Customer>();
    customer->world = this;
    customer->submits = submits;
    customer->cancels = cancels;
    customer->record = record;
    const bool ready = courier_.state() == Courier::State::ready;
    const auto submitted = courier_.submit(record, *customer, now_, &customer->ticket);
    require(ready == (submitted != Courier::Submitted::away));
    if (submitted != Courier::Submitted::taken) return;
    require(customer->ticket == customers_.size());
    customers_.push_back(std::move(customer));
  }

  // Tickets that are settled, or were never given out, are none of the courier's business.
  void cancel(Courier::Ticket ticket) {
    if (ticket < customers_.size() && !customers_[ticket]->told) {
      customers_[ticket]->cancelled = true;
    }
    courier_.cancel(ticket);
  }

  void wait(int milliseconds) {
    now_ += std::chrono::milliseconds(milliseconds);
    const auto deadline = courier_.deadline();
    const bool overdue = courier_.expire(now_);
    require(overdue == (deadline && *deadline <= now_));
    require(!overdue || courier_.state() == Courier::State::away);
  }

  // Each chunk in memory of its own, so that reading past it or after it shows.
  void feed(std::string_view bytes) {
    const std::vector<char> chunk(bytes.begin(), bytes.end());
    const bool sane = courier_.feed({chunk.data(), chunk.size()}, now_);
    require(sane == (courier_.state() != Courier::State::away));
  }

  void end() {
    courier_.closed();
    require(courier_.waiting() == 0 && !courier_.deadline());
    for (const auto& customer : customers_) require(customer->told != customer->cancelled);
  }

  FuzzedDataProvider& input_;
  Log log_;
  Courier::Time now_{};
  std::vector<std::unique_ptr<Customer>> customers_;  // by ticket
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
