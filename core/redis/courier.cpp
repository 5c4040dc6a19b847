#include "core/redis/courier.h"

#include <limits>
#include <new>
#include <utility>

#include "core/record/record.h"

namespace weir {
namespace {

std::string xadd_prefix(std::string_view stream) {
  std::string prefix;
  append_array(prefix, 5);
  for (const std::string_view word : {std::string_view("XADD"), stream, std::string_view("*")}) {
    append_bulk(prefix, word);
  }
  append_bulk(prefix, kRecordField);
  return prefix;
}

constexpr std::size_t kBulkEnd = 2;  // "\r\n"
constexpr std::size_t kMostCommand = std::numeric_limits<std::uint32_t>::max();

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// An entry's id is two numbers with a hyphen between them. A look at the ends is enough to tell it
// from what some other command would answer.
bool is_entry_id(const Reply& reply) {
  return reply.type == Reply::Type::string && !reply.text.empty() && is_digit(reply.text.front()) &&
         is_digit(reply.text.back());
}

}  // namespace

Courier::Courier(CourierSettings settings, CourierLog& log)
    : settings_(std::move(settings)), log_(log), xadd_prefix_(xadd_prefix(settings_.stream)) {}

Courier::~Courier() = default;

// Without memory for the greeting nothing is asked, so nothing is answered, and expire() ends it.
void Courier::connected(Time now) noexcept {
  closed();
  reader_.restart();
  greeted_ = now;
  state_ = State::greeting;
  try {
    const std::string greeting = greeting_.begin();
    outbox_.room_for(greeting.size()).append(greeting);
  } catch (const std::bad_alloc&) {
  }
}

void Courier::closed() noexcept {
  state_ = State::away;
  while (!waiting_.empty()) settle_oldest(Outcome::lost);
  outbox_.clear();
}

Courier::Submitted Courier::submit(std::string_view record, Customer& customer, Time now,
                                   Ticket* ticket) noexcept {
  if (state_ != State::ready) return Submitted::away;
  const std::size_t size = xadd_prefix_.size() + record.size() + kBulkOverhead;
  if (!has_room(size)) return Submitted::full;
  try {
    std::string& out = outbox_.room_for(size);
    waiting_.push({&customer, now, 0, static_cast<std::uint32_t>(record.size())});
    const std::size_t begin = out.size();
    out.append(xadd_prefix_);
    append_bulk(out, record);
    waiting_.back().command = static_cast<std::uint32_t>(out.size() - begin);
  } catch (const std::bad_alloc&) {
    return Submitted::full;
  }
  if (ticket != nullptr) *ticket = next_ticket_;
  ++next_ticket_;
  return Submitted::taken;
}

bool Courier::has_room(std::size_t bytes) const {
  return waiting_.size() < settings_.max_waiting && bytes <= settings_.max_output &&
         outbox_.size() <= settings_.max_output - bytes && bytes <= kMostCommand;
}

// Of the oldest one that waits.
std::string_view Courier::record_of(const Waiting& waiting) const {
  const std::size_t begin = waiting.command - waiting.record - kBulkEnd;
  return outbox_.unanswered().substr(begin, waiting.record);
}

void Courier::cancel(Ticket ticket) noexcept {
  const Ticket oldest = next_ticket_ - waiting_.size();
  if (ticket >= oldest && ticket < next_ticket_) waiting_[ticket - oldest].customer = nullptr;
}

std::string_view Courier::output() const noexcept {
  return state_ == State::away ? std::string_view() : outbox_.unwritten();
}

void Courier::wrote(std::size_t bytes) noexcept { outbox_.wrote(bytes); }

bool Courier::feed(std::string_view bytes, Time now) noexcept {
  if (state_ == State::away) return false;
  try {
    reader_.give(bytes);
    return take_all(now);
  } catch (const std::bad_alloc&) {
    hang_up();
    return false;
  }
}

bool Courier::take_all(Time now) {
  for (;;) {
    switch (reader_.next()) {
      case ReplyReader::Next::none:
        outbox_.tidy();
        return true;
      case ReplyReader::Next::broken:
        return fail("Redis sent what its protocol does not allow (" + std::string(reader_.error()) +
                    ")");
      case ReplyReader::Next::reply:
        if (!take(reader_.reply(), now)) return false;
    }
  }
}

bool Courier::take(const Reply& reply, Time now) {
  if (state_ == State::greeting) return take_greeting(reply);
  if (waiting_.empty()) return fail("Redis sent an answer to a question that nobody asked");
  if (is_entry_id(reply)) {
    refusing_until_ = {};
    settle_oldest(Outcome::acknowledged);
  } else if (reply.type == Reply::Type::error) {
    warnings_.refused(error_word(reply.text, settings_.password), now);
    refusing_until_ = now + kRefusingFor;
    settle_oldest(Outcome::refused);
  } else {
    return fail("Redis answered XADD with something else than an entry's id");
  }
  return true;
}

bool Courier::take_greeting(const Reply& reply) {
  switch (greeting_.take(reply)) {
    case Greeting::Result::more:
      break;
    case Greeting::Result::ready:
      state_ = State::ready;
      outbox_.answered(outbox_.size());
      log_.ready();
      break;
    case Greeting::Result::refused:
      hang_up();
      return false;
  }
  return true;
}

Courier::State Courier::condition(Time now) const {
  return state_ == State::ready && now < refusing_until_ ? State::refusing : state_;
}

// Out of the queue first: whoever is told may submit and cancel.
void Courier::settle_oldest(Outcome outcome) {
  const Waiting oldest = waiting_.front();
  const bool kept = outcome == Outcome::acknowledged;
  const auto record = kept ? std::string_view() : record_of(oldest);
  waiting_.pop();
  outbox_.answered(oldest.command);
  if (oldest.customer != nullptr) oldest.customer->settled(outcome, record);
}

// Keeps the records of those who wait: closed() hands them over.
void Courier::hang_up() { state_ = State::away; }

bool Courier::fail(std::string sentence) {
  hang_up();
  warnings_.once(Warnings::Topic::trouble, std::move(sentence));
  return false;
}

std::optional<Courier::Time> Courier::deadline() const {
  if (state_ == State::greeting) return greeted_ + settings_.timeout;
  if (state_ == State::ready && !waiting_.empty()) {
    return waiting_.front().since + settings_.timeout;
  }
  return std::nullopt;
}

bool Courier::expire(Time now) noexcept {
  const std::optional<Time> due = deadline();
  if (!due || now < *due) return false;
  try {
    std::string sentence = state_ == State::greeting
                               ? "Redis takes connections but has not answered the greeting for "
                               : "Redis has not answered for ";
    fail(sentence.append(std::to_string(settings_.timeout.count())).append(" ms"));
  } catch (const std::bad_alloc&) {
    hang_up();
  }
  while (!waiting_.empty() && waiting_.front().since + settings_.timeout <= now) {
    settle_oldest(Outcome::timed_out);
  }
  return true;
}

}  // namespace weir
