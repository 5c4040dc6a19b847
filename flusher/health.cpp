#include "flusher/health.h"

#include <algorithm>

#include "core/json/object.h"

namespace weir::flusher {
namespace {

using std::chrono::seconds;

// Waits publish every half second; what cannot (libpq's connecting, the resolver) ends before that.
constexpr seconds kHangs{20};

// A watchdog's patience. A batch is in hand only while PostgreSQL is at it, and a batch in which
// each row is bad takes long without being a case for a restart.
constexpr std::chrono::minutes kStuck{10};
constexpr seconds kLongStatement{5};
constexpr std::chrono::hours kLongestBatch{1};

std::int64_t whole_seconds(SteadyTime::duration time) {
  return std::chrono::duration_cast<seconds>(time).count();
}

// What PostgreSQL and Redis said may hold any bytes.
std::string printable(std::string text) {
  const bool is_utf8 = !find_bad_text(text);
  for (char& byte : text) {
    const auto code = static_cast<unsigned char>(byte);
    if (code < 0x20 || (code > 0x7e && !is_utf8)) byte = ' ';
  }
  return text;
}

Health away(Reason reason, const char* server, const ServerStatus& status) {
  return {reason, std::string(server) + " is away or refuses what it is told: " +
                      printable(status.error) + "; what comes waits in Redis"};
}

Health judge_shard(const ShardStatus& shard, SteadyTime now, seconds limit) {
  if (shard.needs_upgrade) {
    return {Reason::needs_upgrade, "a record of a newer Weir is the next one in " +
                                       printable(shard.stream) + ": upgrade weir-flusher"};
  }
  if (!shard.is_held || !shard.last_progress || now - *shard.last_progress < limit) return {};
  return {Reason::no_progress, "nothing of " + printable(shard.stream) + " was stored for " +
                                   std::to_string(whole_seconds(now - *shard.last_progress)) +
                                   " s though it is not empty: see the log, and pg_locks"};
}

bool is_stuck(const ShardStatus& shard, SteadyTime now) {
  if (!shard.is_held || !shard.last_progress || now - *shard.last_progress < kStuck) return false;
  if (!shard.storing_since) return true;
  const auto in_hand = now - *shard.storing_since;
  return in_hand < kLongStatement || in_hand > kLongestBatch;
}

void add_server(JsonObject& object, std::string_view name, const ServerStatus& server) {
  object.text(name, server.is_up ? "up" : server.is_away ? "away" : "not connected");
}

void add_shard(const ShardStatus& shard, SteadyTime now, std::string& out) {
  JsonObject object(out);
  object.text("stream", printable(shard.stream));
  object.boolean("held", shard.is_held);
  object.text("position", shard.position);
  std::optional<std::uint64_t> entries, events, oldest, progress;
  if (shard.backlog_at) {
    entries = shard.backlog;
    events = shard.backlog_events;
    oldest = static_cast<std::uint64_t>(shard.backlog_seconds);
  }
  if (shard.last_progress) {
    progress = static_cast<std::uint64_t>(whole_seconds(now - *shard.last_progress));
  }
  object.number("lag_entries", entries);
  object.number("lag_events", events);
  object.number("lag_seconds", oldest);
  object.number("progress_age", progress);
}

// No reason to be unhealthy: what is wrong is elsewhere, and a restart mends nothing.
void add_unread(const std::vector<UnreadStream>& unread, JsonObject& object) {
  if (unread.empty()) return;
  std::string& list = object.member("unread_streams");
  for (const UnreadStream& one : unread) {
    list += &one == &unread.front() ? '[' : ',';
    JsonObject stream(list);
    stream.text("stream", printable(one.stream));
    stream.number("entries", one.entries);
  }
  list += ']';
}

}  // namespace

std::string_view word_for(Reason reason) {
  constexpr std::string_view kWords[] = {
      "none", "starting", "hangs", "postgres_away", "redis_away", "needs_upgrade", "no_progress"};
  return kWords[static_cast<std::size_t>(reason)];
}

Health judge(const Status& status, SteadyTime now, seconds limit) {
  if (!status.published) return {Reason::starting, "it has only just started"};
  if (now - *status.published > kHangs) {
    return {Reason::hangs, "the flusher has not come round for " +
                               std::to_string(whole_seconds(now - *status.published)) + " s"};
  }
  if (status.postgres.is_away) return away(Reason::postgres_away, "PostgreSQL", status.postgres);
  if (status.redis.is_away) return away(Reason::redis_away, "Redis", status.redis);
  for (const ShardStatus& shard : status.shards) {
    Health health = judge_shard(shard, now, limit);
    if (health.reason != Reason::none) return health;
  }
  if (status.postgres.is_up && status.redis.is_up) return {};
  return {Reason::starting, "it is not yet connected to PostgreSQL and Redis"};
}

std::string health_json(const Status& status, const Health& health, SteadyTime now) {
  std::string body;
  {
    JsonObject object(body);
    const bool is_ok = health.reason == Reason::none;
    object.text("status", !is_ok ? "unavailable" : status.stands_by ? "standby" : "ok");
    if (!is_ok) object.text("reason", word_for(health.reason));
    if (!is_ok) object.text("detail", health.detail);
    add_server(object, "postgres", status.postgres);
    add_server(object, "redis", status.redis);
    std::string& streams = object.member("streams");
    streams += '[';
    for (const ShardStatus& shard : status.shards) {
      if (&shard != &status.shards.front()) streams += ',';
      add_shard(shard, now, streams);
    }
    streams += ']';
    add_unread(status.unread, object);
  }
  return body += '\n';
}

bool is_case_for_restart(const Status& status, SteadyTime now) {
  if (status.postgres.is_away || status.redis.is_away) return false;
  return std::any_of(status.shards.begin(), status.shards.end(),
                     [now](const ShardStatus& shard) { return is_stuck(shard, now); });
}

}  // namespace weir::flusher
