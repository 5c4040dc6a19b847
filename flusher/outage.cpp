#include "flusher/outage.h"

#include <unistd.h>

#include "flusher/log.h"
#include "flusher/notify.h"
#include "flusher/stop.h"

namespace weir::flusher {
namespace {

constexpr std::chrono::milliseconds kLeastWait{50}, kMostWait{5000};
constexpr std::chrono::seconds kSilence{30};

}  // namespace

Outage::Outage(const char* server)
    : server_(server), backoff_(kLeastWait, kMostWait, static_cast<std::uint64_t>(getpid())) {}

void Outage::failed(const std::string& error) {
  const auto now = std::chrono::steady_clock::now();
  const auto wait = backoff_.next();
  if (!away_ || (error != last_error_ && now - logged_at_ > kSilence)) {
    log_warn("cannot go on without this server, trying again until it is back",
             {{"server", server_}, {"error", error}});
    notify_status(std::string("waiting for ") + server_);
    last_error_ = error;
    logged_at_ = now;
  } else {
    log_debug("still away", {{"server", server_}, {"error", error}, {"wait_ms", wait.count()}});
  }
  away_ = true;
  notify_alive();
  wait_for(wait);
}

void Outage::recovered() {
  backoff_.reset();
  if (away_) log_info("the server is back", {{"server", server_}});
  away_ = false;
}

}  // namespace weir::flusher
