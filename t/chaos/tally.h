// What the load generator was told: a ledger on disk with a line for each event, and counters.
//
//   Tally tally("acks.csv");
//   tally.answered(503, micros);
//   tally.settle('e', 'a', tries, user, id);   // an event that was accepted
//   tally.report(elapsed_millis, "report");
//
// A line of the ledger is "KIND,STATE,TRIES,USER,ID": KIND e(vent) or c(rash); STATE
// a(cknowledged), r(efused), or u(nknown: sent, and no answer was had till the end).
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

namespace weir_chaos {

class Tally {
 public:
  explicit Tally(const std::string& path);
  ~Tally();
  Tally(const Tally&) = delete;
  Tally& operator=(const Tally&) = delete;

  void answered(int status, std::uint64_t micros);
  void settle(char kind, char state, std::uint32_t tries, std::uint64_t user,
              const std::string& id);
  void report(std::uint64_t millis, const char* word);
  bool flush();

  std::uint64_t acknowledged = 0;  // events
  std::uint64_t retried = 0;       // of these, acknowledged at a later try than the first
  std::uint64_t refused = 0;
  std::uint64_t unknown = 0;
  std::uint64_t sent = 0;       // requests, each try
  std::uint64_t repeated = 0;   // requests that were sent again though they had been answered 200
  std::uint64_t abandoned = 0;  // requests whose client went away on purpose
  std::uint64_t cut = 0;        // connections that ended before the answer
  std::uint64_t unreached = 0;  // connections that were not made
  std::uint64_t timeouts = 0;
  std::uint64_t wrong = 0;  // answers that are not what the request has to get
  std::string first_wrong;

 private:
  static constexpr int kBuckets = 2000;  // each 1 % wider than the last: up to some minutes
  std::uint64_t quantile(double part) const;

  int fd_ = -1;
  bool failed_ = false;
  std::string lines_;
  std::map<int, std::uint64_t> by_status_;
  std::array<std::uint64_t, kBuckets> times_{};  // of answers 200
  std::uint64_t timed_ = 0;
  std::uint64_t slowest_ = 0;
};

}  // namespace weir_chaos
