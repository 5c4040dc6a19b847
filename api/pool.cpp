#include "api/pool.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "api/allowance.h"
#include "api/fair_queue.h"
#include "api/pg_session.h"

namespace weir::api {
namespace {

using Clock = std::chrono::steady_clock;
using State = PgSession::State;
using boost::system::error_code;

constexpr std::chrono::milliseconds kTick{100}, kFirstRest{100}, kMostRest{2000};
constexpr const char* kTooMany = "Too many ask at once: try again in a second";
constexpr const char* kMachineIsFull =
    "The machine has nothing left to spare for figures, which are held to their share: try again "
    "in "
    "some seconds";

}  // namespace

class Pool::Impl : public std::enable_shared_from_this<Pool::Impl> {
 public:
  Impl(boost::asio::io_context& loop, PoolSettings settings, OnChange on_change)
      : loop_(loop),
        settings_(std::move(settings)),
        on_change_(std::move(on_change)),
        timer_(loop),
        queue_(settings_.queue) {}

  void open();
  void run(const std::shared_ptr<Query>& query);
  void cancel(Query& query);
  void resume(Query& query);
  PoolStatus status() const;
  void close();

 private:
  struct Place {
    std::unique_ptr<PgSession> session;
    std::string owner;                       // who has it, or had it when it began to rest
    std::optional<Clock::time_point> began;  // none: what it did is counted
  };

  void tick();
  void dispatch();
  void give(Place& place, const std::shared_ptr<Query>& query);
  void count_work(const PgSession& session);
  bool may_begin() const;
  Failure busy() const;
  void connect_for(std::size_t waiting);
  void ready();
  void replace(PgSession& session);
  void lost(PgSession& session, const std::string& why);
  void refuse(const std::shared_ptr<Query>& query, Failure failure);
  void refuse_all(const Failure& failure);
  void expire(Clock::time_point now);
  std::size_t count(State state) const;
  bool may_run(const std::string& owner) const;
  bool any_alive() const { return count(State::idle) + count(State::busy) > 0; }

