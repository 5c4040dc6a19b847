// Who waits for a session, so that nobody who asks much holds up who asks little.
//
//   FairQueue queue(256);
//   if (auto refused = queue.push(query, until)) …        // full: this one goes without, see below
//   auto next = queue.pop([&](const std::string& owner) { return may_run(owner); });
//
//   ada  ▣▣▣▣▣▣ ─┐
//   bob  ▣       ├─► one of each in turn, the oldest of his first; who may not now is passed over
//   eve  ▣▣     ─┘
//
// At its bound the youngest question of whoever has most waiting makes room, unless that is who
// asks: then it is his new one that is refused.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "api/database.h"

namespace weir::api {

class FairQueue {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using MayRun = std::function<bool(const std::string& owner)>;

  explicit FairQueue(std::size_t most) : most_(most) {}

  // What has to be refused for it; null: nothing.
  std::shared_ptr<Query> push(const std::shared_ptr<Query>& query, Time until);

  // Null: nobody waits who may run.
  std::shared_ptr<Query> pop(const MayRun& may_run);

  bool remove(const Query& query);
  std::vector<std::shared_ptr<Query>> expired(Time now);
  std::vector<std::shared_ptr<Query>> take_all() { return expired(Time::max()); }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

 private:
  struct Waiting {
    std::shared_ptr<Query> query;
    Time until;
  };
  struct Owner {
    std::string name;
    std::deque<Waiting> waiting;
  };
  using Place = std::list<Owner>::iterator;

  Place find(const std::string& name);
  std::shared_ptr<Query> make_room(std::size_t of_who_asks);
  void forget_if_empty(Place owner);

  const std::size_t most_;
  std::size_t size_ = 0;
  std::list<Owner> owners_;  // whose turn it is, in front; none of them without a question
};

}  // namespace weir::api
