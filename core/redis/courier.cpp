#include "core/redis/courier.h"

#include <algorithm>
#include <limits>
#include <new>
#include <utility>

#include "core/record/record.h"
#include "core/redis/safety.h"
#include "core/json/ascii.h"

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

// Of the slowest Redis that gets a long record: it has to be read and written down before it is
// answered.
constexpr std::size_t kBytesEachMs = 1024;

constexpr std::size_t kLongestId = 41;  // 2^64-1 twice

// An entry's id is two numbers with a hyphen between them. A look at the ends is enough to tell it
// from what some other command would answer.
bool is_entry_id(const Reply& reply) {
  return reply.type == Reply::Type::string && !reply.text.empty() &&
         reply.text.size() <= kLongestId && is_digit(reply.text.front()) &&
         is_digit(reply.text.back());
}

// An id that Redis never takes. It looks at the id last: what it would refuse a record for, it
// refuses this for first, and nothing is written.
std::string probe(std::string_view stream) {
  std::string command;
  append_command(command, {"XADD", stream, "0-0", kRecordField, ""});
  return command;
}

// Of a WAIT; a Redis that has none of it has none of the record.
std::optional<std::uint64_t> replicas_of(const Reply& reply) {
  if (reply.type == Reply::Type::error) return 0;
  if (reply.type != Reply::Type::integer || reply.integer < 0) return std::nullopt;
  return static_cast<std::uint64_t>(reply.integer);
}

template <class Time>
void bring_forward(std::optional<Time>& due, std::optional<Time> other) {
  if (other && (!due || *other < *due)) due = other;
}

}  // namespace

Courier::Courier(CourierSettings settings, CourierLog& log)
    : settings_(std::move(settings)),
      log_(log),
      xadd_prefix_(xadd_prefix(settings_.stream)),
      probe_(weir::probe(settings_.stream)) {}

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
  hang_up();
  while (!waiting_.empty()) settle_oldest(Outcome::lost);
  outbox_.clear();
  run_ = 0;
}

Courier::Submitted Courier::submit(std::string_view record, Customer& customer, Time now,
                                   Ticket* ticket, Terms terms) noexcept {
  if (state_ != State::ready || !breaker_.lets_pass() || watch_.too_long()) return Submitted::away;
  const std::size_t size = xadd_prefix_.size() + record.size() + kBulkOverhead;
  if (!has_room(size)) return Submitted::full;
  try {
    std::string& out = outbox_.room_for(size);
    waiting_.push({&customer, now, 0, static_cast<std::uint32_t>(record.size()), Question::record,
                   terms.replicas, terms.patient, false, Outcome::lost});
    const std::size_t begin = out.size();
    out.append(xadd_prefix_);
    append_bulk(out, record);
    waiting_.back().command = static_cast<std::uint32_t>(out.size() - begin);
  } catch (const std::bad_alloc&) {
    return Submitted::full;
  }
  breaker_.passed();
  ++records_;
  run_ = std::max(run_, terms.replicas);
  last_submit_ = now;
  if (ticket != nullptr) *ticket = next_ticket_;
  ++next_ticket_;
  return Submitted::taken;
}

bool Courier::has_room(std::size_t bytes) const {
  return records_ < settings_.max_waiting && bytes <= settings_.max_output &&
         outbox_.size() <= settings_.max_output - bytes && bytes <= kMostCommand;
}

// `before` are the bytes of those that are older.
std::string_view Courier::record_of(const Waiting& waiting, std::size_t before) const {
  const std::size_t begin = before + waiting.command - waiting.record - kBulkEnd;
  return outbox_.unanswered().substr(begin, waiting.record);
}

void Courier::cancel(Ticket ticket) noexcept {
  const Ticket oldest = next_ticket_ - waiting_.size();
  if (ticket >= oldest && ticket < next_ticket_) waiting_[ticket - oldest].customer = nullptr;
}

// Without memory for the WAIT its records wait for the next call, or are late.
std::string_view Courier::output() noexcept {
  if (state_ == State::away) return {};
  try {
    if (run_ > 0) end_run();
  } catch (const std::bad_alloc&) {
  }
  return outbox_.unwritten();
}

void Courier::end_run() {
  replicas_ = run_;
  send_wait(Question::replicas, last_submit_);
  run_ = 0;
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
  if (state_ == State::greeting) return take_greeting(reply, now);
  if (answered_ == waiting_.size()) {
    return fail("Redis sent an answer to a question that nobody asked");
  }
  switch (waiting_[answered_].question) {
    case Question::record:
      return take_record(reply, now);
    case Question::replicas:
      return take_replicas(reply, now);
    case Question::probe:
      return take_probe(reply, now);
    case Question::probe_replicas:
      return take_probe_replicas(reply, now);
    case Question::watch:
      return take_watch(reply, now);
  }
  return false;
}

