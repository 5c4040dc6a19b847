#include "threads/writer.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>

namespace weir {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLookEvery{1000};

// The longest that errands wait because Redis has not answered others.
constexpr milliseconds kPace{2};

// Of kStopWait: for the records on their way, and then for the disk.
constexpr milliseconds kRecordsWait{1500};
constexpr milliseconds kDiskWait{500};

}  // namespace

Timestamp Writer::TurnClock::wall() const noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<Timestamp>(now.tv_sec) * kMicrosPerSecond + now.tv_nsec / 1000;
}

Writer::Writer(const EdgeSettings& settings, MetricsMemory& metrics, Seats seats, Log& log)
    : seats_(seats),
      process_(static_cast<std::uint64_t>(getpid())),
      seat_(seats_.take(process_, process_lives)),
      shards_(settings.redis->shards),
      redis_(*settings.redis),
      replicated_(*settings.redis),
      disk_(bell_) {
  const Host host{clock_, log, redis_, replicated_, disk_, metrics, process_, seat_};
  edge_ = std::make_unique<Edge>(settings, host);
  redis_.serve(edge_->redis);
  if (edge_->replicated) replicated_.serve(*edge_->replicated);
  sem_init(&settled_, 0, 0);
}

bool Writer::start() noexcept {
  if (!thread_.start([this] { work(); })) return false;
  timespec until{};
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_nsec += kGreetingWait.count() * 1'000'000;
  until.tv_sec += until.tv_nsec / 1'000'000'000;
  until.tv_nsec %= 1'000'000'000;
  while (sem_clockwait(&settled_, CLOCK_MONOTONIC, &until) != 0 && errno == EINTR) {
  }
  return true;
}

void Writer::leave() noexcept {
  leaving_.store(true, std::memory_order_relaxed);
  bell_.ring();
}

bool Writer::stop() noexcept {
  stopping_.store(true, std::memory_order_release);
  bell_.ring();
  return thread_.join_within(kStopWait);
}

void Writer::work() noexcept {
  look_after();
  edge_->start();
  while (!may_end()) turn();
  end();
}

void Writer::turn() noexcept {
  sleep();
  disk_.deliver();
  errands_.run_all(*edge_);
  if (leaving_.load(std::memory_order_relaxed) && !left_) {
    edge_->leave();
    left_ = true;
  }
  if (clock_.steady() >= look_at_) look_after();
  if (clock_.steady() >= edge_->due()) edge_->tick();
  if (!said_settled_ && edge_->settled()) {
    said_settled_ = true;
    sem_post(&settled_);
  }
}

// Writes what came of the turn before, and sleeps until there is something to do. Reads first then:
// an answer that has arrived is not late.
void Writer::sleep() noexcept {
  redis_.flush();
  replicated_.flush();
  disk_.hand_over();
  std::array<pollfd, 3> wanted{{{bell_.fd(), POLLIN, 0}, redis_.wanted(), replicated_.wanted()}};
  if (poll(wanted.data(), wanted.size(), static_cast<int>(time_to_sleep().count())) < 0) {
    for (pollfd& descriptor : wanted) descriptor.revents = 0;
  }
  clock_.read();
  if (wanted[0].revents != 0) bell_.heard();
  redis_.move(wanted[1].revents);
  replicated_.move(wanted[2].revents);
}

// While Redis or the disk has something to do, it sets the pace: what is handed in meanwhile goes
// out together once it has, or after a moment if that takes longer. Nobody has to ring for that.
milliseconds Writer::time_to_sleep() noexcept {
  const bool paced = edge_->busy();
  if (errands_.want_bell(!paced)) return milliseconds(0);
  const auto until = std::min(edge_->due(), look_at_);
  const auto left = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now());
  return std::clamp(left, milliseconds(0), paced ? kPace : kLookEvery);
}

void Writer::look_after() noexcept {
  edge_->speak(!left_ && seats_.speaks(seat_, shards_, process_lives));
  look_at_ = clock_.steady() + kLookEvery;
}

bool Writer::may_end() noexcept {
  if (!stopping_.load(std::memory_order_acquire)) return false;  // what requests did came before
  if (stop_by_ == Clock::Time{}) {
    errands_.close();
    edge_->leave();
    left_ = true;
    stop_by_ = clock_.steady() + kRecordsWait;
  }
  return !edge_->busy() || clock_.steady() >= stop_by_;
}

// A disk that hangs keeps the spool: it is then left as it is.
void Writer::end() noexcept {
  seats_.give_back(seat_, process_);
  if (!disk_.stop_within(kDiskWait)) static_cast<void>(edge_.release());
  edge_.reset();
}

}  // namespace weir
