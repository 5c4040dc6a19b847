#include "threads/errands.h"

#include <cerrno>
#include <utility>

namespace weir {

void Errand::wait() noexcept {
  while (sem_wait(&done_) != 0 && errno == EINTR) {
  }
}

bool Errands::hand_in(Errand& errand, Bell& bell) noexcept {
  const bool room = waiting_.fetch_add(1, std::memory_order_relaxed) < most_;
  Errand* last = last_.load(std::memory_order_relaxed);
  do {
    if (!room || last == closed()) {
      waiting_.fetch_sub(1, std::memory_order_relaxed);
      return false;
    }
    errand.next_ = last;
  } while (!last_.compare_exchange_weak(last, &errand));
  if (last == nullptr && wants_bell_) bell.ring();
  return true;
}

// Either whoever hands in sees here that the bell is wanted, or is seen here: both look at the
// other after they have said their own, in one order for all (sequentially consistent).
bool Errands::want_bell(bool wanted) noexcept {
  wants_bell_ = wanted;
  const Errand* const last = last_;
  return wanted && last != nullptr && last != closed();
}

void Errands::run_all(Edge& edge) noexcept {
  for (Errand* errand = take(nullptr); errand != nullptr;) {
    Errand* const next = errand->next_;  // whoever waits may go as soon as it is done
    errand->run(edge);
    errand = next;
  }
}

void Errands::close() noexcept {
  for (Errand* errand = take(closed()); errand != nullptr;) {
    Errand* const next = errand->next_;
    errand->refuse();
    errand = next;
  }
}

// All that are there, oldest first.
Errand* Errands::take(Errand* instead) noexcept {
  Errand* errand = last_.load(std::memory_order_relaxed);
  if (errand == closed()) return nullptr;
  errand = last_.exchange(instead, std::memory_order_acquire);
  Errand* oldest = nullptr;
  std::size_t count = 0;
  for (; errand != nullptr; ++count) {
    Errand* const older = std::exchange(errand->next_, oldest);
    oldest = errand;
    errand = older;
  }
  waiting_.fetch_sub(count, std::memory_order_relaxed);
  return oldest;
}

}  // namespace weir
