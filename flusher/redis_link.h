// The flusher's connection to Redis: to that of several addresses which is the master. Commands go
// out, replies come in their order; what is waited for, is waited for in stop.h's way.
//
//   RedisLink link(options);
//   std::string error;
//   if (!link.connect(error)) …                            // away: try again later
//   link.send({"GET", key}); link.send({"XLEN", stream});
//   ReplyPtr first = link.receive(error);                  // null: the connection has failed
//   ReplyPtr only = link.ask({"GET", key}, error);         // null for an error reply too
//
// Any failure closes the connection: what was asked and not answered is then of no concern. A Redis
// that sends nothing for kTimeout has failed; a long reply over a slow line may take longer.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/redis/address.h"
#include "core/redis/courier.h"
#include "core/redis/warnings.h"
#include "flusher/options.h"

struct redisContext;
struct redisReply;

namespace weir::flusher {

struct FreeReply {
  void operator()(redisReply* reply) const;
};
using ReplyPtr = std::unique_ptr<redisReply, FreeReply>;

class RedisLink {
 public:
  using Words = std::initializer_list<std::string_view>;
  static constexpr std::chrono::seconds kTimeout{5};

  explicit RedisLink(const Options& options);
  ~RedisLink();
  RedisLink(const RedisLink&) = delete;
  RedisLink& operator=(const RedisLink&) = delete;

  bool is_connected() const { return context_ != nullptr; }
  void close();

  // Connects to the first address that answers, authenticates, and is a master; looks at its
  // settings and warns once of those that can lose events. False: `error` holds one sentence.
  [[nodiscard]] bool connect(std::string& error);

  // Asked of a connection that is quiet, for a master that becomes a replica says so to those alone
  // who wait in it at that moment; whoever comes later waits in it in vain. False: it is none any
  // more, or does not answer, and the connection is closed.
  [[nodiscard]] bool is_still_master(std::string& error);

  // Another number for each connection that was made.
  std::uint64_t connections() const { return connections_; }

  void send(Words words) { send(std::vector<std::string_view>(words)); }
  void send(const std::vector<std::string_view>& words);

  // What was sent goes out with the next receive(), or now, for who does something else before
  // that. False: the connection failed, as receive() will say.
  bool write_out(std::string& error);

  // The next reply, an error reply included; null if the connection failed, which is then closed.
  ReplyPtr receive(std::string& error);

  // The same for one that may take `wait` longer, during which a wish to stop is heeded: `stopped`
  // is then true, and the connection closed.
  ReplyPtr receive(std::chrono::milliseconds wait, bool& stopped, std::string& error);

  // One command and its reply. An error reply is a failure too.
  ReplyPtr ask(Words words, std::string& error);

  // Closes the connection for what was answered on it.
  void reject(const std::string& why, std::string& error);

 private:
  struct Log : CourierLog {
    void ready() noexcept override {}
    void warn(std::string_view sentence) noexcept override;
  };

  bool connect_to(const RedisAddress& address, std::string& error);
  bool read_password(std::string& password, std::string& error);
  bool authenticate(std::string& error);
  bool is_master(std::string& error);
  bool look_at_settings(std::string& error);
  bool take_setting(std::size_t index, const redisReply* reply);
  bool read_some();
  void fail(std::string& error);

  std::vector<RedisAddress> addresses_;
  std::string user_, password_file_;
  std::string exposed_;  // what was said of that file
  Log log_;
  Warnings warnings_{log_};
  redisContext* context_ = nullptr;
  std::string chunk_;
  std::uint64_t connections_ = 0;
  bool tells_role_ = true;  // not where its ACL keeps ROLE from us
};

}  // namespace weir::flusher
