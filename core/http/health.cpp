#include "core/http/health.h"

#include <algorithm>

#include "core/json/object.h"

namespace weir {
namespace {

std::string_view word_for(Courier::State redis) {
  switch (redis) {
    case Courier::State::ready:
      return "ready";
    case Courier::State::refusing:
      return "refusing";
    case Courier::State::greeting:
      return "not answering";
    case Courier::State::away:
      break;
  }
  return "away";
}

std::string_view word_for(BreakerState breaker) {
  constexpr std::string_view kWords[] = {"closed", "half_open", "open"};
  return kWords[static_cast<std::size_t>(breaker)];
}

// "spooling": Redis does not take events, and nobody but the operator needs to know.
std::string_view summary(const KeepStatus& status) {
  if (status.redis == Courier::State::ready) return "ok";
  return status.can_keep() ? "spooling" : "unavailable";
}

void add_spool(const SpoolStatus& spool, std::string& out) {
  if (!spool.configured) {
    out += "null";
    return;
  }
  JsonObject object(out);
  object.boolean("can_take", spool.can_take);
  if (!spool.can_take) object.text("why", spool.why);
  object.number("bytes", spool.bytes);
  object.number("limit", spool.limit);
  object.number("records", spool.records);
  object.number("oldest_age", spool.oldest_age);
  object.boolean("draining", spool.draining);
}

// Of an empty stream 0. Redis' clock may be ahead of ours.
std::optional<std::uint64_t> oldest_age(const StreamStatus& stream, Timestamp now) {
  if (stream.entries == 0U) return 0;
  if (!stream.oldest_at) return std::nullopt;
  const Timestamp age = std::max<Timestamp>(now - *stream.oldest_at, 0);
  return static_cast<std::uint64_t>(age / kMicrosPerSecond);
}

void add_stream(const StreamStatus& stream, Timestamp now, std::string& out) {
  JsonObject object(out);
  object.number("entries", stream.entries);
  object.number("bytes", stream.bytes);
  object.number("oldest_age", oldest_age(stream, now));
  object.boolean("too_long", stream.too_long);
}

}  // namespace

Answer health_answer(const KeepStatus& status, Timestamp now, std::string& body) {
  body.clear();
  {
    JsonObject object(body);
    object.text("status", summary(status));
    object.text("redis", word_for(status.redis));
    if (status.replicated) object.text("replicated", word_for(*status.replicated));
    object.text("breaker", word_for(status.breaker));
    object.number("in_flight", status.in_flight);
    add_spool(status.spool, object.member("spool"));
    add_stream(status.stream, now, object.member("stream"));
  }
  Answer answer;
  answer.body = body;
  if (!status.can_keep()) {
    answer.status = 503;
    answer.retry_after = kRetryAfter;
  }
  return answer;
}

}  // namespace weir
