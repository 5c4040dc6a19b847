#include "flusher/redis_stream.h"

#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <random>

#include <hiredis/hiredis.h>

#include "core/record/record.h"
#include "core/redis/secret.h"
#include "core/redis/stream.h"
#include "core/redis/warnings.h"
#include "flusher/stop.h"

namespace weir::flusher {
namespace {

constexpr timeval kConnectTimeout{2, 0};
constexpr timeval kReplyTimeout{RedisStream::kTimeout.count(), 0};
constexpr std::size_t kMostWords = 8;  // of one command

// A script, because it has to be one step with the look at the epoch, and because a Redis that has
// reached its maxmemory refuses MULTI with anything in it, just when trimming is needed most.
constexpr std::string_view kTrim =
    "if (redis.call('GET', KEYS[2]) or '') ~= ARGV[1] then return false end "
    "return redis.call('XTRIM', KEYS[1], 'MINID', '=', ARGV[2])";

std::string_view text_of(const redisReply& reply) { return {reply.str, reply.len}; }

bool is_text(const redisReply* reply) {
  return reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS;
}

bool is_array(const redisReply* reply, std::size_t elements) {
  return reply->type == REDIS_REPLY_ARRAY && reply->elements >= elements;
}

// A name that no other life of the stream has had.
std::string random_name() {
  std::random_device random;
  std::string name;
  for (int i = 0; i < 4; ++i) {
    static constexpr char kDigits[] = "0123456789abcdef";
    for (unsigned bits = random(), digit = 0; digit < 8; ++digit, bits >>= 4) {
      name += kDigits[bits & 15];
    }
  }
  return name;
}

// An entry is an array of its id and its fields, each a name and a value.
std::optional<Entry> entry_of(const redisReply* reply) {
  if (!is_array(reply, 2) || !is_text(reply->element[0])) return std::nullopt;
  const auto id = parse_stream_id(text_of(*reply->element[0]));
  const redisReply* fields = reply->element[1];
  if (!id || !is_array(fields, 0)) return std::nullopt;
  Entry entry{*id, std::nullopt};
  for (std::size_t i = 0; i + 1 < fields->elements; i += 2) {
    if (text_of(*fields->element[i]) == kRecordField)
      entry.record = text_of(*fields->element[i + 1]);
  }
  return entry;
}

// XREAD answers nil, or an array of streams: of one here, as its name and its entries.
bool take_entries(Read& read) {
  const redisReply* reply = read.reply.get();
  if (reply->type == REDIS_REPLY_NIL) return true;
  if (!is_array(reply, 1) || !is_array(reply->element[0], 2)) return false;
  const redisReply* list = reply->element[0]->element[1];
  if (!is_array(list, 0)) return false;
  read.entries.reserve(list->elements);
  for (std::size_t i = 0; i < list->elements; ++i) {
    const auto entry = entry_of(list->element[i]);
    if (!entry) return false;
    read.largest = std::max(read.largest, entry->record.value_or("").size());
    read.entries.push_back(*entry);
  }
  return true;
}

// XINFO STREAM answers names and values in turn.
std::optional<StreamId> last_id_in(const redisReply* info) {
  if (info->type != REDIS_REPLY_ARRAY) return std::nullopt;
  for (std::size_t i = 0; i + 1 < info->elements; i += 2) {
    if (!is_text(info->element[i]) || !is_text(info->element[i + 1])) continue;
    if (text_of(*info->element[i]) == "last-generated-id") {
      return parse_stream_id(text_of(*info->element[i + 1]));
    }
  }
  return std::nullopt;
}

bool is_no_such_key(const redisReply* reply) {
  return reply->type == REDIS_REPLY_ERROR && text_of(*reply) == "ERR no such key";
}

bool read_password(const std::string& path, std::string& password, std::string& error) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes(kMostSecretFile + 1, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  const std::string fault = file.is_open() ? read_secret(bytes, password) : "it cannot be opened";
  if (!fault.empty()) error = "no password in " + path + ": " + fault;
  return fault.empty();
}

}  // namespace

void FreeReply::operator()(redisReply* reply) const { freeReplyObject(reply); }

RedisStream::RedisStream(const Options& options)
    : address_(options.redis),
      user_(options.redis_user),
      password_file_(options.redis_password_file),
      stream_(options.stream),
      epoch_key_(epoch_key(options.stream)) {}

RedisStream::~RedisStream() { close(); }

void RedisStream::close() {
  if (context_ != nullptr) redisFree(context_);
  context_ = nullptr;
}

bool RedisStream::connect(std::string& error) {
  close();
  context_ = address_.is_unix()
                 ? redisConnectUnixWithTimeout(address_.path.c_str(), kConnectTimeout)
                 : redisConnectWithTimeout(address_.host.c_str(), address_.port, kConnectTimeout);
  if (context_ == nullptr) {
    error = "out of memory";
    return false;
  }
  if (context_->err != 0) {
    fail(error);
    return false;
  }
  redisSetTimeout(context_, kReplyTimeout);
  if (!address_.is_unix()) redisEnableKeepAlive(context_);
  return authenticate(error);
}

// An error of Redis may repeat what it was sent: AUTH's is not shown.
bool RedisStream::authenticate(std::string& error) {
  if (password_file_.empty() && user_.empty()) return true;
  std::string password;
  if (!password_file_.empty() && !read_password(password_file_, password, error)) {
    close();
    return false;
  }
  if (user_.empty()) {
    send({"AUTH", password});
  } else {
    send({"AUTH", user_, password});
  }
  const ReplyPtr reply = receive(error);
  if (!reply) return false;
  if (reply->type != REDIS_REPLY_ERROR) return true;
  error = refusal("AUTH", text_of(*reply), password);
  close();
  return false;
}

std::optional<StreamLife> RedisStream::look(std::string& error) {
  StreamLife life;
  if (!name_life(life.epoch, error)) return std::nullopt;
  send({"XINFO", "STREAM", stream_});
  const ReplyPtr info = receive(error);
  if (!info) return std::nullopt;
  if (is_no_such_key(info.get())) return life;
  const auto last_id = last_id_in(info.get());
  if (!last_id) {
    error = info->type == REDIS_REPLY_ERROR ? text_of(*info) : "XINFO STREAM names no last id";
    close();
    return std::nullopt;
  }
  life.last_id = *last_id;
  return life;
}

// Only SETs what is not there: a Redis that has reached its maxmemory refuses every SET. Then the
// life stays nameless until there is room, since a full Redis is the last that may wait for its
// flusher.
bool RedisStream::name_life(std::string& epoch, std::string& error) {
  if (!get_epoch(epoch, error)) return false;
  if (!epoch.empty()) return true;
  send({"SET", epoch_key_, random_name(), "NX"});
  return receive(error) != nullptr && get_epoch(epoch, error);
}

bool RedisStream::get_epoch(std::string& epoch, std::string& error) {
  const ReplyPtr reply = ask({"GET", epoch_key_}, error);
  if (reply && is_text(reply.get())) epoch = text_of(*reply);
  return reply != nullptr;
}

std::optional<Read> RedisStream::read(StreamId after, std::size_t count,
                                      std::chrono::milliseconds wait, std::string& error) {
  const std::string id = format_stream_id(after), most = std::to_string(count);
  const std::string milliseconds = std::to_string(wait.count());
  send({"GET", epoch_key_});
  if (wait.count() > 0) {
    send({"XREAD", "COUNT", most, "BLOCK", milliseconds, "STREAMS", stream_, id});
  } else {
    send({"XREAD", "COUNT", most, "STREAMS", stream_, id});
  }
  const ReplyPtr epoch = receive(error);
  if (!epoch) return std::nullopt;
  Read read;
  if (is_text(epoch.get())) read.epoch = text_of(*epoch);
  read.reply = wait_for_reply(wait, read.stopped, error);
  if (read.stopped) return read;
  if (!read.reply) return std::nullopt;
  if (read.reply->type == REDIS_REPLY_ERROR || !take_entries(read)) {
    error = read.reply->type == REDIS_REPLY_ERROR ? text_of(*read.reply)
                                                  : "XREAD answered something else than entries";
    close();
    return std::nullopt;
  }
  return read;
}

// Does not sit inside hiredis while there is nothing to read: a signal would not be noticed there.
ReplyPtr RedisStream::wait_for_reply(std::chrono::milliseconds wait, bool& stopped,
                                     std::string& error) {
  void* ready = nullptr;
  if (redisGetReplyFromReader(context_, &ready) == REDIS_OK && ready != nullptr) {
    return ReplyPtr(static_cast<redisReply*>(ready));
  }
  if (wait.count() > 0 && wait_readable(context_->fd, wait + kTimeout) == Wake::stop) {
    stopped = true;
    close();
    return nullptr;
  }
  return receive(error);
}

RedisStream::Trim RedisStream::trim(StreamId last, const std::string& epoch, std::string& error) {
  send({"EVAL", kTrim, "2", stream_, epoch_key_, epoch, format_stream_id(next_stream_id(last))});
  const ReplyPtr reply = receive(error);
  if (!reply) return Trim::away;
  if (reply->type == REDIS_REPLY_INTEGER) return Trim::done;
  if (reply->type != REDIS_REPLY_ERROR) return Trim::another_life;
  error = text_of(*reply);
  return Trim::refused;
}

void RedisStream::send(Words words) {
  std::array<const char*, kMostWords> texts{};
  std::array<std::size_t, kMostWords> lengths{};
  std::size_t count = 0;
  for (const std::string_view word : words) {
    texts[count] = word.data();
    lengths[count++] = word.size();
  }
  redisAppendCommandArgv(context_, static_cast<int>(count), texts.data(), lengths.data());
}

// The next reply, an error reply included; null if the connection failed, which is then closed.
ReplyPtr RedisStream::receive(std::string& error) {
  if (context_ == nullptr) return nullptr;
  void* reply = nullptr;
  if (redisGetReply(context_, &reply) == REDIS_OK && reply != nullptr) {
    return ReplyPtr(static_cast<redisReply*>(reply));
  }
  fail(error);
  return nullptr;
}

// One command and its reply; an error reply is a failure too.
ReplyPtr RedisStream::ask(Words words, std::string& error) {
  send(words);
  ReplyPtr reply = receive(error);
  if (reply && reply->type == REDIS_REPLY_ERROR) {
    error = text_of(*reply);
    close();
    return nullptr;
  }
  return reply;
}

void RedisStream::fail(std::string& error) {
  const bool slow = context_->err == REDIS_ERR_IO && (errno == EAGAIN || errno == EWOULDBLOCK);
  error = slow ? "no answer in time" : context_->errstr;
  close();
}

}  // namespace weir::flusher