bool Courier::take_greeting(const Reply& reply, Time now) {
  switch (greeting_.take(reply)) {
    case Greeting::Result::more:
      break;
    case Greeting::Result::ready:
      state_ = State::ready;
      outbox_.answered(outbox_.size());
      breaker_.connected();
      watch_.connected(now);
      log_.ready();
      break;
    case Greeting::Result::refused:
      hang_up();
      return false;
  }
  return true;
}

bool Courier::take_record(const Reply& reply, Time now) {
  if (reply.type == Reply::Type::error) return take_refusal(reply, now);
  if (!is_entry_id(reply)) {
    return fail("Redis answered XADD with something else than an entry's id");
  }
  if (in_time() && waiting_[answered_].detail == 0) breaker_.worked(now);
  report(Outcome::acknowledged);
  return true;
}

// A master that became a replica: the next greeting finds it out, and where the master is now.
bool Courier::take_refusal(const Reply& reply, Time now) {
  if (is_protocol_error(reply.text)) return take_protocol_error(now);
  const std::string_view word = error_word(reply.text, settings_.password);
  const bool demoted = word == "READONLY";
  warnings_.refused(word, now);
  breaker_.failed(now);
  report(Outcome::refused);
  if (demoted) hang_up();
  return !demoted;
}

// Redis hangs up by itself, and what is behind it is lost then.
bool Courier::take_protocol_error(Time now) {
  warnings_.unfit(waiting_[answered_].record, now);
  breaker_.failed(now);
  report(Outcome::unfit);
  return true;
}

bool Courier::take_replicas(const Reply& reply, Time now) {
  const std::optional<std::uint64_t> replicas = replicas_of(reply);
  if (!replicas) return fail("Redis answered WAIT with something else than a number");
  const std::uint64_t wanted = waiting_[answered_].detail;
  if (*replicas < wanted) {
    warnings_.too_few(*replicas, wanted, now);
    breaker_.failed(now);
  } else if (in_time()) {
    breaker_.worked(now);
  }
  report(Outcome::acknowledged);
  report_run(*replicas);
  return true;
}

bool Courier::take_probe(const Reply& reply, Time now) {
  if (reply.type != Reply::Type::error) {
    return fail("Redis answered an XADD that it has to refuse with something else than an error");
  }
  const std::string_view word = error_word(reply.text, settings_.password);
  const bool demoted = word == "READONLY";
  if (word != "ERR") {
    warnings_.once(Warnings::Topic::trouble, refusal("XADD", reply.text, settings_.password));
    breaker_.failed(now);
  } else if (in_time() && replicas_ == 0) {
    breaker_.probed();
  }
  report(Outcome::acknowledged);
  if (demoted) hang_up();
  return !demoted;
}

bool Courier::take_probe_replicas(const Reply& reply, Time now) {
  const std::optional<std::uint64_t> replicas = replicas_of(reply);
  if (!replicas) return fail("Redis answered WAIT with something else than a number");
  if (*replicas < waiting_[answered_].detail) {
    breaker_.failed(now);
  } else if (in_time()) {
    breaker_.probed();
  }
  report(Outcome::acknowledged);
  return true;
}

bool Courier::take_watch(const Reply& reply, Time now) {
  const auto question = static_cast<StreamWatch::Question>(waiting_[answered_].detail);
  switch (watch_.take(question, reply)) {
    case StreamWatch::Result::ok:
      break;
    case StreamWatch::Result::failing:
      warnings_.once(Warnings::Topic::trouble,
                     refusal("a look at the stream", reply.text, settings_.password));
      breaker_.failed(now);
      break;
    case StreamWatch::Result::nonsense:
      return fail("Redis answered a look at the stream with something else than an answer to it");
  }
  report(Outcome::acknowledged);
  return true;
}

Courier::State Courier::condition() const {
  const bool refusing = breaker_.state() == Breaker::State::open || watch_.too_long();
  return state_ == State::ready && refusing ? State::refusing : state_;
}

// What was just answered. Behind a record that waits for replicas, it has to wait too.
void Courier::report(Outcome outcome) {
  Waiting& answered = waiting_[answered_];
  const bool waits = answered.question == Question::record && answered.detail > 0;
  if (answered_ == 0 && !waits) return settle_oldest(outcome);
  answered.outcome = outcome;
  ++answered_;
}

void Courier::report_run(std::uint64_t replicas) {
  for (std::size_t left = answered_; left > 0; --left) {
    const Waiting& oldest = waiting_.front();
    const bool lacks = oldest.question == Question::record && oldest.detail > replicas;
    settle_oldest(lacks && oldest.outcome == Outcome::acknowledged ? Outcome::refused
                                                                   : oldest.outcome);
  }
}

