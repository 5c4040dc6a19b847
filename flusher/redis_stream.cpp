#include "flusher/redis_stream.h"

#include <algorithm>
#include <random>
#include <utility>

#include "core/record/record.h"
#include "core/redis/stream.h"
#include "flusher/reply.h"

namespace weir::flusher {
namespace {

// Scripts, because a look and what follows from it have to be one step, and because a Redis that
// has reached its maxmemory refuses MULTI with anything in it, just when trimming is needed most.
// There SET fails, inside pcall(), and XTRIM works.
constexpr std::string_view kLook =
    "local function look(key) "
    "local info, length, first, last = redis.pcall('XINFO', 'STREAM', key), 0, '', '0-0' "
    "if info.err then if info.err:find('no such key') then return {0, '', '0-0'} end return info "
    "end "
    "for i = 1, #info, 2 do "
    "if info[i] == 'length' then length = info[i + 1] end "
    "if info[i] == 'last-generated-id' then last = info[i + 1] end "
    "if info[i] == 'first-entry' and info[i + 1] then first = info[i + 1][1] end "
    "end return {length, first, last} end ";
constexpr std::string_view kClaim =
    "local seen = look(KEYS[1]) if seen.err then return seen end "
    "local epoch, note = redis.call('GET', KEYS[2]), redis.call('GET', KEYS[3]) or '' "
    "if not epoch then epoch = redis.pcall('SET', KEYS[2], ARGV[1]).err and '' or ARGV[1] end "
    "local now = redis.pcall('SET', KEYS[3], ARGV[2]).err and note or ARGV[2] "
    "return {epoch, note, now, seen[3]}";
constexpr std::string_view kBacklog = "return look(KEYS[1])";
constexpr std::string_view kLength = "return look(KEYS[1])[1] or 0";
constexpr std::string_view kTrim =
    "if (redis.call('GET', KEYS[2]) or '') ~= ARGV[1] then return false end "
    "if (redis.call('GET', KEYS[3]) or '') ~= ARGV[2] then return false end "
    "if ARGV[4] == '' then redis.call('XTRIM', KEYS[1], 'MAXLEN', '=', 0) "
    "else redis.call('XTRIM', KEYS[1], 'MINID', '=', ARGV[4]) end "
    "return redis.pcall('SET', KEYS[3], ARGV[3]).err and ARGV[2] or ARGV[3]";

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

}  // namespace

RedisStream::RedisStream(RedisLink& link, std::string stream)
    : link_(link),
      stream_(std::move(stream)),
      epoch_key_(epoch_key(stream_)),
      note_key_(flushed_key(stream_)) {}

std::optional<StreamLife> RedisStream::claim(const std::string& note, std::string& error) {
  const std::string script = std::string(kLook).append(kClaim);
  const ReplyPtr reply =
      link_.ask({"EVAL", script, "3", stream_, epoch_key_, note_key_, random_name(), note}, error);
  if (!reply) return std::nullopt;
  const auto last_id =
      is_array(reply.get(), 4) ? parse_stream_id(text_or_none(reply->element[3])) : std::nullopt;
  if (!last_id) {
    link_.reject("Redis does not tell of the stream what it should", error);
    return std::nullopt;
  }
  StreamLife life;
  life.epoch = text_or_none(reply->element[0]);
  life.last_note = text_or_none(reply->element[1]);
  life.note = text_or_none(reply->element[2]);
  life.last_id = *last_id;
  return life;
}

std::optional<Read> RedisStream::read(StreamId after, std::size_t count, std::string& error) {
  ask(after, count, error);
  return answer(error);
}

void RedisStream::ask(StreamId after, std::size_t count, std::string& error) {
  const std::string id = format_stream_id(after), most = std::to_string(count);
  link_.send({"GET", epoch_key_});
  link_.send({"GET", note_key_});
  link_.send({"XREAD", "COUNT", most, "STREAMS", stream_, id});
  link_.write_out(error);
}

std::optional<Read> RedisStream::answer(std::string& error) {
  const ReplyPtr epoch = link_.receive(error);
  const ReplyPtr note = epoch ? link_.receive(error) : nullptr;
  Read read;
  if (note) read.reply = link_.receive(error);
  if (!read.reply) return std::nullopt;
  read.epoch = text_or_none(epoch.get());
  read.note = text_or_none(note.get());
  for (const redisReply* reply : {epoch.get(), note.get(), read.reply.get()}) {
    if (reply->type != REDIS_REPLY_ERROR) continue;
    link_.reject(std::string(text_of(*reply)), error);
    return std::nullopt;
  }
  if (take_entries(read)) return read;
  link_.reject("XREAD answered something else than entries", error);
  return std::nullopt;
}

RedisStream::Trim RedisStream::trim(StreamId last, const std::string& epoch, std::string& note,
                                    const std::string& next, std::string& error) {
  // Behind the last id of all there is none to keep, and nothing can have come.
  const StreamId kept = next_stream_id(last);
  link_.send({"EVAL", kTrim, "3", stream_, epoch_key_, note_key_, epoch, note, next,
              kept == last ? std::string() : format_stream_id(kept)});
  const ReplyPtr reply = link_.receive(error);
  if (!reply) return Trim::away;
  if (is_text(reply.get())) {
    note = text_of(*reply);
    return Trim::done;
  }
  if (reply->type != REDIS_REPLY_ERROR) return Trim::another_life;
  error = text_of(*reply);
  return Trim::refused;
}

std::optional<Backlog> RedisStream::backlog(std::string& error) {
  const ReplyPtr reply =
      link_.ask({"EVAL", std::string(kLook).append(kBacklog), "1", stream_}, error);
  if (!reply) return std::nullopt;
  Backlog backlog;
  if (is_array(reply.get(), 3) && reply->element[0]->type == REDIS_REPLY_INTEGER) {
    backlog.entries = static_cast<std::size_t>(reply->element[0]->integer);
    backlog.first = parse_stream_id(text_or_none(reply->element[1]));
    backlog.last = parse_stream_id(text_or_none(reply->element[2])).value_or(StreamId{});
  }
  return backlog;
}

std::optional<std::vector<std::uint64_t>> lengths_of(RedisLink& link,
                                                     const std::vector<std::string>& streams,
                                                     std::string& error) {
  const std::string script = std::string(kLook).append(kLength);
  for (const std::string& stream : streams) link.send({"EVAL", script, "1", stream});
  std::vector<std::uint64_t> lengths;
  for (std::size_t i = 0; i < streams.size(); ++i) {
    const ReplyPtr reply = link.receive(error);
    if (!reply) return std::nullopt;
    const bool is_number = reply->type == REDIS_REPLY_INTEGER && reply->integer > 0;
    lengths.push_back(is_number ? static_cast<std::uint64_t>(reply->integer) : 0);
  }
  return lengths;
}

News wait_for_news(RedisLink& link, const std::vector<Place>& places,
                   std::chrono::milliseconds wait, std::string& error) {
  const std::string milliseconds = std::to_string(wait.count());
  std::vector<std::string_view> words = {"XREAD", "COUNT", "1", "BLOCK", milliseconds, "STREAMS"};
  std::vector<std::string> ids;
  ids.reserve(places.size());
  for (const Place& place : places) words.emplace_back(place.stream);
  for (const Place& place : places)
    words.emplace_back(ids.emplace_back(format_stream_id(place.after)));
  link.send(words);
  bool stopped = false;
  const ReplyPtr reply = link.receive(wait, stopped, error);
  if (stopped) return News::stop;
  if (!reply) return News::away;
  if (reply->type == REDIS_REPLY_ERROR) {
    link.reject(std::string(text_of(*reply)), error);
    return News::away;
  }
  return reply->type == REDIS_REPLY_NIL ? News::none : News::some;
}

}  // namespace weir::flusher
