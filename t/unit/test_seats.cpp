// Numbers for processes that their server gives none.
#include "threads/seats.h"

#include <memory>

#include "t/unit/suite.h"

using weir::Seats;
using weir::SeatsMemory;

namespace {

std::uint64_t dead = 0;
bool lives(std::uint64_t process) { return process != dead; }

struct Room {
  Room() { dead = 0; }
  std::unique_ptr<SeatsMemory> memory = std::make_unique<SeatsMemory>();
  Seats seats{memory.get()};

  std::size_t take(std::uint64_t process) { return seats.take(process, lives); }
  bool speaks(std::size_t seat, std::size_t shards) { return seats.speaks(seat, shards, lives); }
};

START_TEST(a_process_takes_the_lowest_seat_that_is_free) {
  Room room;
  ck_assert_uint_eq(room.take(100), 0);
  ck_assert_uint_eq(room.take(101), 1);
  ck_assert_uint_eq(room.take(102), 2);
  room.seats.give_back(1, 101);
  ck_assert_uint_eq(room.take(103), 1);
  ck_assert_uint_eq(room.take(104), 3);
}
END_TEST

START_TEST(the_seat_of_a_process_that_died_is_free) {
  Room room;
  room.take(100);
  room.take(101);
  dead = 100;
  ck_assert_uint_eq(room.take(102), 0);
}
END_TEST

START_TEST(a_process_with_the_number_of_a_dead_one_takes_its_seat) {
  Room room;
  room.take(100);
  room.take(101);
  ck_assert_uint_eq(room.take(101), 1);
}
END_TEST

START_TEST(nobody_gives_back_what_another_has) {
  Room room;
  room.take(100);
  room.seats.give_back(0, 101);
  ck_assert_uint_eq(room.take(102), 1);
}
END_TEST

START_TEST(the_lowest_of_each_stream_speaks_for_it) {
  Room room;
  for (std::uint64_t process = 100; process < 104; ++process) room.take(process);
  ck_assert(room.speaks(0, 2) && room.speaks(1, 2));
  ck_assert(!room.speaks(2, 2) && !room.speaks(3, 2));
  ck_assert(room.speaks(0, 0) && !room.speaks(1, 0) && !room.speaks(1, 1));
  room.seats.give_back(0, 100);
  ck_assert(room.speaks(2, 2) && !room.speaks(3, 2));
  dead = 101;
  ck_assert(room.speaks(3, 2));
}
END_TEST

START_TEST(past_the_last_seat_there_are_numbers_but_no_voice) {
  Room room;
  for (std::size_t i = 0; i < weir::kSeats; ++i) room.take(100 + i);
  const std::size_t seat = room.take(9'000'000);
  ck_assert_uint_ge(seat, weir::kSeats);
  ck_assert(!room.speaks(seat, 0) && !room.speaks(seat, 16));
  room.seats.give_back(seat, 9'000'000);
}
END_TEST

const weir_test::Register kRegistered(
    "seats",
    {a_process_takes_the_lowest_seat_that_is_free, the_seat_of_a_process_that_died_is_free,
     a_process_with_the_number_of_a_dead_one_takes_its_seat, nobody_gives_back_what_another_has,
     the_lowest_of_each_stream_speaks_for_it, past_the_last_seat_there_are_numbers_but_no_voice});

}  // namespace
