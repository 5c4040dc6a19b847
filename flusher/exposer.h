// Answers GET /metrics and GET /health over HTTP, from threads of its own (civetweb's, which
// prometheus-cpp serves with too; its own Exposer knows no page but metrics). They touch nothing of
// the flusher but its board, and answer while it hangs.
//
//   Exposer exposer(flusher.board(), limit);
//   std::string error;
//   if (!exposer.start("127.0.0.1:9105", error)) …     // port 0: one that is free
//   exposer.address();                                 // "127.0.0.1:9105"
//
// At most kThreads requests are answered at once; more wait, and a client that says nothing for
// kPatience is cut off. The destructor ends the threads, within about 2 s.
#pragma once

#include <chrono>
#include <string>

#include "flusher/status.h"

struct mg_connection;
struct mg_context;

namespace weir::flusher {

class Exposer {
 public:
  static constexpr int kThreads = 8;
  static constexpr std::chrono::milliseconds kPatience{2000};

  // `limit` is that of health.h.
  Exposer(const StatusBoard& board, std::chrono::seconds limit) : board_(board), limit_(limit) {}
  ~Exposer();
  Exposer(const Exposer&) = delete;
  Exposer& operator=(const Exposer&) = delete;

  // `address` is one that check_listen_address() takes. False: `error` holds one sentence.
  bool start(const std::string& address, std::string& error);
  const std::string& address() const { return address_; }

 private:
  static int handle(mg_connection* connection, void* self) noexcept;
  int answer(mg_connection* connection) const;

  const StatusBoard& board_;
  const std::chrono::seconds limit_;
  mg_context* context_ = nullptr;
  std::string address_;
};

// "" for "127.0.0.1:9105", "[::1]:9105", or "9105", which is on 127.0.0.1; else what is wrong.
std::string check_listen_address(const std::string& text);

}  // namespace weir::flusher
