// Hands the records of a piece of a segment to a sink, in order, no faster than a rate, with few of
// them on their way at a time, and again what did not get there.
//
//   Delivery delivery(bytes_a_second);
//   delivery.load(records, now);             // views that stay valid until done()
//   delivery.offer(now, sink);               // at each tick
//   if (delivery.done()) load the next piece
//
//   waiting --offer()--> out --acknowledged------------------> delivered
//      ^                  | |
//      +--any other end --+ +--unfit, the kMostRefusals. time--> unfit: whoever loads sets it aside
//         and a pause: 50 ms, doubled up to a second while nothing is acknowledged
//
// At most kMostRecords and kMostBytes are out at a time, or one record however large it is. One
// that Redis has called unfit goes out alone from then on: it costs the connection, and with it
// whatever is on its way behind it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/redis/courier.h"
#include "core/spool/drain_sink.h"

namespace weir {

struct DrainRecord {
  std::string_view bytes;
  std::uint8_t replicas = 0;
  std::uint64_t at = 0;  // where its frame begins in the segment
  enum class State : std::uint8_t { waiting, out, delivered, unfit } state = State::waiting;
  std::uint8_t refusals = 0;  // times that it was unfit
};

class Delivery {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::size_t kMostRecords = 512;
  static constexpr std::size_t kMostBytes = 1U << 20;
  static constexpr std::uint8_t kMostRefusals = 3;

  explicit Delivery(std::uint64_t bytes_a_second);
  Delivery(const Delivery&) = delete;
  Delivery& operator=(const Delivery&) = delete;

  // Only when done(), or while none is out: the rest of them is forgotten.
  void load(std::vector<DrainRecord>&& records, Time now) noexcept;
  void offer(Time now, DrainSink& sink) noexcept;
  std::size_t out() const { return parcels_.size() - idle_.size(); }
  bool done() const { return done_here_ == records_.size(); }

  // What was loaded last.
  const std::vector<DrainRecord>& records() const { return records_; }

  std::uint64_t delivered() const { return delivered_; }  // ever
  std::uint64_t delivered_bytes() const { return delivered_bytes_; }

 private:
  struct Parcel final : Customer {
    void settled(Outcome outcome, std::string_view) noexcept override {
      to->settled(*this, outcome);
    }

    Delivery* to = nullptr;
    std::size_t record = 0;
  };

  void settled(Parcel& parcel, Outcome outcome) noexcept;
  void refill(Time now);
  bool has_room(const DrainRecord& record) const;
  bool hand_over(DrainRecord& record, std::size_t index, DrainSink& sink);

  const double rate_;  // bytes a second
  double allowance_ = 0;
  Time refilled_{};
  std::vector<Parcel> parcels_;
  std::vector<Parcel*> idle_;  // those of them that are not out
  std::vector<DrainRecord> records_;
  std::size_t next_ = 0;  // no record before it is waiting
  std::size_t done_here_ = 0;
  std::size_t bytes_out_ = 0;
  std::chrono::milliseconds pause_{0};
  Time pause_until_{};
  bool alone_ = false;  // what is out has to be alone
  bool failed_ = false;
  std::uint64_t delivered_ = 0, delivered_bytes_ = 0;
};

}  // namespace weir
