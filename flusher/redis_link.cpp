#include "flusher/redis_link.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cerrno>
#include <utility>

#include <hiredis/hiredis.h>

#include "core/redis/safety.h"
#include "daemon/log.h"
#include "files/secret_file.h"
#include "flusher/reply.h"
#include "flusher/reply_memory.h"
#include "flusher/stop.h"

namespace weir::flusher {
namespace {

using std::chrono::milliseconds;

constexpr timeval kConnectTimeout{2, 0};
// What is read at once, and what the reader keeps of its buffer from one reply to the next.
constexpr std::size_t kChunk = 64 << 10, kKeptBuffer = 1 << 20;

constexpr timeval kWriteTimeout{RedisLink::kTimeout.count(), 0};

constexpr std::array<Warnings::Topic, kSafetyCount> kTopics = {
    Warnings::Topic::appendonly, Warnings::Topic::appendfsync, Warnings::Topic::maxmemory_policy,
    Warnings::Topic::proto_max_bulk_len};

std::string name_of(const RedisAddress& address) {
  return address.is_unix() ? "unix:" + address.path
                           : address.host + ':' + std::to_string(address.port);
}

// ROLE answers "slave", its master's host and port, and more.
std::string why_not_a_replica(const redisReply* role) {
  std::string master = "another one";
  if (is_array(role, 3) && is_text(role->element[1]) &&
      role->element[2]->type == REDIS_REPLY_INTEGER) {
    master =
        std::string(text_of(*role->element[1])) + ':' + std::to_string(role->element[2]->integer);
  }
  return "this is a replica of " + master +
         ", which keeps nothing of what is deleted in it: name the "
         "master, or all of them, and the flusher finds it";
}

}  // namespace

void FreeReply::operator()(redisReply* reply) const { free_reply(reply); }

void RedisLink::Log::warn(std::string_view sentence) noexcept {
  try {
    daemon::log_warn(sentence);
  } catch (const std::exception&) {
    return;  // no memory for a warning
  }
}

RedisLink::RedisLink(const Options& options)
    : addresses_(options.redis),
      user_(options.redis_user),
      password_file_(options.redis_password_file) {}

RedisLink::~RedisLink() { close(); }

void RedisLink::close() {
  if (context_ != nullptr) redisFree(context_);
  context_ = nullptr;
}

bool RedisLink::connect(std::string& error) {
  error.clear();
  for (const RedisAddress& address : addresses_) {
    std::string why;
    const bool reached = connect_to(address, why);
    if (reached && authenticate(why) && is_master(why) && look_at_settings(why)) {
      ++connections_;
      return true;
    }
    close();
    if (!reached || addresses_.size() > 1) why.insert(0, name_of(address) + ": ");
    if (!error.empty()) error += "; ";
    error += why;
    if (stop_requested()) break;
  }
  return false;
}

bool RedisLink::connect_to(const RedisAddress& address, std::string& error) {
  close();
  context_ = address.is_unix()
                 ? redisConnectUnixWithTimeout(address.path.c_str(), kConnectTimeout)
                 : redisConnectWithTimeout(address.host.c_str(), address.port, kConnectTimeout);
  if (context_ == nullptr) {
    error = "out of memory";
    return false;
  }
  if (context_->err != 0) {
    fail(error);
    return false;
  }
  use_reply_memory(*context_->reader);
  context_->reader->maxbuf = kKeptBuffer;
  redisSetTimeout(context_, kWriteTimeout);
  if (!address.is_unix()) redisEnableKeepAlive(context_);
  return true;
}

// Read at each connection, so that a new one is taken; that everybody can read it is said once.
bool RedisLink::read_password(std::string& password, std::string& error) {
  if (password_file_.empty()) return true;
  std::string warning;
  error = read_secret_file(password_file_, password, warning);
  if (!error.empty()) return false;
  if (warning != exposed_ && !warning.empty()) log_.warn(warning);
  exposed_ = std::move(warning);
  return true;
}

// An error of Redis may repeat what it was sent: AUTH's is not shown.
bool RedisLink::authenticate(std::string& error) {
  if (password_file_.empty() && user_.empty()) return true;
  std::string password;
  if (!read_password(password, error)) return false;
  if (user_.empty()) {
    send({"AUTH", password});
  } else {
    send({"AUTH", user_, password});
  }
  const ReplyPtr reply = receive(error);
  if (!reply) return false;
  if (reply->type != REDIS_REPLY_ERROR) return true;
  error = refusal("AUTH", text_of(*reply), password);
  return false;
}

bool RedisLink::is_still_master(std::string& error) {
  if (!tells_role_ || is_master(error)) return true;
  close();
  return false;
}

// Where ROLE may not be asked, the first write will tell.
bool RedisLink::is_master(std::string& error) {
  send({"ROLE"});
  const ReplyPtr role = receive(error);
  if (!role) return false;
  tells_role_ = role->type != REDIS_REPLY_ERROR;
  if (!tells_role_) {
    if (is_only_config(text_of(*role))) return true;
    error = text_of(*role);
    return false;
  }
  if (!is_array(role.get(), 1) || !is_text(role->element[0])) return true;
  if (text_of(*role->element[0]) == "master") return true;
  error = text_of(*role->element[0]) == "slave" ? why_not_a_replica(role.get())
                                                : "this is a sentinel: name the Redis servers";
  return false;
}

bool RedisLink::look_at_settings(std::string& error) {
  for (const SafetySetting& setting : kSafetySettings) send({"CONFIG", "GET", setting.name});
  for (std::size_t i = 0; i < kSafetySettings.size(); ++i) {
    const ReplyPtr reply = receive(error);
    if (!reply) return false;
    if (take_setting(i, reply.get())) continue;
    const bool says_why = reply->type == REDIS_REPLY_ERROR;
    warnings_.once(Warnings::Topic::unchecked,
                   safety_unchecked(says_why ? error_word(text_of(*reply), "") : "nothing"));
  }
  return true;
}

// False: it does not tell.
bool RedisLink::take_setting(std::size_t index, const redisReply* reply) {
  if (!is_array(reply, 2) || !is_text(reply->element[1])) return false;
  const SafetySetting& setting = kSafetySettings[index];
  const std::string_view value = text_of(*reply->element[1]);
  if (setting.is_safe(value)) {
    warnings_.settled(kTopics[index]);
  } else {
    warnings_.once(kTopics[index], safety_warning(setting, value));
  }
  return true;
}

void RedisLink::send(const std::vector<std::string_view>& words) {
  if (context_ == nullptr) return;
  std::vector<const char*> texts;
  std::vector<std::size_t> lengths;
  for (const std::string_view word : words) {
    texts.push_back(word.data());
    lengths.push_back(word.size());
  }
  redisAppendCommandArgv(context_, static_cast<int>(words.size()), texts.data(), lengths.data());
}

ReplyPtr RedisLink::receive(std::string& error) {
  bool stopped = false;
  return receive(milliseconds(0), stopped, error);
}

ReplyPtr RedisLink::receive(milliseconds wait, bool& stopped, std::string& error) {
  if (!write_out(error)) return nullptr;
  const Heed heed = wait.count() > 0 ? Heed::stop : Heed::nothing;
  using Clock = std::chrono::steady_clock;
  auto end = Clock::now() + wait + kTimeout;
  for (;;) {
    void* reply = nullptr;
    if (redisGetReplyFromReader(context_, &reply) != REDIS_OK) break;
    if (reply != nullptr) return ReplyPtr(static_cast<redisReply*>(reply));
    if (read_some()) {
      end = Clock::now() + kTimeout;
      continue;
    }
    const auto left = std::chrono::ceil<milliseconds>(end - Clock::now());
    const Wake wake = wait_readable(context_->fd, left, heed);
    stopped = wake == Wake::stop;
    if (wake == Wake::timeout) error = "no answer in time";
    if (wake != Wake::readable) {
      close();
      return nullptr;
    }
    if (!read_some() && redisBufferRead(context_) != REDIS_OK) break;
    end = Clock::now() + kTimeout;
  }
  fail(error);
  return nullptr;
}

// What has come, in larger pieces than hiredis takes, and without a wait. False: nothing, or the
// connection has ended, which hiredis finds out then.
bool RedisLink::read_some() {
  chunk_.resize(kChunk);
  const ssize_t size = recv(context_->fd, chunk_.data(), chunk_.size(), MSG_DONTWAIT);
  if (size <= 0) return false;
  return redisReaderFeed(context_->reader, chunk_.data(), static_cast<std::size_t>(size)) ==
         REDIS_OK;
}

bool RedisLink::write_out(std::string& error) {
  if (context_ == nullptr) return false;
  int done = 0;
  while (done == 0) {
    if (redisBufferWrite(context_, &done) == REDIS_OK) continue;
    fail(error);
    return false;
  }
  return true;
}

ReplyPtr RedisLink::ask(Words words, std::string& error) {
  send(words);
  ReplyPtr reply = receive(error);
  if (!reply || reply->type != REDIS_REPLY_ERROR) return reply;
  reject(std::string(text_of(*reply)), error);
  return nullptr;
}

void RedisLink::reject(const std::string& why, std::string& error) {
  error = why;
  close();
}

void RedisLink::fail(std::string& error) {
  const bool slow = context_->err == REDIS_ERR_IO && (errno == EAGAIN || errno == EWOULDBLOCK);
  error = slow ? "no answer in time" : context_->errstr;
  close();
}

}  // namespace weir::flusher
