#include "core/spool/delivery.h"

#include <algorithm>

namespace weir {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kFirstPause{50}, kLongestPause{1000};

// What a record costs beside its bytes: the command around it, and Redis' work for it.
constexpr std::size_t kOverhead = 64;

// Unused allowance is kept for so long: less than a tick's would be lost to late timers.
constexpr double kBurstSeconds = 0.1;

}  // namespace

Delivery::Delivery(std::uint64_t bytes_a_second)
    : rate_(static_cast<double>(bytes_a_second)), parcels_(kMostRecords) {
  idle_.reserve(kMostRecords);
  for (Parcel& parcel : parcels_) {
    parcel.to = this;
    idle_.push_back(&parcel);
  }
}

void Delivery::load(std::vector<DrainRecord>&& records, Time now) noexcept {
  records_ = std::move(records);
  next_ = 0;
  done_here_ = 0;
  if (refilled_ == Time{}) refilled_ = now;
}

void Delivery::refill(Time now) {
  const double seconds = std::chrono::duration<double>(now - refilled_).count();
  allowance_ = std::min(allowance_ + rate_ * seconds, rate_ * kBurstSeconds);
  refilled_ = now;
}

bool Delivery::has_room(const DrainRecord& record) const {
  if (idle_.size() == parcels_.size()) return true;
  if (idle_.empty() || alone_ || record.refusals > 0) return false;
  return bytes_out_ + record.bytes.size() <= kMostBytes;
}

bool Delivery::hand_over(DrainRecord& record, std::size_t index, DrainSink& sink) {
  Parcel& parcel = *idle_.back();
  parcel.record = index;
  if (!sink.offer(record.bytes, record.replicas, parcel)) return false;
  idle_.pop_back();
  alone_ = record.refusals > 0;
  record.state = DrainRecord::State::out;
  bytes_out_ += record.bytes.size();
  allowance_ -= static_cast<double>(record.bytes.size() + kOverhead);
  return true;
}

// A record may be larger than the allowance ever gets: it goes as soon as there is some, and the
// debt is paid off before the next.
void Delivery::offer(Time now, DrainSink& sink) noexcept {
  refill(now);
  if (failed_) {
    pause_ = std::clamp(pause_ * 2, kFirstPause, kLongestPause);
    pause_until_ = now + pause_;
    failed_ = false;
  }
  if (now < pause_until_) return;
  while (next_ < records_.size() && allowance_ > 0) {
    DrainRecord& record = records_[next_];
    if (record.state == DrainRecord::State::waiting) {
      if (!has_room(record) || !hand_over(record, next_, sink)) return;
    }
    ++next_;
  }
}

void Delivery::settled(Parcel& parcel, Outcome outcome) noexcept {
  DrainRecord& record = records_[parcel.record];
  idle_.push_back(&parcel);
  bytes_out_ -= record.bytes.size();
  if (outcome == Outcome::acknowledged) {
    record.state = DrainRecord::State::delivered;
    ++done_here_;
    ++delivered_;
    delivered_bytes_ += record.bytes.size();
    pause_ = milliseconds(0);
    return;
  }
  if (outcome == Outcome::unfit && ++record.refusals >= kMostRefusals) {
    record.state = DrainRecord::State::unfit;
    ++done_here_;
    return;
  }
  record.state = DrainRecord::State::waiting;
  next_ = std::min(next_, parcel.record);
  failed_ = true;
}

}  // namespace weir
