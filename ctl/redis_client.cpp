#include "ctl/redis_client.h"

#include <array>

#include <hiredis/hiredis.h>

#include "core/record/record.h"
#include "core/redis/address.h"
#include "ctl/command.h"
#include "ctl/terminal.h"
#include "files/secret_file.h"

namespace weir::ctl {
void RedisClient::Free::operator()(redisContext* context) const { redisFree(context); }

std::optional<RedisClient> RedisClient::open(const RedisOptions& options, std::string& error) {
  RedisAddress address;
  error = parse_redis_address(options.address, address);
  if (!error.empty()) return std::nullopt;
  const timeval timeout{kTimeout.count(), 0};
  RedisClient client(address.is_unix()
                         ? redisConnectUnixWithTimeout(address.path.c_str(), timeout)
                         : redisConnectWithTimeout(address.host.c_str(), address.port, timeout));
  redisContext* context = client.context_.get();
  if (context == nullptr || context->err != 0) {
    error = "cannot connect to Redis at " + options.address + ": " +
            (context == nullptr ? "memory is short" : context->errstr);
    return std::nullopt;
  }
  redisSetTimeout(context, timeout);
  if (!client.authenticate(options, error)) return std::nullopt;
  return client;
}

bool RedisClient::authenticate(const RedisOptions& options, std::string& error) {
  if (options.password_file.empty()) return true;
  std::string password, warning;
  error = read_secret_file(options.password_file, password, warning);
  if (!error.empty()) return false;
  if (!warning.empty()) warn(terminal_text(warning));
  std::array<const char*, 3> words{"AUTH", options.user.c_str(), password.c_str()};
  std::array<std::size_t, 3> lengths{4, options.user.size(), password.size()};
  if (!options.user.empty()) return ask(3, words.data(), lengths.data(), error);
  words[1] = words[2];
  lengths[1] = lengths[2];
  return ask(2, words.data(), lengths.data(), error);
}

// NOMKSTREAM: in a stream that is not there, nobody would find the record.
bool RedisClient::add(const std::string& stream, std::string_view record, std::string& error) {
  std::array<const char*, 6> words{"XADD", stream.c_str(),      "NOMKSTREAM",
                                   "*",    kRecordField.data(), record.data()};
  const std::array<std::size_t, 6> lengths{4, stream.size(),       10,
                                           1, kRecordField.size(), record.size()};
  return ask(6, words.data(), lengths.data(), error);
}

bool RedisClient::ask(int words, const char** word, const std::size_t* length, std::string& error) {
  struct FreeReply {
    void operator()(redisReply* reply) const { freeReplyObject(reply); }
  };
  const std::unique_ptr<redisReply, FreeReply> reply(
      static_cast<redisReply*>(redisCommandArgv(context_.get(), words, word, length)));
  if (reply && reply->type == REDIS_REPLY_NIL) {
    error = "this Redis has no stream " + std::string(word[1], length[1]) +
            ": name with --redis and --stream where the web servers send events (their first one "
            "makes the stream)";
    return false;
  }
  if (reply && reply->type != REDIS_REPLY_ERROR) return true;
  error = reply
              ? "Redis refuses " + std::string(word[0]) + ": " + std::string(reply->str, reply->len)
              : std::string("Redis did not answer ") + word[0] + ": " + context_->errstr;
  return false;
}

}  // namespace weir::ctl
