// Redis for weirctl: one blocking connection, which puts records into a stream.
//
//   std::string error;
//   auto redis = RedisClient::open({"unix:/run/redis/redis.sock", "", ""}, error);
//   if (!redis || !redis->add("weir:{0}", record, error)) return fail(error);
//
// A reply that does not come within kTimeout is a failure; whether Redis has the record is then not
// known.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct redisContext;

namespace weir::ctl {

struct RedisOptions {
  std::string address = "127.0.0.1:6379";
  std::string user;           // "": Redis' own default
  std::string password_file;  // "": none is asked for
};

class RedisClient {
 public:
  static constexpr std::chrono::seconds kTimeout{10};

  // Connects and authenticates. None: `error` holds one sentence.
  static std::optional<RedisClient> open(const RedisOptions& options, std::string& error);

  // Adds an entry that holds `record` to a stream that is there. True: Redis has acknowledged it.
  [[nodiscard]] bool add(const std::string& stream, std::string_view record, std::string& error);

 private:
  struct Free {
    void operator()(redisContext* context) const;
  };
  explicit RedisClient(redisContext* context) : context_(context) {}

  bool authenticate(const RedisOptions& options, std::string& error);
  bool ask(int words, const char** word, const std::size_t* length, std::string& error);

  std::unique_ptr<redisContext, Free> context_;
};

}  // namespace weir::ctl
