#include "flusher/roll_up_keeper.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <exception>
#include <utility>

#include "flusher/advice.h"
#include "daemon/log.h"
#include "daemon/signals_blocked.h"
#include "flusher/roll_up_nap.h"
#include "flusher/stop.h"

namespace weir::flusher {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kIdleNap{1000}, kBusyNap{5000}, kMostWait{60'000};
constexpr std::chrono::hours kBetweenGone{1};

// A session that we leave in mid-step has to end by itself. A large day takes as long as it takes.
const std::string kOpen =
    "SET client_encoding = 'UTF8'; SET client_connection_check_interval = '1s';"
    " SET idle_session_timeout = 0; SET statement_timeout = 0";
// Two transactions, so that a step that ends the session is not the next one again.
const std::string kChoose = "SELECT c.state, c.tenant_id, c.day FROM weir.choose_roll_up() AS c";
const std::string kBuild = "SELECT b.state, b.trouble FROM weir.build_roll_up($1, $2) AS b";
const std::string kNoteGone = "SELECT weir.note_gone_days()";
const std::string kLook = "SELECT b.days, b.oldest_age FROM weir.roll_up_backlog() AS b";

constexpr const char* kSentence =
    "cannot build roll-ups, trying again: figures stay as they were, and no event is lost";
constexpr std::string_view kDayAdvice =
    "see `weirctl rollup status`; the day is tried again in a minute, then less and less often, "
    "and others are built meanwhile";

double to_number(std::optional<std::string_view> text) {
  double value = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), value);
  return value;
}

std::string text_of(const pg::Result& rows, int column) {
  return std::string(rows.value(0, column).value_or(""));
}

}  // namespace

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
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  stopped_.notify_all();
  if (thread_.joinable()) thread_.join();
}

// While nobody can look, what waits grows older all the same.
RollUpStatus RollUpKeeper::read() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  RollUpStatus now = status_;
  if (now.days > 0)
    now.oldest_seconds += std::chrono::duration<double>(Clock::now() - looked_at_).count();
  return now;
}

bool RollUpKeeper::is_stopping() const { return stopping_ || stop_requested(); }

// Its session: for good, or since those who store have another one.
bool RollUpKeeper::has_to_leave() const {
  return is_stopping() || board_.read().session != session_;
}

void RollUpKeeper::work() noexcept {
  Millis rest = kIdleNap;
  while (!is_stopping()) {
    nap(rest);
    if (is_stopping()) break;
    try {
      rest = round();
    } catch (const std::exception& error) {  // std::bad_alloc, at most
      connection_.reset();
      rest = failed_badly(error.what());
    }
  }
  connection_.reset();
}

// Until stop() at the latest; a signal leads to it.
void RollUpKeeper::nap(Millis time) {
  std::unique_lock<std::mutex> lock(mutex_);
  stopped_.wait_for(lock, time, [this] { return is_stopping(); });
}

// Where even telling may find no memory.
RollUpKeeper::Millis RollUpKeeper::failed_badly(const char* cause) noexcept {
  try {
    failed(cause, "");
  } catch (const std::exception&) {
    told_.clear();
  }
  return kMostWait;
}

// An outage is told by those who store. When they have another session we have one too: theirs may
// have gone to another server, and ours be one that nobody answers any more.
RollUpKeeper::Millis RollUpKeeper::round() {
  const Status storing = board_.read();
  if (!storing.postgres.is_up || storing.session != session_) connection_.reset();
  session_ = storing.session;
  if (!storing.postgres.is_up) return kIdleNap;
  if (!connection_) {
    std::string error;
    connection_ = pg::Connection::open(options_.postgres, error, "weir-flusher-roll-ups", &leave_);
    if (!connection_) return failed(error, "");
    if (!connection_->exec(kOpen))
      return failed(connection_->error().message, advice_on(connection_->sqlstate()));
  }
  return step();
}

RollUpKeeper::Millis RollUpKeeper::step() {
  note_gone_days();
  const auto began = Clock::now();
  const auto chosen = connection_->exec(kChoose);
  if (!chosen || chosen->rows() != 1) return failed_by_session();
  Step step{text_of(*chosen, 0), text_of(*chosen, 1), text_of(*chosen, 2), {}, {}};
  if (step.state == "chosen") {
    const auto built = connection_->exec_params(kBuild, {step.tenant, step.day});
    if (!built || built->rows() != 1) return failed_by_session();
    step.state = text_of(*built, 0);
    step.trouble = text_of(*built, 1);
  }
  step.took = std::chrono::ceil<Millis>(Clock::now() - began);
  const Millis rest = after(step);
  daemon::log_debug("a step of the roll-ups", {{"state", step.state},
                                               {"tenant", step.tenant},
                                               {"day", step.day},
                                               {"ms", step.took.count()}});
  look();
  return rest;
}

RollUpKeeper::Millis RollUpKeeper::failed_by_session() {
  const Millis rest = failed(connection_->error().message, advice_on(connection_->sqlstate()));
  if (connection_) look();
  return rest;
}

// What retention has dropped has to be known before late rows come for it.
void RollUpKeeper::note_gone_days() {
  if (noted_gone_at_ && Clock::now() - *noted_gone_at_ < kBetweenGone) return;
  noted_gone_at_ = Clock::now();
  if (connection_->exec(kNoteGone)) return;
  if (connection_->is_broken()) return noted_gone_at_.reset();  // the next session asks again
  daemon::log_warn("cannot note days whose rows are gone", {{"error", connection_->sqlstate()}});
}

RollUpKeeper::Millis RollUpKeeper::after(const Step& step) {
  if (step.state == "failed") {
    failed(step.trouble, kDayAdvice);
    backoff_.reset();  // of the session; the day waits in PostgreSQL
    return roll_up_nap(step.took, options_.roll_ups_percent);
  }
  if (step.state == "built") {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++status_.steps;
    status_.seconds += std::chrono::duration<double>(step.took).count();
  }
  if (!told_.empty() && step.state == "built") daemon::log_info("roll-ups are built again");
  if (step.state == "built") told_.clear();
  backoff_.reset();
  if (step.state == "busy") return kBusyNap;
  if (step.state == "idle") return kIdleNap;
  return roll_up_nap(step.took, options_.roll_ups_percent);
}

void RollUpKeeper::look() {
  const auto rows = connection_->exec(kLook);
  if (!rows || rows->rows() != 1) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  status_.days = static_cast<std::uint64_t>(to_number(rows->value(0, 0)));
  status_.oldest_seconds = to_number(rows->value(0, 1));
  looked_at_ = Clock::now();
}

// Says it once, until something else fails or a step succeeds. `error` is a copy: the connection
// that it may come from can go here.
RollUpKeeper::Millis RollUpKeeper::failed(std::string error, std::string_view advice) {
  const Millis rest = backoff_.next();
  if (connection_ && connection_->is_broken()) connection_.reset();
  if (has_to_leave()) return rest;
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
