#include "flusher/leases.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <random>
#include <utility>

#include "flusher/stop.h"

namespace weir::flusher {
namespace {

using std::chrono::milliseconds;

const std::string kTend = "SELECT stream, token, surplus FROM weir.tend_leases($1, $2, $3, $4, $5)";

constexpr int kBeats = 5;                // renewals in the time of a lease
constexpr milliseconds kMostBeat{2000};  // a fifth of what Watch takes for a server that hangs
constexpr milliseconds kMostSilence{5000};
constexpr milliseconds kMostSilenceAtStop{1000};

// Says to an operator who it is; the end tells it from the ones before.
std::string make_name() {
  std::array<char, 65> host{};
  gethostname(host.data(), host.size() - 1);
  std::random_device random;
  return std::string(host.data()) + ':' + std::to_string(getpid()) + ':' + std::to_string(random());
}

bool holds(const std::vector<std::string>& list, const std::string& text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

}  // namespace

Leases::Leases(const Options& options) : options_(options), wanted_(options.streams) {}

bool Leases::Calm::go_on(milliseconds silent) {
  return silent < (stop_requested() ? kMostSilenceAtStop : kMostSilence);
}

bool Leases::open(int backend, std::string& error) {
  error_ = {};
  connection_ = pg::Connection::open(options_.postgres, error, "weir-flusher-lease", &calm_);
  if (!connection_) return false;
  flusher_ = make_name();
  backend_ = backend;
  heard_ = Clock::now();
  if (ask() && take()) return true;
  error = error_.message;
  return false;
}

void Leases::close() {
  connection_.reset();
  held_.clear();
  released_.clear();
  told_.clear();
  asked_ = false;
  backend_ = 0;
}

void Leases::want(std::vector<std::string> streams) {
  if (streams == wanted_) return;
  wanted_ = std::move(streams);
  hurry();
}

void Leases::release(const std::string& stream) {
  held_.erase(std::remove_if(held_.begin(), held_.end(),
                             [&](const Lease& lease) { return lease.stream == stream; }),
              held_.end());
  released_.push_back(stream);
  hurry();
}

void Leases::tick() {
  if (!connection_) return;
  if (asked_) {
    if (connection_->has_answer()) take();
  } else if (Clock::now() >= due_) {
    ask();
  }
}

bool Leases::ask() {
  due_ = Clock::now() + std::min(milliseconds(1000 * options_.lease_seconds / kBeats), kMostBeat);
  told_ = std::exchange(released_, {});
  asked_ = connection_->send(kTend, {flusher_, pg::array_of(wanted_), std::to_string(backend_),
                                     std::to_string(options_.lease_seconds), pg::array_of(told_)});
  return asked_ || fail();
}

// What was released after the question is still in the answer.
bool Leases::take() {
  asked_ = false;
  const auto rows = connection_->take_answer();
  if (!rows) return fail();
  heard_ = Clock::now();
  told_.clear();
  held_.clear();
  for (int row = 0; row < rows->rows(); ++row) {
    Lease lease{std::string(rows->value(row, 0).value_or("")),
                std::string(rows->value(row, 1).value_or("")), rows->value(row, 2) == "t"};
    if (!holds(released_, lease.stream)) held_.push_back(std::move(lease));
  }
  return true;
}

// What is held stays so until the session for storing finds out otherwise.
bool Leases::fail() {
  error_ = connection_->error();
  released_.insert(released_.end(), told_.begin(), told_.end());
  told_.clear();
  connection_.reset();
  asked_ = false;
  return false;
}

milliseconds Leases::silent() const {
  return std::chrono::duration_cast<milliseconds>(Clock::now() - heard_);
}

}  // namespace weir::flusher
