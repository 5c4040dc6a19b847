// The thread that has the edge, over a socket that a test plays Redis on.
#include "threads/writer.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "t/unit/suite.h"

using namespace std::chrono_literals;
using weir::Answer;
using weir::Edge;
using weir::EdgeSettings;
using weir::Endpoint;
using weir::Errand;
using weir::MetricsMemory;
using weir::RedisTarget;
using weir::Seats;
using weir::SeatsMemory;
using weir::Writer;

namespace {

class NoLog final : public weir::Log {
 public:
  void write(Level, std::string_view) noexcept override {}
};

// Somebody listens where Redis should be; what to say is the test's business.
class Listener {
 public:
  Listener() {
    path_ = "/tmp/weir-unit-writer-" + std::to_string(getpid());
    unlink(path_.c_str());
    path_.copy(address_.sun_path, sizeof address_.sun_path - 1);
    address_.sun_family = AF_UNIX;
    ck_assert_int_eq(bind(fd_, reinterpret_cast<sockaddr*>(&address_), sizeof address_), 0);
    ck_assert_int_eq(listen(fd_, 8), 0);
  }
  ~Listener() {
    close(fd_);
    unlink(path_.c_str());
  }

  RedisTarget target() const {
    RedisTarget target;
    RedisTarget::Address address;
    target.name = address.name = "unix:" + path_;
    std::memcpy(&address.sockaddr, &address_, sizeof address_);
    address.length = sizeof address_;
    target.addresses.push_back(address);
    target.courier.stream = "weir:{0}";
    return target;
  }

  // The first bytes that somebody sends who connects; empty: nobody did for a minute.
  std::string first_bytes() const {
    const int client = accept(fd_, nullptr, nullptr);
    pollfd wanted{client, POLLIN, 0};
    char bytes[4096];
    const ssize_t size = poll(&wanted, 1, 60'000) == 1 ? read(client, bytes, sizeof bytes) : 0;
    close(client);
    return {bytes, static_cast<std::size_t>(size)};
  }

 private:
  int fd_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  std::string path_;
  sockaddr_un address_{};
};

struct Process {
  explicit Process(const Listener& redis) {
    settings.redis = redis.target();
    writer.emplace(settings, *metrics, Seats(seats.get()), log);
  }

  EdgeSettings settings;
  std::unique_ptr<MetricsMemory> metrics = std::make_unique<MetricsMemory>();
  std::unique_ptr<SeatsMemory> seats = std::make_unique<SeatsMemory>();
  NoLog log;
  std::optional<Writer> writer;
};

class Ask final : public Errand {
 public:
  int status = 0;

 private:
  void run(Edge& edge) noexcept override {
    std::string page;
    status = edge.tell(Endpoint::health, page).status;
    done();
  }
  void refuse() noexcept override { done(); }
};

START_TEST(redis_is_greeted_before_anybody_asks_for_anything) {
  const Listener redis;
  Process process(redis);
  std::string greeting;
  std::thread server([&] { greeting = redis.first_bytes(); });
  ck_assert(process.writer->start());
  server.join();
  ck_assert_msg(!greeting.empty() && greeting[0] == '*', "'%s'", greeting.c_str());
  ck_assert(process.writer->stop());
}
END_TEST

START_TEST(what_is_handed_in_is_done_and_after_the_stop_refused) {
  const Listener redis;
  Process process(redis);
  ck_assert(process.writer->start());
  Ask before, after;
  ck_assert(process.writer->hand_in(before));
  before.wait();
  ck_assert_int_eq(before.status, 503);  // Redis says nothing, and there is no spool
  process.writer->leave();
  ck_assert(process.writer->stop());
  ck_assert(!process.writer->hand_in(after));
  ck_assert_uint_eq(Seats(process.seats.get()).take(1, weir::process_lives), 0);
}
END_TEST

const weir_test::Register kRegistered("writer",
                                      {redis_is_greeted_before_anybody_asks_for_anything,
                                       what_is_handed_in_is_done_and_after_the_stop_refused});

}  // namespace
