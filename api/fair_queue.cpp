#include "api/fair_queue.h"

#include <algorithm>
#include <utility>

namespace weir::api {

FairQueue::Place FairQueue::find(const std::string& name) {
  return std::find_if(owners_.begin(), owners_.end(),
                      [&](const Owner& owner) { return owner.name == name; });
}

void FairQueue::forget_if_empty(Place owner) {
  if (owner->waiting.empty()) owners_.erase(owner);
}

std::shared_ptr<Query> FairQueue::push(const std::shared_ptr<Query>& query, Time until) {
  const auto known = find(query->owner);
  std::shared_ptr<Query> refused;
  if (size_ >= most_) {
    refused = make_room(known == owners_.end() ? 0 : known->waiting.size());
    if (!refused) return query;
  }
  auto owner = find(query->owner);
  if (owner == owners_.end()) owner = owners_.insert(owners_.end(), {query->owner, {}});
  owner->waiting.push_back({query, until});
  ++size_;
  return refused;
}

// Null: nobody has more waiting than who asks would have then.
std::shared_ptr<Query> FairQueue::make_room(std::size_t of_who_asks) {
  const auto most = std::max_element(
      owners_.begin(), owners_.end(),
      [](const Owner& a, const Owner& b) { return a.waiting.size() < b.waiting.size(); });
  if (most == owners_.end() || most->waiting.size() <= of_who_asks + 1) return nullptr;
  auto youngest = std::move(most->waiting.back().query);
  most->waiting.pop_back();
  --size_;
  return youngest;
}

std::shared_ptr<Query> FairQueue::pop(const MayRun& may_run) {
  const auto owner = std::find_if(owners_.begin(), owners_.end(),
                                  [&](const Owner& each) { return may_run(each.name); });
  if (owner == owners_.end()) return nullptr;
  auto query = std::move(owner->waiting.front().query);
  owner->waiting.pop_front();
  --size_;
  owners_.splice(owners_.end(), owners_, owner);
  forget_if_empty(owner);
  return query;
}

bool FairQueue::remove(const Query& query) {
  for (auto owner = owners_.begin(); owner != owners_.end(); ++owner) {
    auto& waiting = owner->waiting;
    const auto place = std::find_if(waiting.begin(), waiting.end(),
                                    [&](const Waiting& one) { return one.query.get() == &query; });
    if (place == waiting.end()) continue;
    waiting.erase(place);
    --size_;
    forget_if_empty(owner);
    return true;
  }
  return false;
}

std::vector<std::shared_ptr<Query>> FairQueue::expired(Time now) {
  std::vector<std::shared_ptr<Query>> over;
  for (auto owner = owners_.begin(); owner != owners_.end();) {
    auto& waiting = owner->waiting;
    while (!waiting.empty() && waiting.front().until <= now) {
      over.push_back(std::move(waiting.front().query));
      waiting.pop_front();
      --size_;
    }
    forget_if_empty(owner++);
  }
  return over;
}

}  // namespace weir::api
