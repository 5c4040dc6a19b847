// What keeping a record on the disk costs: how many a second, with so many waiting at a time, in
// segments that are reserved, written with zeros beforehand, or grow as they are written.
//
//   spool_commit DIR reserved|zeros|growing WAITING SECONDS [BYTES]
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

#include "spool/files.h"
#include "spool/spool.h"

namespace {

using weir::Spool;

class Way final : public weir::Files {
 public:
  explicit Way(const char* name) : name_(name) {}

  int reserve(int fd, std::uint64_t size) override {
    if (name_ == "growing") return 0;
    return name_ == "zeros" ? -EOPNOTSUPP : Files::reserve(fd, size);
  }

 private:
  std::string name_;
};

// One thread; done() comes from wait().
class Thread final : public weir::Background {
 public:
  Thread() : thread_([this] { serve(); }) {}
  ~Thread() { finish(); }

  // Ends once what was started is through, so that nothing of it outlives the spool.
  void finish() {
    if (!thread_.joinable()) return;
    start_job(nullptr);
    thread_.join();
  }

  bool start(weir::Job& job) noexcept override {
    job.gather();
    start_job(&job);
    return true;
  }

  void wait() {
    std::unique_lock<std::mutex> guard(mutex_);
    worked_.wait(guard, [this] { return !done_.empty(); });
    weir::Job* job = done_.front();
    done_.pop_front();
    guard.unlock();
    job->done();
  }

 private:
  void start_job(weir::Job* job) {
    {
      const std::lock_guard<std::mutex> guard(mutex_);
      started_.push_back(job);
    }
    wake_.notify_one();
  }

  void serve() {
    for (;;) {
      std::unique_lock<std::mutex> guard(mutex_);
      wake_.wait(guard, [this] { return !started_.empty(); });
      weir::Job* job = started_.front();
      started_.pop_front();
      if (job == nullptr) return;
      guard.unlock();
      job->work();
      guard.lock();
      done_.push_back(job);
      worked_.notify_one();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_, worked_;
  std::deque<weir::Job*> started_, done_;
  std::thread thread_;
};

struct Log final : weir::SpoolLog {
  void note(std::string_view) noexcept override {}
  void warn(std::string_view line) noexcept override {
    std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
  }
};

// A client that hands in its next record as soon as one is kept.
struct Client final : weir::SpoolCustomer {
  void synced(bool kept) noexcept override {
    if (!kept || !spool->submit(*record, *this)) ++*failed;
  }

  Spool* spool = nullptr;
  const std::string* record = nullptr;
  long* failed = nullptr;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) return std::fprintf(stderr, "spool_commit DIR WAY WAITING SECONDS [BYTES]\n"), 2;
  weir::SpoolSettings settings;
  settings.directory = argv[1];
  settings.size = 8ULL << 30;
  settings.free = 0;
  Way files(argv[2]);
  Log log;
  Thread background;
  Spool spool(settings, background, log, &files);
  const std::string record(argc > 5 ? std::strtoul(argv[5], nullptr, 10) : 400, 'r');
  long failed = 0;
  std::deque<Client> clients(std::strtoul(argv[3], nullptr, 10));
  const auto began = Spool::Time::clock::now();
  for (Client& client : clients) {
    client.spool = &spool;
    client.record = &record;
    client.failed = &failed;
    if (!spool.submit(record, client)) ++failed;
  }
  std::chrono::duration<double> passed{};
  while (passed.count() < std::atof(argv[4]) && failed == 0) {
    background.wait();
    passed = Spool::Time::clock::now() - began;
  }
  const weir::SpoolStatus status = spool.status();
  std::printf("%-9s %5s waiting: %9.0f records/s %7.1f MiB/s %7.0f syncs/s %6.2f ms a sync%s\n",
              argv[2], argv[3], static_cast<double>(status.spooled) / passed.count(),
              static_cast<double>(status.spooled_bytes) / passed.count() / (1 << 20),
              static_cast<double>(status.syncs) / passed.count(),
              1000 * passed.count() / static_cast<double>(status.syncs),
              failed > 0 ? ", some FAILED" : "");
  background.finish();
  return failed > 0 ? 1 : 0;
}
