#include "api/pace.h"

#include <utility>

#include "api/failure.h"

namespace weir::api {
namespace {

void refuse(const std::shared_ptr<Client>& client) {
  client->send(response_of(problem_of(
      {Failure::Kind::busy,
       "The machine has nothing left to spare for so many requests: try again in some seconds"})));
}

}  // namespace

void Pace::ask(const std::shared_ptr<Client>& client, Call call, Time now) {
  if (waiting_.empty() && allowance_.lets_begin(now, Allowance::Seconds(0))) {
    return let_go({client, std::move(call), now}, now);
  }
  if (waiting_.size() >= most_) return refuse(client);
  const auto place = waiting_.insert(waiting_.end(), {client, std::move(call), now + most_time_});
  client->when_gone([this, place] { waiting_.erase(place); });
}

void Pace::tick(Time now) {
  while (!waiting_.empty() && waiting_.front().until <= now) refuse(take_first().client);
  while (!waiting_.empty() && allowance_.lets_begin(now, Allowance::Seconds(0))) {
    let_go(take_first(), now);
  }
}

Pace::Waiting Pace::take_first() {
  auto first = std::move(waiting_.front());
  first.client->when_gone([] {});
  waiting_.pop_front();
  return first;
}

void Pace::let_go(const Waiting& one, Time now) {
  allowance_.worked(kWork, now);
  one.call(one.client);
}

}  // namespace weir::api
