// Takes the same body many times, as a server's worker does, for counting instructions, which do
// not depend on how busy the machine is (bench/instructions):
//
//   valgrind --tool=callgrind build/intake_cost track bench/bodies/event.json 1000
//
// track, crash, cli: from a request's bytes to a record. courier: the record of a body for /track,
// taken once, goes to Redis and is answered, so many times, eight in one write and one read.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "core/http/intake.h"
#include "core/redis/courier.h"

namespace {

constexpr weir::Timestamp kNow = 1'795'262'400'123'000;

[[noreturn]] void fail(const std::string& sentence) {
  std::fprintf(stderr, "intake_cost: %s\n", sentence.c_str());
  std::exit(EXIT_FAILURE);
}

std::string read_file(const char* name) {
  std::ifstream file(name, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  if (bytes.empty()) fail(std::string("there is no body in ") + name);
  return bytes;
}

class Taker {
 public:
  Taker(std::string_view kind, std::string body) : body_(std::move(body)) {
    if (const auto fault = settings_.set_kind({kind}); !fault.empty()) fail(fault);
    head_.method = "POST";
    head_.content_type = "application/json";
    head_.content_length = body_.size();
  }

  std::string_view take(weir::Timestamp now) {
    const auto refused = intake_.screen(settings_.location(), head_);
    const auto decision = intake_.take(settings_.location(), head_, body_, now);
    if (refused || decision.record.empty()) fail("refused: " + std::string(decision.answer.body));
    return decision.record;
  }
  void forget() { intake_.forget(); }

 private:
  weir::LocationSettings settings_;
  weir::Metrics metrics_;
  weir::Intake intake_{metrics_};
  weir::RequestHead head_;
  std::string body_;
};

struct Log : weir::CourierLog {
  void ready() noexcept override {}
  void warn(std::string_view sentence) noexcept override { fail(std::string(sentence)); }
};

struct Customer : weir::Customer {
  void settled(weir::Outcome outcome, std::string_view) noexcept override {
    if (outcome != weir::Outcome::acknowledged) fail("a record was not acknowledged");
  }
};

class Redis {
 public:
  explicit Redis(weir::Courier& courier) : courier_(courier) {
    courier_.connected(now_);
    answer(kGreeting);
  }

  void keep(std::string_view record) {
    if (courier_.submit(record, customer_, now_, nullptr) != weir::Courier::Submitted::taken) {
      fail("the courier takes nothing");
    }
    answers_ += "$15\r\n1763700000000-0\r\n";
    if (++waiting_ % kTogether == 0) turn();
  }

  void turn() {
    answer(answers_);
    answers_.clear();
  }

 private:
  static constexpr int kTogether = 8;
  static constexpr std::string_view kGreeting =
      "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n"
      "*2\r\n$10\r\nappendonly\r\n$3\r\nyes\r\n"
      "*2\r\n$11\r\nappendfsync\r\n$6\r\nalways\r\n"
      "*2\r\n$16\r\nmaxmemory-policy\r\n$10\r\nnoeviction\r\n"
      "*2\r\n$18\r\nproto-max-bulk-len\r\n$9\r\n536870912\r\n"
      ":42\r\n";

  void answer(std::string_view bytes) {
    courier_.wrote(courier_.output().size());
    if (!courier_.feed(bytes, now_)) fail("the courier makes no sense of an answer");
  }

  weir::Courier& courier_;
  Customer customer_;
  weir::Courier::Time now_{std::chrono::hours(1)};
  std::string answers_;
  int waiting_ = 0;
};

std::size_t take_many(std::string_view kind, std::string body, long times) {
  Taker taker(kind, std::move(body));
  std::size_t bytes = 0;
  for (long n = times; n > 0; --n) {
    bytes += taker.take(kNow + n * 1000).size();
    taker.forget();
  }
  return bytes;
}

std::size_t keep_many(std::string body, long times) {
  Taker taker("track", std::move(body));
  const std::string_view record = taker.take(kNow);
  weir::CourierSettings settings;
  settings.stream = "weir:{0}";
  settings.watch_every = std::chrono::milliseconds(0);
  Log log;
  weir::Courier courier(settings, log);
  Redis redis(courier);
  for (long n = times; n > 0; --n) redis.keep(record);
  redis.turn();
  return record.size() * static_cast<std::size_t>(times);
}

}  // namespace

int main(int count, char** words) {
  if (count != 4) fail("usage: intake_cost track|crash|cli|courier BODY TIMES");
  const std::string_view what = words[1];
  const long times = std::atol(words[3]);
  const std::size_t bytes = what == "courier" ? keep_many(read_file(words[2]), times)
                                              : take_many(what, read_file(words[2]), times);
  std::printf("%zu bytes of records\n", bytes);
}
