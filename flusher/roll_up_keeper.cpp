#include "flusher/roll_up_keeper.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <exception>
#include <utility>

#include "flusher/advice.h"
#include "daemon/log.h"
#include "daemon/signals_blocked.h"
#include "flusher/stop.h"

namespace weir::flusher {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLeastNap{100}, kIdleNap{1000}, kBusyNap{5000}, kMostWait{60'000},
    kSlice{50};

// A session that we leave in mid-step has to end by itself.
const std::string kOpen =
    "SET client_encoding = 'UTF8'; SET client_connection_check_interval = '1s';"
    " SET idle_session_timeout = 0";
const std::string kStep =
    "SELECT s.state, s.tenant_id, s.day, s.trouble FROM weir.refresh_roll_ups() AS s";
const std::string kLook = "SELECT b.days, b.oldest_age FROM weir.roll_up_backlog() AS b";

constexpr const char* kSentence =
    "cannot build roll-ups, trying again: figures stay as they were, and no event is lost";
constexpr std::string_view kDayAdvice =
    "see `weirctl rollup status`; the day is tried again every minute, and others are built "
    "meanwhile";

double to_number(std::optional<std::string_view> text) {
  double value = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), value);
  return value;
}

std::string text_of(const pg::Result& rows, int column) {
  return std::string(rows.value(0, column).value_or(""));
}

}  // namespace

milliseconds roll_up_nap(milliseconds took, int percent) {
  return std::max(kLeastNap, took * (100 - percent) / std::max(percent, 1));
}

RollUpKeeper::RollUpKeeper(const Options& options, const StatusBoard& board)
    : options_(options),
      board_(board),
      leave_(*this),
      backoff_(kIdleNap, kMostWait, static_cast<std::uint64_t>(getpid())) {}

void RollUpKeeper::start() {
  if (options_.roll_ups_percent == 0) {
    daemon::log_info("leaves building roll-ups to others, as --roll-ups=0 says");
    return;
  }
  const daemon::SignalsBlocked blocked;
  thread_ = std::thread([this] { work(); });
}

void RollUpKeeper::stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

RollUpStatus RollUpKeeper::read() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return status_;
}

bool RollUpKeeper::is_stopping() const { return stopping_ || stop_requested(); }

void RollUpKeeper::work() noexcept {
  Millis rest = kIdleNap;
  while (!is_stopping()) {
    nap(rest);
    if (is_stopping()) break;
    try {
      rest = round();
    } catch (const std::exception& error) {  // std::bad_alloc, at most
      rest = kMostWait;
      connection_.reset();
    }
  }
  connection_.reset();
}

void RollUpKeeper::nap(Millis time) const {
  const auto end = std::chrono::steady_clock::now() + time;
  while (!is_stopping() && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(kSlice);
}

// An outage is told by those who store.
RollUpKeeper::Millis RollUpKeeper::round() {
  if (!board_.read().postgres.is_up) {
    connection_.reset();
    return kIdleNap;
  }
  if (!connection_) {
    std::string error;
    connection_ = pg::Connection::open(options_.postgres, error, "weir-flusher-roll-ups", &leave_);
    if (!connection_) return failed(error, "");
    connection_->drop_notices();
    if (!connection_->exec(kOpen))
      return failed(connection_->error().message, advice_on(connection_->sqlstate()));
  }
  return step();
}

RollUpKeeper::Millis RollUpKeeper::step() {
  const auto began = std::chrono::steady_clock::now();
  const auto rows = connection_->exec(kStep);
  if (!rows || rows->rows() != 1)
    return failed(connection_->error().message, advice_on(connection_->sqlstate()));
  const auto took = std::chrono::ceil<Millis>(std::chrono::steady_clock::now() - began);
  const Millis rest = after(text_of(*rows, 0), took, text_of(*rows, 3));
  daemon::log_debug("a step of the roll-ups", {{"state", text_of(*rows, 0)},
                                               {"tenant", text_of(*rows, 1)},
                                               {"day", text_of(*rows, 2)},
                                               {"ms", took.count()}});
  look();
  return rest;
}

RollUpKeeper::Millis RollUpKeeper::after(std::string_view state, Millis took,
                                         const std::string& trouble) {
  if (state == "failed") {
    failed(trouble, kDayAdvice);
    backoff_.reset();  // of the session; the day waits in PostgreSQL
    return roll_up_nap(took, options_.roll_ups_percent);
  }
  if (state == "built") {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++status_.steps;
    status_.seconds += std::chrono::duration<double>(took).count();
  }
  if (!told_.empty() && state == "built") daemon::log_info("roll-ups are built again");
  if (state == "built") told_.clear();
  backoff_.reset();
  if (state == "busy") return kBusyNap;
  if (state == "idle") return kIdleNap;
  return roll_up_nap(took, options_.roll_ups_percent);
}

void RollUpKeeper::look() {
  const auto rows = connection_->exec(kLook);
  if (!rows || rows->rows() != 1) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  status_.days = static_cast<std::uint64_t>(to_number(rows->value(0, 0)));
  status_.oldest_seconds = to_number(rows->value(0, 1));
}

// Says it once, until something else fails or a step succeeds. `error` is a copy: the connection
// that it may come from can go here.
RollUpKeeper::Millis RollUpKeeper::failed(std::string error, std::string_view advice) {
  const Millis rest = backoff_.next();
  if (connection_ && connection_->is_broken()) connection_.reset();
  if (is_stopping()) return rest;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++status_.failures;
  }
  if (told_ == error) return rest;
  told_ = std::move(error);
  if (advice.empty()) {
    daemon::log_warn(kSentence, {{"error", told_}});
  } else {
    daemon::log_warn(kSentence, {{"error", told_}, {"advice", advice}});
  }
  return rest;
}

}  // namespace weir::flusher