// Out of the queue first: whoever is told may submit and cancel.
void Courier::settle_oldest(Outcome outcome) {
  const Waiting oldest = waiting_.front();
  const bool wanted = oldest.customer != nullptr && outcome != Outcome::acknowledged;
  const auto record = wanted ? record_of(oldest, 0) : std::string_view();
  waiting_.pop();
  outbox_.answered(oldest.command);
  if (late_ > 0) --late_;
  if (answered_ > 0) --answered_;
  if (oldest.question != Question::record) return;
  --records_;
  if (!oldest.late) ++counters_.records[static_cast<std::size_t>(outcome)];
  if (oldest.customer != nullptr) oldest.customer->settled(outcome, record);
}

// Keeps the records of those who wait: closed() hands them over.
void Courier::hang_up() {
  if (state_ == State::ready) breaker_.lost();
  state_ = State::away;
}

bool Courier::fail(std::string sentence) {
  hang_up();
  warnings_.once(Warnings::Topic::trouble, std::move(sentence));
  return false;
}

std::optional<Courier::Time> Courier::deadline() const {
  if (state_ == State::greeting) return greeted_ + settings_.timeout;
  if (state_ == State::away) return std::nullopt;
  std::optional<Time> due = watch_.due();
  if (waiting_.empty()) {
    bring_forward(due, breaker_.due());
    return due;
  }
  bring_forward<Time>(due, waiting_.front().since + time_for(waiting_.front()));
  bring_forward(due, next_late());
  return due;
}

std::chrono::milliseconds Courier::time_for(const Waiting& waiting) const {
  return settings_.timeout + std::chrono::milliseconds(waiting.command / kBytesEachMs);
}

bool Courier::is_overdue(Time now) const {
  return !waiting_.empty() && waiting_.front().since + time_for(waiting_.front()) <= now;
}

std::optional<Courier::Time> Courier::next_late() const {
  if (late_ == waiting_.size() || settings_.patience >= settings_.timeout) return std::nullopt;
  return waiting_[late_].since + settings_.patience;
}

bool Courier::expire(Time now) noexcept {
  try {
    if (state_ == State::greeting && greeted_ + settings_.timeout <= now) {
      return !fail("Redis takes connections but has not answered the greeting for " +
                   std::to_string(settings_.timeout.count()) + " ms");
    }
    if (state_ != State::ready) return false;
    if (const auto due = next_late(); due && *due <= now) lose_patience(now);
    if (!is_overdue(now)) return false;
    give_up(now);
  } catch (const std::bad_alloc&) {
    hang_up();
  }
  return true;
}

// Redis answers in order: what is behind the one that is late waits for the same. With the breaker
// open nobody can submit, so the queue and its bytes stay where they are.
void Courier::lose_patience(Time now) {
  breaker_.failed(now);
  std::size_t before = 0, told = 0;
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    Waiting& waiting = waiting_[i];
    if (i >= late_ && waiting.question == Question::record && !waiting.patient) {
      waiting.late = true;
      ++told;
      Customer* const customer = std::exchange(waiting.customer, nullptr);
      if (customer != nullptr) customer->settled(Outcome::late, record_of(waiting, before));
    }
    before += waiting.command;
  }
  late_ = waiting_.size();
  counters_.records[static_cast<std::size_t>(Outcome::late)] += told;
  warnings_.late(told, settings_.patience, now);
}

void Courier::give_up(Time now) {
  fail("Redis has not answered for " + std::to_string(time_for(waiting_.front()).count()) + " ms");
  while (is_overdue(now)) settle_oldest(Outcome::timed_out);
}

// Without memory it is due again at once.
void Courier::ask(Time now) noexcept {
  if (state_ != State::ready) return;
  const auto is_due = [now](std::optional<Time> due) { return due.value_or(Time::max()) <= now; };
  try {
    if (waiting_.empty() && is_due(breaker_.due())) probe(now);
    if (is_due(watch_.due())) look(now);
  } catch (const std::bad_alloc&) {
  }
}

void Courier::probe(Time now) {
  send(probe_, Question::probe, 0, now);
  if (replicas_ > 0) send_wait(Question::probe_replicas, now);
  breaker_.asked();
}

void Courier::look(Time now) {
  for (const auto question : StreamWatch::kQuestions) {
    if (!watch_.wants(question)) continue;
    send(watch_.command(question), Question::watch, static_cast<std::uint8_t>(question), now);
  }
  watch_.asked(now);
}

// Redis gives up before the patience is over, so that it is known which records lack replicas.
void Courier::send_wait(Question question, Time now) {
  const auto time = std::min(settings_.patience, settings_.timeout) * 4 / 5;
  std::string command;
  append_command(command, {"WAIT", std::to_string(replicas_), std::to_string(time.count())});
  send(command, question, replicas_, now);
}

void Courier::send(std::string_view command, Question question, std::uint8_t detail, Time now) {
  std::string& out = outbox_.room_for(command.size());
  waiting_.push({nullptr, now, static_cast<std::uint32_t>(command.size()), 0, question, detail,
                 false, false, Outcome::lost});
  out.append(command);
  ++next_ticket_;
}

}  // namespace weir