  boost::asio::io_context& loop_;
  const PoolSettings settings_;
  const OnChange on_change_;
  boost::asio::steady_timer timer_;
  std::vector<Place> places_;
  FairQueue queue_;
  std::string why_away_ = "no session has come about yet";
  bool was_told_ = false, closed_ = false;
  std::chrono::milliseconds rest_ = kFirstRest;
  PoolStatus counted_;
};

void Pool::Impl::open() {
  PgSession::Events events;
  events.ready = [this](PgSession& session) {
    count_work(session);
    ready();
  };
  events.lost = [this](PgSession& session, const std::string& why, bool was_open) {
    count_work(session);
    if (was_open) return replace(session);
    lost(session, why);
  };
  while (places_.size() < settings_.sessions) {
    places_.push_back(
        {std::make_unique<PgSession>(loop_, settings_.statement_time, events), {}, {}});
  }
  connect_for(1);
  tick();
}

void Pool::Impl::tick() {
  if (closed_) return;
  const auto now = Clock::now();
  for (const Place& place : places_) place.session->check(now);
  expire(now);
  if (!any_alive() || !queue_.empty()) dispatch();
  timer_.expires_after(kTick);
  timer_.async_wait([self = shared_from_this()](const error_code& error) {
    if (!error) self->tick();
  });
}

std::size_t Pool::Impl::count(State state) const {
  return static_cast<std::size_t>(
      std::count_if(places_.begin(), places_.end(),
                    [&](const Place& place) { return place.session->state() == state; }));
}

bool Pool::Impl::may_run(const std::string& owner) const {
  const auto now = Clock::now();
  const auto held = std::count_if(places_.begin(), places_.end(), [&](const Place& place) {
    const State state = place.session->state();
    const bool is_held =
        state == State::busy || (state == State::resting && now < place.session->rest_until);
    return is_held && place.owner == owner;
  });
  return static_cast<std::size_t>(held) < std::max<std::size_t>(1, places_.size() - 1);
}

// Asking ----------------------------------------------------------------------------------------

void Pool::Impl::run(const std::shared_ptr<Query>& query) {
  if (!why_away_.empty() && was_told_) return refuse(query, {Failure::Kind::away, why_away_});
  if (const auto refused = queue_.push(query, Clock::now() + settings_.queue_time)) {
    refuse(refused, busy());
  }
  boost::asio::post(loop_, [self = shared_from_this()] { self->dispatch(); });
}

void Pool::Impl::refuse(const std::shared_ptr<Query>& query, Failure failure) {
  ++counted_.refused;
  boost::asio::post(loop_, [query, failure = std::move(failure)] { end_query(query, &failure); });
}

void Pool::Impl::refuse_all(const Failure& failure) {
  for (const auto& query : queue_.take_all()) refuse(query, failure);
}

void Pool::Impl::expire(Clock::time_point now) {
  for (const auto& query : queue_.expired(now)) refuse(query, busy());
}

void Pool::Impl::dispatch() {
  if (closed_) return;
  for (Place& place : places_) {
    if (place.session->state() != State::idle) continue;
    if (!may_begin()) break;
    const auto query = queue_.pop([this](const std::string& owner) { return may_run(owner); });
    if (!query) break;
    give(place, query);
  }
  connect_for(std::max<std::size_t>(queue_.size(), any_alive() ? 0 : 1));
}

void Pool::Impl::give(Place& place, const std::shared_ptr<Query>& query) {
  ++counted_.queries;
  place.owner = query->owner;
  place.began = Clock::now();
  place.session->run(query, settings_.allowance && settings_.allowance->is_short());
}

bool Pool::Impl::may_begin() const {
  if (!settings_.allowance) return true;
  const auto now = Clock::now();
  Allowance::Seconds under_way{0};
  for (const Place& place : places_) {
    if (place.began)
      under_way += std::max(Allowance::kLeastWork, Allowance::Seconds(now - *place.began));
  }
  return settings_.allowance->lets_begin(now, under_way);
}

void Pool::Impl::count_work(const PgSession& session) {
  for (Place& place : places_) {
    if (place.session.get() != &session || !place.began) continue;
    const auto now = Clock::now();
    if (settings_.allowance) settings_.allowance->worked(now - *place.began, now);
    place.began.reset();
  }
}

Failure Pool::Impl::busy() const {
  const bool is_short = settings_.allowance && settings_.allowance->is_short();
  return {Failure::Kind::busy, is_short ? kMachineIsFull : kTooMany};
}

// As many sessions as wait, less those that are coming; while PostgreSQL is away one tries for all.
void Pool::Impl::connect_for(std::size_t waiting) {
  const std::size_t wanted = why_away_.empty() ? waiting : 1;
  std::size_t coming = count(State::connecting) + count(State::setting) + count(State::warming);
  const auto now = Clock::now();
  for (const Place& place : places_) {
    if (coming >= wanted) return;
    if (place.session->state() != State::resting || now < place.session->rest_until) continue;
    place.session->connect(settings_.conninfo);
    ++coming;
  }
}

void Pool::Impl::cancel(Query& query) {
  ++counted_.cancelled;
  for (const Place& place : places_) {
    if (place.session->query() != &query) continue;
    place.session->drop();
    count_work(*place.session);
    place.session->rest_until = Clock::now() + PgSession::kCheckInterval;
    return;
  }
  forget_functions(query);  // it waits, or its refusal is on its way
  queue_.remove(query);
}

void Pool::Impl::resume(Query& query) {
  for (const Place& place : places_) {
    if (place.session->query() == &query) return place.session->resume();
  }
}

// Sessions that come and go -----------------------------------------------------------------------

void Pool::Impl::ready() {
  rest_ = kFirstRest;
  if (!why_away_.empty()) {
    why_away_.clear();
    was_told_ = true;
    on_change_("");
  }
  dispatch();
}

// A session may end for a reason of its own: whether PostgreSQL is away, the next one tells.
void Pool::Impl::replace(PgSession& session) {
  session.rest_until = Clock::now();
  boost::asio::post(loop_, [self = shared_from_this()] { self->dispatch(); });
}

void Pool::Impl::lost(PgSession& session, const std::string& why) {
  const auto now = Clock::now();
  session.rest_until = now + rest_;
  if (any_alive()) return;  // the others will tell
  for (const Place& other : places_) {
    if (other.session->state() == State::resting)
      other.session->rest_until = std::max(other.session->rest_until, now + rest_);
  }
  rest_ = std::min(rest_ * 2, kMostRest);
  const bool is_news = why_away_.empty() || !was_told_;
  why_away_ = why;
  was_told_ = true;
  if (is_news) on_change_(why);
  refuse_all({Failure::Kind::away, why});
}

PoolStatus Pool::Impl::status() const {
  PoolStatus status = counted_;
  status.why_away = why_away_;
  status.busy = count(State::busy);
  status.sessions = status.busy + count(State::idle);
  status.waiting = queue_.size();
  return status;
}

void Pool::Impl::close() {
  closed_ = true;
  timer_.cancel();
  for (const Place& place : places_) place.session->drop();
  for (const auto& query : queue_.take_all()) forget_functions(*query);
}

Pool::Pool(boost::asio::io_context& loop, PoolSettings settings, OnChange on_change)
    : impl_(std::make_shared<Impl>(loop, std::move(settings), std::move(on_change))) {
  impl_->open();
}

Pool::~Pool() { impl_->close(); }

void Pool::run(const std::shared_ptr<Query>& query) { impl_->run(query); }
void Pool::cancel(Query& query) { impl_->cancel(query); }
void Pool::resume(Query& query) { impl_->resume(query); }
PoolStatus Pool::status() const { return impl_->status(); }
void Pool::close() { impl_->close(); }

}  // namespace weir::api
