#include "ctl/demo_stored.h"

#include <simdjson.h>

#include <iostream>

#include "ctl/demo_sender.h"

namespace weir::ctl {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kLook{250}, kTell{5000};
// /health tells what it saw about a second ago: only after this is "nothing is left" about now.
constexpr milliseconds kOldest{2500};

enum class Known { left, nothing, never };

struct Backlog {
  Known known = Known::never;
  std::uint64_t records = 0;
};

Backlog read_backlog(const HttpAnswer& answer) {
  simdjson::dom::parser parser;
  simdjson::dom::element health;
  if (answer.status != 200 && answer.status != 503) return {};
  if (parser.parse(answer.body).get(health) != simdjson::SUCCESS) return {};
  std::uint64_t spooled = 0, streamed = 0;
  if (health["stream"]["entries"].get(streamed) != simdjson::SUCCESS) {
    // null while it has not looked: but a page without it is another server's.
    const bool is_ours = health["redis"].error() == simdjson::SUCCESS;
    return {is_ours ? Known::left : Known::never, 0};
  }
  if (health["spool"]["records"].get(spooled) != simdjson::SUCCESS) spooled = 0;  // there is none
  const std::uint64_t records = spooled + streamed;
  return {records == 0 ? Known::nothing : Known::left, records};
}

}  // namespace

Stored await_stored(HttpClient& client, std::chrono::seconds patience,
                    HttpClient::IsStopped is_stopped, std::string& error) {
  const auto began = Clock::now();
  auto moved = began, told = began;
  std::uint64_t least = UINT64_MAX;
  while (!is_stopped()) {
    const auto answer = client.get("/health", error);
    const Backlog backlog = answer ? read_backlog(*answer) : Backlog{Known::left, least};
    const auto now = Clock::now();
    if (backlog.known == Known::never) return Stored::unknown;
    if (backlog.known == Known::nothing && now - began > kOldest) return Stored::yes;
    if (backlog.records < least) least = backlog.records, moved = now;
    if (now - moved > patience) {
      error = "nothing was stored for " + std::to_string(patience.count()) + " s, and " +
              std::to_string(least) +
              " records wait in Redis: see whether weir-flusher runs; it stores them when it does";
      return Stored::no;
    }
    if (now - told > kTell && least > 0 && least != UINT64_MAX) {
      std::cerr << "waiting for the flusher: " << least << " records are left\n";
      told = now;
    }
    wait_for(kLook, is_stopped);
  }
  error = "it was stopped while the flusher was storing; that goes on";
  return Stored::no;
}

}  // namespace weir::ctl
