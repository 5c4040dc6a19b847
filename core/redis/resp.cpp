#include "core/redis/resp.h"

#include <hiredis/read.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <exception>

namespace weir {
namespace {

// hiredis moves what is left of its buffer to the front after each 1 KiB of replies. Given little
// at a time, there is little to move.
constexpr std::size_t kSlice = 4096;

constexpr std::size_t kLineEnd = 2;
constexpr std::size_t kShortHead = 5;  // as in "$15\r\n"
constexpr std::string_view kShortened = "512\r\n";
static_assert(ReplyReader::kMostText == 512, "as kShortened says");

void append_length(std::string& out, char sign, std::size_t length) {
  char text[kBulkOverhead];
  text[0] = sign;
  char* end = std::to_chars(text + 1, text + sizeof text - 2, length).ptr;
  *end++ = '\r';
  *end++ = '\n';
  out.append(text, static_cast<std::size_t>(end - text));
}

}  // namespace

void append_array(std::string& out, std::size_t count) { append_length(out, '*', count); }

void append_bulk(std::string& out, std::string_view bytes) {
  append_length(out, '$', bytes.size());
  out.append(bytes);
  out.append("\r\n", 2);
}

void append_command(std::string& out, std::initializer_list<std::string_view> words) {
  append_array(out, words.size());
  for (const std::string_view word : words) append_bulk(out, word);
}

// What hiredis 0.14.1 calls for each element of a reply. It asks for an object and looks at nothing
// but whether it got one: null means that memory ran out, and breaks the reader. So each call
// writes into the reader's one Reply and returns it, a nil too; there is nothing to free.
struct ReplyCallbacks {
  static ReplyReader& reader(const redisReadTask* task) {
    return *static_cast<ReplyReader*>(task->privdata);
  }

  static void* refuse(ReplyReader& self, const char* fault) {
    self.fault_ = fault;
    return nullptr;
  }

  static void* keep(const redisReadTask* task, Reply::Type type, std::string_view text,
                    long long integer) {
    ReplyReader& self = reader(task);
    Reply& reply = self.reply_;
    if (task->parent == nullptr) {
      reply.type = type;
      reply.integer = integer;
      reply.text.assign(text.substr(0, ReplyReader::kMostText));
      reply.items.clear();
      self.elements_ = 0;
    } else if (reply.items.size() < ReplyReader::kMostItems) {
      reply.items.emplace_back(text.substr(0, ReplyReader::kMostText));
    }
    return &reply;
  }

  static void* try_keep(const redisReadTask* task, Reply::Type type, std::string_view text,
                        long long integer) noexcept {
    try {
      return keep(task, type, text, integer);
    } catch (const std::exception&) {
      return refuse(reader(task), "out of memory");
    }
  }

  static Reply::Type type_of(const redisReadTask* task) {
    if (task->type == REDIS_REPLY_ERROR) return Reply::Type::error;
    return task->type == REDIS_REPLY_STATUS ? Reply::Type::status : Reply::Type::string;
  }

  // hiredis does not look at the two bytes that end a bulk string; it has them by now.
  static void* string(const redisReadTask* task, char* text, std::size_t length) noexcept {
    if (text[length] != '\r' || text[length + 1] != '\n') {
      return refuse(reader(task), "a string longer than announced");
    }
    return try_keep(task, type_of(task), {text, length}, 0);
  }

  static void* array(const redisReadTask* task, int elements) noexcept {
    void* object = try_keep(task, Reply::Type::array, {}, 0);
    ReplyReader& self = reader(task);
    self.elements_ += static_cast<std::size_t>(elements);
    if (self.elements_ > ReplyReader::kMostElements) return refuse(self, "an array too long");
    return object;
  }

  static void* integer(const redisReadTask* task, long long value) noexcept {
    return try_keep(task, Reply::Type::integer, {}, value);
  }

  static void* nil(const redisReadTask* task) noexcept {
    return try_keep(task, Reply::Type::nil, {}, 0);
  }

