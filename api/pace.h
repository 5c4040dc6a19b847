// Who asks for figures while events want the cores (allowance.h), one after the other. An answer
// that is kept asks nothing of PostgreSQL, but many of them would take a core from the web server
// that proxies them, and that takes events in as well.
//
//   Pace pace(allowance, 1000, 10s);
//   pace.ask(client, [](const auto& client) { … }, now);    // at once, or in tick()
//   pace.tick(now);                                         // often enough, while anybody waits
//
// Each is booked as kWork when his turn has come. Who leaves waits no more and is not booked. Who
// would be one too many, or has waited for too long, is answered that it is busy.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>

#include "api/allowance.h"
#include "api/client.h"

namespace weir::api {

class Pace {
 public:
  using Time = Allowance::Time;
  using Call = std::function<void(const std::shared_ptr<Client>&)>;

  // Some ten times what an answer costs weir-api and the web server together.
  static constexpr std::chrono::milliseconds kWork{2};

  // `allowance` lives longer.
  Pace(Allowance& allowance, std::size_t most, std::chrono::milliseconds most_time)
      : allowance_(allowance), most_(most), most_time_(most_time) {}

  void ask(const std::shared_ptr<Client>& client, Call call, Time now);
  void tick(Time now);
  std::size_t waiting() const { return waiting_.size(); }

 private:
  struct Waiting {
    std::shared_ptr<Client> client;
    Call call;
    Time until;
  };

  Waiting take_first();
  void let_go(const Waiting& one, Time now);

  Allowance& allowance_;
  const std::size_t most_;
  const std::chrono::milliseconds most_time_;
  std::list<Waiting> waiting_;
};

}  // namespace weir::api
