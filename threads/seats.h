// Numbers for the processes of a server that gives them none: each takes the lowest seat that is
// free. What a process writes to follows from its number (shards), and so does who of those that
// write to one stream speaks for it: the lowest that lives.
//
//   Seats seats(memory);                       // kSeatsBytes, zeroed, shared by the processes
//   const std::size_t seat = seats.take(getpid(), process_lives);
//   edge.speak(seats.speaks(seat, shards, process_lives));    // from time to time
//   seats.give_back(seat, getpid());
//
// A process that was killed keeps its seat until somebody takes that. Past kSeats processes the
// rest get numbers beyond them, and speak for nothing.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace weir {

constexpr std::size_t kSeats = 4096;

struct SeatsMemory {
  std::array<std::atomic<std::uint64_t>, kSeats> owners;  // 0: free
};
static_assert(std::is_trivially_destructible_v<SeatsMemory>, "nothing has to end it");

constexpr std::size_t kSeatsBytes = sizeof(SeatsMemory);

class Seats {
 public:
  using IsAlive = bool (*)(std::uint64_t process);

  explicit Seats(void* memory) : memory_(*static_cast<SeatsMemory*>(memory)) {}

  std::size_t take(std::uint64_t process, IsAlive is_alive) noexcept;
  void give_back(std::size_t seat, std::uint64_t process) noexcept;

  // `shards`: streams that share the records; 0 or 1: there is one.
  bool speaks(std::size_t seat, std::size_t shards, IsAlive is_alive) const noexcept;

 private:
  SeatsMemory& memory_;
};

}  // namespace weir
