// Two workers with real threads behind them, in one directory, for ThreadSanitizer to look at.
#include <chrono>

#include "t/unit/spool_fixture.h"

using namespace spool_test;

namespace {

// Disks are slow, and nobody cuts the power.
class QuickFiles final : public Files {
  int sync(int) override { return 0; }
  int sync_data(int) override { return 0; }
};

struct Threaded {
  Threaded(const SpoolSettings& settings, Files& files) : spool(settings, background, log, &files) {
    spool.start(Spool::Time::clock::now());
  }

  void turn(bool redis_ready) {
    background.run();
    redis.answer();
    const auto now = Spool::Time::clock::now();
    if (now >= spool.due()) spool.tick(now, redis_ready ? &redis : nullptr);
  }

  Log log;
  Redis redis;
  Spool spool;
  ThreadBackground background;  // its threads end before the spool
};

// Turns both loops until `done`, for a minute at most.
template <class Done>
void loop_until(Threaded& one, Threaded& other, bool redis_ready, Done done) {
  const auto deadline = std::chrono::steady_clock::now() + seconds(60);
  while (!done()) {
    ck_assert(std::chrono::steady_clock::now() < deadline);
    one.turn(redis_ready);
    other.turn(redis_ready);
    std::this_thread::yield();
  }
}

START_TEST(two_workers_share_a_directory) {
  House house({"size=16m", "segment=64k"});
  QuickFiles files;
  Threaded one(house.settings, files), other(house.settings, files);
  constexpr int kRecords = 1000;
  std::vector<Client> clients(kRecords);
  int submitted = 0;
  const auto told = [&] {
    for (int i = 0; i < 20 && submitted < kRecords; ++i, ++submitted) {
      Spool& spool = submitted % 2 == 0 ? one.spool : other.spool;
      ck_assert(
          spool.submit(std::to_string(submitted) + std::string(100, 'r'), clients[submitted]));
    }
    return submitted == kRecords && !one.spool.busy() && !other.spool.busy();
  };
  loop_until(one, other, false, told);
  for (const Client& client : clients) ck_assert(client.told == 1 && client.kept);
  const auto got = [&] { return one.redis.got.size() + other.redis.got.size(); };
  loop_until(one, other, true,
             [&] { return got() >= kRecords && house.directory.segments().empty(); });
  std::vector<std::string> all = one.redis.got;
  all.insert(all.end(), other.redis.got.begin(), other.redis.got.end());
  std::sort(all.begin(), all.end());
  ck_assert_uint_eq(all.size(), kRecords);
  ck_assert(std::unique(all.begin(), all.end()) == all.end());
}
END_TEST

const weir_test::Register kRegistered("spool_threads", {two_workers_share_a_directory});

}  // namespace
