#include "flusher/outage.h"

#include <unistd.h>

#include "daemon/log.h"
#include "daemon/notify.h"
#include "flusher/stop.h"

namespace weir::flusher {
namespace {

constexpr std::chrono::milliseconds kLeastWait{50}, kMostWait{5000};
constexpr std::chrono::seconds kSilence{10};

}  // namespace

Outage::Outage(const char* server)
    : server_(server), backoff_(kLeastWait, kMostWait, static_cast<std::uint64_t>(getpid())) {}

void Outage::failed(const std::string& error, std::string_view advice) {
  const auto wait = noted(error, advice);
  wait_for(wait);
}

std::chrono::milliseconds Outage::noted(const std::string& error, std::string_view advice) {
  const auto now = std::chrono::steady_clock::now();
  const auto wait = backoff_.next();
  ++failures_;
  if (!away_) {
    ++outages_;
    since_ = now;
  }
  if (!away_ || (error != told_error_ && now - logged_at_ > kSilence)) {
    tell(error, advice);
    told_error_ = error;
    logged_at_ = now;
  } else {
    daemon::log_debug("still away",
                      {{"server", server_}, {"error", error}, {"wait_ms", wait.count()}});
  }
  last_error_ = error;
  away_ = true;
  return wait;
}

void Outage::tell(const std::string& error, std::string_view advice) {
  constexpr const char* kSentence =
      "cannot go on without this server, trying again until it is back; what comes waits in Redis";
  daemon::notify_status(std::string("waiting for ") + server_);
  if (advice.empty()) return daemon::log_warn(kSentence, {{"server", server_}, {"error", error}});
  daemon::log_warn(kSentence, {{"server", server_}, {"error", error}, {"advice", advice}});
}

void Outage::recovered() {
  backoff_.reset();
  if (away_) daemon::log_info("the server is back", {{"server", server_}});
  away_ = false;
}

std::chrono::steady_clock::duration Outage::lasts() const {
  return away_ ? std::chrono::steady_clock::now() - since_ : std::chrono::steady_clock::duration(0);
}

}  // namespace weir::flusher
