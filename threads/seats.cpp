#include "threads/seats.h"

#include <algorithm>

namespace weir {

std::size_t Seats::take(std::uint64_t process, IsAlive is_alive) noexcept {
  for (std::size_t seat = 0; seat < kSeats; ++seat) {
    std::uint64_t owner = memory_.owners[seat];
    // A seat of the same number is a dead one's, whose number came back.
    const bool free = owner == 0 || owner == process || !is_alive(owner);
    if (free && memory_.owners[seat].compare_exchange_strong(owner, process)) return seat;
  }
  return kSeats + process;
}

void Seats::give_back(std::size_t seat, std::uint64_t process) noexcept {
  if (seat < kSeats) memory_.owners[seat].compare_exchange_strong(process, 0);
}

bool Seats::speaks(std::size_t seat, std::size_t shards, IsAlive is_alive) const noexcept {
  if (seat >= kSeats) return false;
  const std::size_t step = std::max<std::size_t>(shards, 1);
  for (std::size_t lower = seat % step; lower < seat; lower += step) {
    const std::uint64_t owner = memory_.owners[lower];
    if (owner != 0 && is_alive(owner)) return false;
  }
  return true;
}

}  // namespace weir
