// A spool in a directory of its own, with a background that runs when the test says so, files that
// fail when the test says so, and a Redis that takes what the test lets it.
#pragma once

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/redis/courier.h"
#include "core/spool/format.h"
#include "core/spool/name.h"
#include "spool/files.h"
#include "spool/spool.h"
#include "t/unit/suite.h"

namespace spool_test {

using namespace weir;
using Time = Spool::Time;
using std::chrono::milliseconds;
using std::chrono::seconds;

struct TempDirectory {
  TempDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "weir-spool-XXXXXX").string();
    ck_assert(mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~TempDirectory() {
    std::error_code ignored;
    std::filesystem::permissions(path, std::filesystem::perms::owner_all, ignored);
    std::filesystem::remove_all(path, ignored);
  }

  std::vector<std::string> names(const std::string& ending) const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(path)) {
      const std::string name = entry.path().filename().string();
      if (name.size() >= ending.size() &&
          name.compare(name.size() - ending.size(), ending.size(), ending) == 0) {
        found.push_back(name);
      }
    }
    std::sort(found.begin(), found.end());
    return found;
  }
  std::vector<std::string> segments() const { return names(".spool"); }

  std::string read(const std::string& name) const {
    std::ifstream file(path + '/' + name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void write(const std::string& name, const std::string& bytes) const {
    std::ofstream(path + '/' + name, std::ios::binary) << bytes;
  }

  std::string path;
};

// Calls fail with the error that the test put down for them. The names are those of class Files.
class FaultyFiles : public Files {
 public:
  std::map<std::string, int> errors;
  std::map<std::string, int> calls;
  std::function<void(const std::string&)> before;

  int open(const std::string& path, int flags, mode_t mode) override {
    const char* call = flags & O_EXCL ? "create" : flags & O_DIRECTORY ? "directory" : "open";
    return failed(call) ? result_ : Files::open(path, flags, mode);
  }
  std::int64_t write(int fd, const char* bytes, std::size_t size, std::uint64_t at) override {
    if (failed("write")) return result_;
    if (no_room_for_zeros && size > 4096 &&
        std::count(bytes, bytes + size, '\0') == std::int64_t(size)) {
      ++calls["zeros"];
      return -ENOSPC;
    }
    largest_write = std::max(largest_write, size);
    // Short, as a kernel may.
    return Files::write(fd, bytes, at % 2 == 0 ? (size + 1) / 2 : size, at);
  }
  std::int64_t read(int fd, char* bytes, std::size_t size, std::uint64_t at) override {
    if (at >= kSegmentHeaderSize && failed("read")) return result_;
    return Files::read(fd, bytes, size, at);
  }
  int reserve(int fd, std::uint64_t size) override {
    return failed("reserve") ? result_ : Files::reserve(fd, size);
  }
  int truncate(int fd, std::uint64_t size) override {
    return failed("truncate") ? result_ : Files::truncate(fd, size);
  }
  // Nobody cuts the power in these tests, and disks are slow.
  int sync(int) override { return failed("sync") ? result_ : 0; }
  int sync_data(int) override { return failed("sync_data") ? result_ : 0; }
  int space(const std::string& directory, struct statvfs& space) override {
    if (failed("space")) return result_;
    const int result = Files::space(directory, space);
    if (available) {
      space.f_frsize = 1;
      space.f_bavail = *available;
      space.f_blocks = *available * 2;
    }
    return result;
  }
  int may_write(const std::string& directory) override {
    return failed("may_write") ? result_ : Files::may_write(directory);
  }
  int list(const std::string& directory, std::vector<std::string>& names) override {
    return failed("list") ? result_ : Files::list(directory, names);
  }
  int remove(const std::string& path) override {
    return failed("remove") ? result_ : Files::remove(path);
  }
  void pause() override { ++calls["pause"]; }

  bool no_room_for_zeros = false;
  std::optional<std::uint64_t> available;
  std::size_t largest_write = 0;

 private:
  bool failed(const char* call) {
    if (before) before(call);
    ++calls[call];
    const auto error = errors.find(call);
    if (error == errors.end() || error->second == 0) return false;
    result_ = -error->second;
    return true;
  }

  int result_ = 0;
};

// Runs what was started when the test says so, on its own thread.
class ManualBackground final : public Background {
 public:
  bool start(Job& job) noexcept override {
    if (!threads) return false;
    jobs_.push_back(&job);
    return true;
  }

  // All that was started, and what follows from it.
  void run() {
    while (!jobs_.empty()) run_one();
  }
  void run_one() {
    Job& job = *jobs_.front();
    jobs_.pop_front();
    job.gather();
    job.work();
    job.done();
  }
  // As when no thread has time for it.
  void refuse_one() {
    Job& job = *jobs_.front();
    jobs_.pop_front();
    job.gather();
    job.refused();
  }
  // As when the process dies before done().
  void work_only() {
    jobs_.front()->gather();
    jobs_.front()->work();
  }
  void finish_one() {
    Job& job = *jobs_.front();
    jobs_.pop_front();
    job.done();
  }
  std::size_t started() const { return jobs_.size(); }

  bool threads = true;

 private:
  std::deque<Job*> jobs_;
};

// Two threads, as a server's pool has some; done() comes from run() on the loop's thread.
class ThreadBackground final : public Background {
 public:
  ThreadBackground() {
    for (std::thread& thread : threads_) thread = std::thread([this] { serve(); });
  }
  ~ThreadBackground() {
    {
      const std::lock_guard<std::mutex> guard(mutex_);
      ending_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  bool start(Job& job) noexcept override {
    job.gather();
    {
      const std::lock_guard<std::mutex> guard(mutex_);
      started_.push_back(&job);
    }
    wake_.notify_one();
    return true;
  }

  void run() {
    std::deque<Job*> worked;
    {
      const std::lock_guard<std::mutex> guard(mutex_);
      worked.swap(worked_);
    }
    for (Job* job : worked) job->done();
  }

 private:
  void serve() {
    std::unique_lock<std::mutex> guard(mutex_);
    for (;;) {
      wake_.wait(guard, [this] { return ending_ || !started_.empty(); });
      if (started_.empty()) return;
      Job* job = started_.front();
      started_.pop_front();
      guard.unlock();
      job->work();
      guard.lock();
      worked_.push_back(job);
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job*> started_, worked_;
  bool ending_ = false;
  std::thread threads_[2];
};

struct Log final : SpoolLog {
  void note(std::string_view sentence) noexcept override { notes.emplace_back(sentence); }
  void warn(std::string_view sentence) noexcept override { warnings.emplace_back(sentence); }

  static bool has(const std::vector<std::string>& lines, const std::string& part) {
    return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
      return line.find(part) != std::string::npos;
    });
  }
  bool warned(const std::string& part) const { return has(warnings, part); }
  bool noted(const std::string& part) const { return has(notes, part); }

  std::vector<std::string> notes, warnings;
};

struct Client final : SpoolCustomer {
  void synced(bool kept) noexcept override {
    ++told;
    this->kept = kept;
    if (then) then();
  }

  int told = 0;
  bool kept = false;
  std::function<void()> then;
};

// Redis, which answers when the test says so, and hangs up at a record that it finds too long.
class Redis final : public DrainSink {
 public:
  bool offer(std::string_view record, std::uint8_t replicas, Customer& customer) noexcept override {
    ++offered;
    if (out.size() >= room) return false;
    out.push_back({std::string(record), replicas, &customer});
    return true;
  }

  void answer(Outcome outcome = Outcome::acknowledged) {
    auto answered = std::move(out);
    out.clear();
    for (auto& [record, replicas, customer] : answered) {
      if (outcome == Outcome::acknowledged && record.size() > longest) {
        customer->settled(Outcome::unfit, record);
        outcome = Outcome::lost;
        continue;
      }
      if (outcome == Outcome::acknowledged) {
        got.push_back(record);
        got_replicas.push_back(replicas);
      }
      customer->settled(outcome, outcome == Outcome::acknowledged ? std::string_view() : record);
    }
  }

  struct Out {
    std::string record;
    std::uint8_t replicas;
    Customer* customer;
  };
  std::size_t room = SIZE_MAX, longest = SIZE_MAX;
  int offered = 0;
  std::vector<Out> out;
  std::vector<std::string> got;
  std::vector<int> got_replicas;
};

// One worker.
struct Worker {
  Worker(const SpoolSettings& settings, Time& clock)
      : now(clock), spool(std::make_unique<Spool>(settings, background, log, &files)) {
    spool->start(now);
    background.run();
  }

  // What the loop does: ticks when it is due, up to `span` from now.
  void pass(milliseconds span, bool redis_ready = false) {
    const Time end = now + span;
    while (now < end) {
      now = std::min(end, std::max(spool->due(), now + milliseconds(1)));
      spool->tick(now, redis_ready ? &redis : nullptr);
      background.run();
      redis.answer();
    }
  }

  // Hands in a record and waits for its sync. None: it was not taken.
  std::optional<bool> keep(const std::string& record, std::uint8_t replicas = 0) {
    Client client;
    if (!spool->submit(record, client, replicas)) return std::nullopt;
    ck_assert_int_eq(client.told, 0);
    background.run();
    ck_assert_int_eq(client.told, 1);
    return client.kept;
  }

  // The process dies: nothing of it is heard of any more, but its files stay.
  void die() { spool.reset(); }

  SpoolStatus status() const { return spool->status(); }

  Time& now;
  FaultyFiles files;
  ManualBackground background;
  Log log;
  Redis redis;
  std::unique_ptr<Spool> spool;
};

struct House {
  explicit House(std::vector<std::string_view> words = {"size=1m"}) {
    words.insert(words.begin(), directory.path);
    const std::string fault = read_spool_settings(words, settings);
    ck_assert_msg(fault.empty(), "%s", fault.c_str());
  }

  std::unique_ptr<Worker> worker() { return std::make_unique<Worker>(settings, now); }

  TempDirectory directory;
  SpoolSettings settings;
  Time now{seconds(1000)};
};

}  // namespace spool_test
