// Takes a demo's events to a web server, as clients do: in batches over one connection that is
// kept. What is not taken is sent again as it was, so with the same ids, and stored once.
//
//   DemoSender sender(client, patience, on_taken);
//   world.live(day, sender) && sender.flush()            // false: sender.error() says why
//
//   answer            then
//   ────────────────  ──────────────────────────────────────────────────────────────────
//   200               the next batch; an event that was refused in it ends the work
//   429, 503          the same again after as long as Retry-After says
//   none, 500 to 599  the same again, after a pause that grows to 5 seconds
//   other             it ends, with the server's own sentence
//
// A batch that was not taken for `patience` ends it too. At most 500 events and some 300 kB wait
// for each door.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "ctl/demo/event.h"
#include "ctl/http_client.h"

namespace weir::ctl {

class DemoSender : public demo::Sink {
 public:
  // What is told when a batch was taken: how many it had.
  using OnTaken = std::function<void(std::size_t events)>;

  DemoSender(HttpClient& client, std::chrono::seconds patience, HttpClient::IsStopped is_stopped,
             OnTaken on_taken);

  bool take(const demo::Event& event) override;
  bool flush();
  std::size_t taken() const { return taken_; }
  const std::string& error() const { return error_; }

 private:
  struct Batch {
    std::string body;
    std::size_t events = 0;
  };
  using Clock = std::chrono::steady_clock;

  bool send(demo::Door door);
  // How long to wait before the next try; none where there is none, and error_ says why.
  std::optional<std::chrono::milliseconds> judge(const std::optional<HttpAnswer>& answer,
                                                 std::chrono::milliseconds pause);
  bool fail(std::string sentence);

  HttpClient& client_;
  std::chrono::seconds patience_;
  HttpClient::IsStopped is_stopped_;
  OnTaken on_taken_;
  Batch batches_[demo::kDoors];
  std::size_t taken_ = 0;
  std::string error_;
};

// Waits so long, or until `is_stopped`.
void wait_for(std::chrono::milliseconds time, HttpClient::IsStopped is_stopped);

}  // namespace weir::ctl