  static redisReplyObjectFunctions* table() {
    static redisReplyObjectFunctions functions = {string, array, integer, nil, nullptr};
    return &functions;
  }
};

void ReplyReader::Free::operator()(redisReader* reader) const { redisReaderFree(reader); }

ReplyReader::ReplyReader() noexcept { restart(); }
ReplyReader::~ReplyReader() = default;

void ReplyReader::restart() noexcept {
  rest_ = {};
  skip_ = 0;
  fault_ = nullptr;
  reader_.reset(redisReaderCreateWithFunctions(ReplyCallbacks::table()));
  // Not by redisReaderSetPrivdata(): it casts the pointer to an int.
  if (reader_) reader_->privdata = this;
}

ReplyReader::Next ReplyReader::next() noexcept {
  if (!reader_ || fault_ != nullptr) return Next::broken;
  for (;;) {
    if (hiredis_is_idle()) {
      if (rest_.empty()) return Next::none;
      if (take_short_string()) return Next::reply;
    }
    void* object = nullptr;
    if (redisReaderGetReply(reader_.get(), &object) != REDIS_OK) return Next::broken;
    if (object != nullptr) return Next::reply;
    if (reader_->len - reader_->pos > kMostPending) {
      if (shorten()) continue;
      fault_ = "a reply too long";
      return Next::broken;
    }
    if (rest_.empty()) return Next::none;
    if (!take_slice()) return Next::broken;
  }
}

// It has taken all that it was given, and nothing is left of a reply.
bool ReplyReader::hiredis_is_idle() const noexcept {
  return reader_->err == 0 && reader_->ridx < 0 && reader_->pos >= reader_->len && skip_ == 0;
}

// What Redis answers each record with, where all of it is there: hiredis would copy it first. It
// gets everything else, and what it has begun with; also a length that begins with 0, which it does
// not take.
bool ReplyReader::take_short_string() noexcept {
  const auto digit = [this](std::size_t at) { return static_cast<std::size_t>(rest_[at] - '0'); };
  if (rest_.size() < kShortHead || rest_[0] != '$' || rest_[1] == '0' || digit(1) > 9 ||
      digit(2) > 9) {
    return false;
  }
  const std::size_t size = digit(1) * 10 + digit(2);
  if (rest_.size() < kShortHead + size + kLineEnd) return false;
  if (rest_.substr(3, kLineEnd) != "\r\n" || rest_.substr(kShortHead + size, kLineEnd) != "\r\n") {
    return false;
  }
  try {
    reply_.text.assign(rest_.substr(kShortHead, size));
  } catch (const std::exception&) {
    return false;
  }
  reply_.type = Reply::Type::string;
  reply_.integer = 0;
  reply_.items.clear();
  elements_ = 0;
  rest_.remove_prefix(kShortHead + size + kLineEnd);
  return true;
}

// hiredis waits for all of a string before it takes any of it, and a string may announce any length
// up to 2^63-1. So it is made to believe in a string that has the first bytes only, and the rest is
// dropped as it comes. What stands in its buffer then begins behind the '$'.
bool ReplyReader::shorten() noexcept {
  const std::string_view pending(reader_->buf + reader_->pos, reader_->len - reader_->pos);
  if (reader_->ridx < 0 || reader_->rstack[reader_->ridx].type != REDIS_REPLY_STRING) return false;
  const std::size_t digits = pending.find("\r\n");
  if (digits == std::string_view::npos) return false;
  std::uint64_t length = 0;
  if (std::from_chars(pending.data(), pending.data() + digits, length).ec != std::errc()) {
    return false;
  }
  const std::size_t begin = digits + kLineEnd;
  std::array<char, kMostText> kept;
  std::copy_n(pending.data() + begin, kMostText, kept.begin());
  skip_ = length + kLineEnd - (pending.size() - begin);
  reader_->pos = reader_->len;  // all of it is taken
  return give_to_hiredis(kShortened) && give_to_hiredis({kept.data(), kept.size()}) &&
         give_to_hiredis("\r\n");
}

bool ReplyReader::give_to_hiredis(std::string_view bytes) noexcept {
  return redisReaderFeed(reader_.get(), bytes.data(), bytes.size()) == REDIS_OK;
}

bool ReplyReader::take_slice() noexcept {
  const std::size_t dropped = std::min<std::uint64_t>(skip_, rest_.size());
  skip_ -= dropped;
  rest_.remove_prefix(dropped);
  const std::string_view slice = rest_.substr(0, kSlice);
  rest_.remove_prefix(slice.size());
  return slice.empty() || give_to_hiredis(slice);
}

std::string_view ReplyReader::error() const noexcept {
  if (fault_ != nullptr) return fault_;
  return reader_ ? std::string_view(reader_->errstr) : std::string_view("out of memory");
}

}  // namespace weir
