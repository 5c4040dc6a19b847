#include "ctl/demo_sender.h"

#include <algorithm>
#include <thread>

#include "ctl/terminal.h"

namespace weir::ctl {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kMostEvents = 500, kMostBytes = 300'000;
constexpr milliseconds kFirstPause{100}, kLongestPause{5000}, kLook{50};
constexpr const char* kPaths[demo::kDoors] = {"/track", "/crash", "/v1/track"};

// The server's own words.
std::string said(const HttpAnswer& answer) {
  return std::to_string(answer.status) + ": " + terminal_text(answer.body, 500);
}

}  // namespace

void wait_for(milliseconds time, HttpClient::IsStopped is_stopped) {
  const auto until = std::chrono::steady_clock::now() + time;
  while (!is_stopped() && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::min(kLook, time));
  }
}

DemoSender::DemoSender(HttpClient& client, seconds patience, HttpClient::IsStopped is_stopped,
                       OnTaken on_taken)
    : client_(client),
      patience_(patience),
      is_stopped_(is_stopped),
      on_taken_(std::move(on_taken)) {}

bool DemoSender::take(const demo::Event& event) {
  Batch& batch = batches_[static_cast<int>(event.door)];
  batch.body += batch.events == 0 ? '[' : ',';
  batch.body += event.json;
  ++batch.events;
  if (batch.events < kMostEvents && batch.body.size() < kMostBytes) return true;
  return send(event.door);
}

bool DemoSender::flush() {
  for (int door = 0; door < demo::kDoors; ++door) {
    if (batches_[door].events > 0 && !send(static_cast<demo::Door>(door))) return false;
  }
  return true;
}

bool DemoSender::send(demo::Door door) {
  Batch& batch = batches_[static_cast<int>(door)];
  batch.body += ']';
  const auto began = Clock::now();
  for (milliseconds pause = kFirstPause;; pause = std::min(2 * pause, kLongestPause)) {
    if (is_stopped_()) return fail("it was stopped");
    const auto answer = client_.post(kPaths[static_cast<int>(door)], batch.body, error_);
    const auto wait = judge(answer, pause);
    if (!wait) return false;
    if (*wait == milliseconds(0)) break;
    if (Clock::now() + *wait - began > patience_) {
      return fail("the web server at " + client_.base() + " has not taken events for " +
                  std::to_string(patience_.count()) + " s: " + (answer ? said(*answer) : error_));
    }
    wait_for(*wait, is_stopped_);
  }
  taken_ += batch.events;
  on_taken_(batch.events);
  batch = {};
  return true;
}

std::optional<milliseconds> DemoSender::judge(const std::optional<HttpAnswer>& answer,
                                              milliseconds pause) {
  if (!answer) return pause;
  const bool is_asked_to_wait = answer->status == 429 || answer->status == 503;
  if (is_asked_to_wait && answer->retry_after > 0) return seconds(answer->retry_after);
  if (is_asked_to_wait || answer->status >= 500) return pause;
  const bool is_refused = answer->body.find("\"rejected\"") != std::string::npos;
  if (answer->status == 200 && !is_refused) return milliseconds(0);
  static_cast<void>(fail("the web server at " + client_.base() +
                         " does not take what a demo sends; it says " + said(*answer)));
  return std::nullopt;
}

bool DemoSender::fail(std::string sentence) {
  error_ = std::move(sentence);
  return false;
}

}  // namespace weir::ctl
