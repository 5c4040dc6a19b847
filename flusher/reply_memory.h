// Memory for hiredis' replies: all of a reply lies in one Arena and goes with it at once, instead
// of in ten pieces of its own for each entry of a stream. Used arenas are kept for the next
// replies, a few of them.
//
//   use_reply_memory(*context->reader);      // from here on replies are freed by free_reply() only
//   void* reply; redisGetReplyFromReader(context, &reply); …
//   free_reply(static_cast<redisReply*>(reply));
//
// For one reader of one thread at a time: the spare arenas and the reply that is being read are the
// program's.
#pragma once

struct redisReader;
struct redisReply;

namespace weir::flusher {

void use_reply_memory(redisReader& reader);

void free_reply(redisReply* reply);  // a whole one, as the reader gave it out; or none

}  // namespace weir::flusher
