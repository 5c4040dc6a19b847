#include "flusher/reply_memory.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <memory>
#include <vector>

#include <hiredis/hiredis.h>

#include "core/json/arena.h"

namespace weir::flusher {
namespace {

// A reply's outermost object, with the memory of the others.
struct Root : redisReply {
  Arena memory;
};

// Three answers of a read, and some that a batch keeps.
constexpr std::size_t kMostSpare = 4;

std::vector<std::unique_ptr<Root>>& spare() {
  static std::vector<std::unique_ptr<Root>> roots;
  return roots;
}

std::unique_ptr<Root> take_root() {
  if (spare().empty()) return std::make_unique<Root>();
  auto root = std::move(spare().back());
  spare().pop_back();
  return root;
}

// The one that is being read.
Root* current = nullptr;

redisReply* begin(const redisReadTask* task) {
  redisReply* reply = nullptr;
  if (task->parent == nullptr) {
    reply = current = take_root().release();
  } else {
    reply = static_cast<redisReply*>(current->memory.allocate(sizeof *reply));
    static_cast<redisReply*>(task->parent->obj)->element[task->idx] = reply;
  }
  *reply = redisReply();
  reply->type = task->type;
  return reply;
}

// hiredis is C: without memory it is told so, and says it in the connection's error.
template <typename Fill>
void* made(const redisReadTask* task, Fill fill) noexcept {
  try {
    redisReply* reply = begin(task);
    fill(*reply, current->memory);
    return reply;
  } catch (const std::exception&) {
    return nullptr;
  }
}

void* make_string(const redisReadTask* task, char* bytes, std::size_t size) noexcept {
  return made(task, [&](redisReply& reply, Arena& memory) {
    reply.str = static_cast<char*>(memory.allocate(size + 1));
    std::memcpy(reply.str, bytes, size);
    reply.str[size] = '\0';
    reply.len = size;
  });
}

void* make_array(const redisReadTask* task, int elements) noexcept {
  return made(task, [&](redisReply& reply, Arena& memory) {
    reply.elements = elements > 0 ? static_cast<std::size_t>(elements) : 0;
    reply.element = static_cast<redisReply**>(memory.allocate(reply.elements * sizeof(void*)));
    std::fill_n(reply.element, reply.elements, nullptr);
  });
}

void* make_integer(const redisReadTask* task, long long value) noexcept {
  return made(task, [&](redisReply& reply, Arena&) { reply.integer = value; });
}

// An array or a string that is none: the task has the type that it would have had.
void* make_nil(const redisReadTask* task) noexcept {
  return made(task, [](redisReply& reply, Arena&) { reply.type = REDIS_REPLY_NIL; });
}

void free_whole(void* reply) noexcept { free_reply(static_cast<redisReply*>(reply)); }

redisReplyObjectFunctions functions{make_string, make_array, make_integer, make_nil, free_whole};

}  // namespace

void use_reply_memory(redisReader& reader) { reader.fn = &functions; }

void free_reply(redisReply* reply) {
  if (reply == nullptr) return;
  std::unique_ptr<Root> root(static_cast<Root*>(reply));
  if (spare().size() >= kMostSpare) return;
  root->memory.reset();
  spare().push_back(std::move(root));
}

}  // namespace weir::flusher
