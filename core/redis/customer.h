// What the courier and those who hand records to it say to each other.
//
//   class Request final : public Customer {
//     void settled(Outcome outcome, std::string_view record) noexcept override {
//       if (outcome == Outcome::acknowledged) answer_200(); else spool(record);
//     }
//   };
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir {

// What became of a record.
enum class Outcome : std::uint8_t {
  acknowledged,  // Redis has it, and as many replicas as were asked for
  refused,       // Redis answered with an error (-OOM, -READONLY, …), or has too few replicas
  unfit,         // it is larger than this Redis takes any record, and costs the connection
  late,          // no answer within the patience; it is on its way, and Redis may take it yet
  timed_out,     // no answer within the timeout
  lost,          // the connection ended first
};
constexpr std::size_t kOutcomes = 6;

// Someone who handed in a record. settled() is called exactly once unless cancel() came first, from
// inside feed(), expire() or closed(); it may submit() and cancel(), its own customer too, but call
// nothing else of the courier and not destroy it.
//
// `record` is what was submitted, for whoever wants to keep it elsewhere; empty where it was
// acknowledged. It lies in the courier's buffer until settled() returns or submits something.
class Customer {
 public:
  virtual void settled(Outcome outcome, std::string_view record) noexcept = 0;

 protected:
  ~Customer() = default;
};

// What whoever submits a record wants beyond Redis' word for it.
struct Terms {
  // Replicas that must have it too. Redis' WAIT, which asks for them, holds up everything behind it
  // on its connection: records with replicas want a courier of their own.
  std::uint8_t replicas = 0;

  // Nobody waits for it, so it is not reported late but has the whole timeout.
  bool patient = false;
};

}  // namespace weir
