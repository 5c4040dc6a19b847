// Looks into hiredis' replies.
#pragma once

#include <cstddef>
#include <string_view>

#include <hiredis/hiredis.h>

namespace weir::flusher {

inline std::string_view text_of(const redisReply& reply) { return {reply.str, reply.len}; }

inline bool is_text(const redisReply* reply) {
  return reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS;
}

inline bool is_array(const redisReply* reply, std::size_t elements) {
  return reply->type == REDIS_REPLY_ARRAY && reply->elements >= elements;
}

// "" for what is no text.
inline std::string_view text_or_none(const redisReply* reply) {
  return is_text(reply) ? text_of(*reply) : std::string_view();
}

}  // namespace weir::flusher
