#include "ctl/rebuilder.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "ctl/database.h"

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
  std::size_t made = 0;
  for (const Day& day : days_) made += has_failed(day) ? 0 : 1;
  return Rebuilt{made, kept_.size(), std::move(failed_)};
}

bool Rebuilder::connect(std::string& error) {
  for (int i = 0; i < sessions_wanted_; ++i) {
    auto session = ctl::connect(postgres_, error);
    if (!session) return false;
    sessions_.push_back(std::move(*session));
  }
  return true;
}

bool Rebuilder::rebuild_users(std::string& error) {
  std::set<std::string> tenants;
  for (const Day& day : days_) tenants.insert(day.tenant);
  RollUps roll_ups(sessions_.front());
  for (const std::string& tenant : tenants) {
    if (roll_ups.rebuild_users(tenant, error) || note(roll_ups, {tenant, ""}, error)) continue;
    return false;
  }
  return true;
}

// False: a session was lost, and the others have ended after the day that each had in hand.
bool Rebuilder::each_day(Make make, std::size_t share, std::string& error) {
  next_ = 0;
  std::vector<std::thread> threads;
  for (pg::Connection& session : sessions_)
    threads.emplace_back([this, &session, make, share] { work(session, make, share); });
  for (std::thread& thread : threads) thread.join();
  if (lost_) error = *lost_;
  return !lost_;
}

void Rebuilder::work(pg::Connection& session, Make make, std::size_t share) {
  RollUps roll_ups(session);
  std::string error;
  for (std::size_t i = next_++; i < days_.size(); i = next_++) {
    const Day& day = days_[i];
    const auto whole = has_failed(day) ? true : (roll_ups.*make)(day, forget_, error);
    if (!whole && !note(roll_ups, day, error)) return;
    finish(day, whole.value_or(true), share);
  }
}

bool Rebuilder::has_failed(const Day& day) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::any_of(failed_.begin(), failed_.end(), [&day](const Failed& failed) {
    return failed.day.tenant == day.tenant && (failed.day.day.empty() || failed.day.day == day.day);
  });
}

bool Rebuilder::note(const RollUps& roll_ups, const Day& day, const std::string& error) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!roll_ups.is_broken()) {
    failed_.push_back({day, error});
    return true;
  }
  next_ = days_.size();
  if (!lost_) lost_ = error;
  return false;
}

void Rebuilder::finish(const Day& day, bool whole, std::size_t share) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!whole) kept_.insert(day.tenant + '\n' + day.day);
  progress_->step(share);
}

}  // namespace weir::ctl
