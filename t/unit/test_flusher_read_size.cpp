// How much is read at once, and how that answers to how long storing took.
#include "flusher/read_size.h"

#include "t/unit/suite.h"

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using weir::flusher::ReadSize;

constexpr std::size_t kRows = 10'000, kBytes = 16 << 20;

// Rows of one each that a batch takes.
std::size_t batch_of(const ReadSize& size) {
  std::size_t rows = 0;
  while (const std::size_t more = size.next(rows, 0)) rows += more;
  return rows;
}

ReadSize small_entries() {
  ReadSize size(kRows, kBytes);
  size.took(64, 300);
  return size;
}

START_TEST(a_batch_that_took_too_long_makes_the_next_half_as_large) {
  ReadSize size = small_entries();
  ck_assert_uint_eq(batch_of(size), kRows);
  size.stored_in(ReadSize::kLongest + milliseconds(1));
  ck_assert(size.is_halved());
  ck_assert_uint_eq(batch_of(size), kRows / 2);
  size.stored_in(seconds(60));
  ck_assert_uint_eq(batch_of(size), kRows / 4);
  for (int i = 0; i < 100; ++i) size.stored_in(seconds(60));
  ck_assert_uint_eq(batch_of(size), kRows / 1024);
}
END_TEST

START_TEST(one_that_was_quick_makes_it_twice_as_large_again_and_one_between_leaves_it) {
  ReadSize size = small_entries();
  for (int i = 0; i < 2; ++i) size.stored_in(seconds(60));
  size.stored_in(ReadSize::kLongest / 2);
  ck_assert_uint_eq(batch_of(size), kRows / 4);
  size.stored_in(milliseconds(10));
  ck_assert_uint_eq(batch_of(size), kRows / 2);
  size.stored_in(milliseconds(10));
  size.stored_in(milliseconds(10));
  ck_assert(!size.is_halved());
  ck_assert_uint_eq(batch_of(size), kRows);
}
END_TEST

const weir_test::Register kRegistered(
    "flusher_read_size",
    {a_batch_that_took_too_long_makes_the_next_half_as_large,
     one_that_was_quick_makes_it_twice_as_large_again_and_one_between_leaves_it});

}  // namespace
