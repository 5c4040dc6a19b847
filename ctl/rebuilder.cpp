#include "ctl/rebuilder.h"

#include <thread>
#include <utility>

namespace weir::ctl {
namespace {

// What of a day's time its sums take and what its build, measured (docs/decisions/0018).
constexpr std::size_t kSumsShare = 3, kBuildShare = 7;

}  // namespace

Rebuilder::Rebuilder(std::string postgres, bool forget, int sessions)
    : postgres_(std::move(postgres)), forget_(forget), sessions_wanted_(sessions) {}

std::optional<Rebuilt> Rebuilder::run(const pg::Param& tenant, std::string& error) {
  if (!connect(error)) return std::nullopt;
  auto days = RollUps(sessions_.front()).begin_rebuild(tenant, forget_, error);
  if (!days) return std::nullopt;
  days_ = std::move(*days);
  progress_.emplace("rebuilding", days_.size(), nullptr, kSumsShare + kBuildShare);
  const bool is_done = each_day(&RollUps::rebuild_sums, kSumsShare, error) &&
                       rebuild_users(error) && each_day(&RollUps::rebuild_day, kBuildShare, error);
  progress_.reset();
  if (!is_done) {
    error += "; what was not done is to be done again";
    return std::nullopt;
  }
  return Rebuilt{days_.size(), kept_.size()};
}

bool Rebuilder::connect(std::string& error) {
  for (int i = 0; i < sessions_wanted_; ++i) {
    auto session = pg::Connection::open(postgres_, error, "weirctl");
    if (!session) {
      error.insert(0, "cannot connect to PostgreSQL: ");
      return false;
    }
    sessions_.push_back(std::move(*session));
  }
  return true;
}

bool Rebuilder::rebuild_users(std::string& error) {
  std::set<std::string> tenants;
  for (const Day& day : days_) tenants.insert(day.tenant);
  RollUps roll_ups(sessions_.front());
  for (const std::string& tenant : tenants) {
    if (!roll_ups.rebuild_users(tenant, error)) return false;
  }
  return true;
}

// False: some day failed, and the sessions have ended after the day that each had in hand.
bool Rebuilder::each_day(Make make, std::size_t share, std::string& error) {
  next_ = 0;
  std::vector<std::thread> threads;
  for (pg::Connection& session : sessions_)
    threads.emplace_back([this, &session, make, share] { work(session, make, share); });
  for (std::thread& thread : threads) thread.join();
  if (failure_) error = *failure_;
  return !failure_;
}

void Rebuilder::work(pg::Connection& session, Make make, std::size_t share) {
  RollUps roll_ups(session);
  std::string error;
  for (std::size_t i = next_++; i < days_.size(); i = next_++) {
    const auto whole = (roll_ups.*make)(days_[i], forget_, error);
    if (!whole) return fail_with(error);
    finish(days_[i], *whole, share);
  }
}

void Rebuilder::fail_with(const std::string& error) {
  next_ = days_.size();
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!failure_) failure_ = error;
}

void Rebuilder::finish(const Day& day, bool whole, std::size_t share) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!whole) kept_.insert(day.tenant + '\n' + day.day);
  progress_->step(share);
}

}  // namespace weir::ctl
