// The courier's two containers: bounded, without needless moves, without needless memory.
#include "core/redis/outbox.h"

#include <deque>

#include "core/redis/ring.h"
#include "t/unit/suite.h"

namespace {

using weir::Outbox;
using weir::Ring;

void append(Outbox& outbox, std::string_view bytes) { outbox.room_for(bytes.size()).append(bytes); }

// Written and answered at once.
void pass(Outbox& outbox, std::size_t bytes) {
  outbox.answered(bytes);
  outbox.wrote(bytes);
}

START_TEST(gives_what_was_appended_in_order) {
  Outbox outbox;
  append(outbox, "abc");
  pass(outbox, 1);
  append(outbox, "def");
  ck_assert_view_eq(outbox.unwritten(), "bcdef");
  ck_assert_uint_eq(outbox.size(), 5);
  outbox.wrote(5);
  ck_assert(outbox.unwritten().empty());
}
END_TEST

START_TEST(keeps_what_is_written_until_it_is_answered) {
  Outbox outbox;
  append(outbox, "abcdef");
  outbox.wrote(6);
  ck_assert_view_eq(outbox.unanswered(), "abcdef");
  outbox.answered(2);
  ck_assert_view_eq(outbox.unanswered(), "cdef");
  append(outbox, "g");
  ck_assert_view_eq(outbox.unwritten(), "g");
  ck_assert_view_eq(outbox.unanswered(), "cdefg");
  ck_assert_uint_eq(outbox.size(), 5);
}
END_TEST

START_TEST(keeps_what_is_answered_until_it_is_written) {
  Outbox outbox;
  append(outbox, "abcdef");
  outbox.answered(4);
  outbox.tidy();
  ck_assert_view_eq(outbox.unwritten(), "abcdef");
  outbox.wrote(3);
  ck_assert_view_eq(outbox.unwritten(), "def");
  ck_assert_view_eq(outbox.unanswered(), "ef");
  ck_assert_uint_eq(outbox.size(), 3);
}
END_TEST

START_TEST(written_and_answered_in_any_steps_it_loses_nothing) {
  Outbox outbox;
  std::string all, sent, returned;
  unsigned random = 7;
  const auto below = [&](std::size_t bound) {
    random = random * 1664525 + 1013904223;
    return (random >> 8) % (bound + 1);
  };
  for (int i = 0; i < 20000; ++i) {
    std::string piece(below(300), static_cast<char>('a' + i % 26));
    append(outbox, piece);
    all += piece;
    const auto write = outbox.unwritten().substr(0, below(500));
    sent += write;
    outbox.wrote(write.size());
    const auto answer = outbox.unanswered().substr(0, below(i % 5000 < 4000 ? 250 : 5000));
    returned += answer;
    outbox.answered(answer.size());
    outbox.tidy();
  }
  sent += outbox.unwritten();
  returned += outbox.unanswered();
  ck_assert(sent == all);
  ck_assert(returned == all);
}
END_TEST

START_TEST(writing_more_than_there_is_counts_as_all) {
  Outbox outbox;
  append(outbox, "abc");
  pass(outbox, 100);
  ck_assert_uint_eq(outbox.size(), 0);
  append(outbox, "d");
  ck_assert_view_eq(outbox.unwritten(), "d");
}
END_TEST

START_TEST(a_socket_that_is_always_behind_does_not_let_it_grow) {
  Outbox outbox;
  const std::string chunk(1000, 'x');
  for (int i = 0; i < 100; ++i) append(outbox, chunk);
  std::size_t most = 0;
  for (int i = 0; i < 20000; ++i) {
    append(outbox, chunk);
    pass(outbox, chunk.size());
    most = std::max(most, outbox.capacity());
  }
  ck_assert_uint_eq(outbox.size(), 100 * chunk.size());
  ck_assert_uint_le(most, std::size_t{1} << 20);
}
END_TEST

START_TEST(each_byte_moves_at_most_once_on_average) {
  Outbox outbox;
  append(outbox, std::string(std::size_t{8} << 20, 'x'));
  std::size_t moved = 0, written = 0;
  while (outbox.size() > 0) {
    const char* before = outbox.unwritten().data() + 1000;
    pass(outbox, 1000);
    written += 1000;
    if (outbox.size() > 0 && outbox.unwritten().data() != before) moved += outbox.size();
  }
  ck_assert_uint_le(moved, written);
}
END_TEST

START_TEST(a_burst_gives_its_memory_back) {
  for (const bool cleared : {false, true}) {
    Outbox outbox;
    append(outbox, std::string(std::size_t{32} << 20, 'x'));
    ck_assert_uint_ge(outbox.capacity(), std::size_t{32} << 20);
    if (cleared) {
      outbox.clear();
    } else {
      pass(outbox, outbox.size());
    }
    ck_assert_uint_le(outbox.capacity(), Outbox::kKept);
  }
}
END_TEST

START_TEST(a_burst_gives_its_memory_back_although_some_always_wait) {
  Outbox outbox;
  append(outbox, std::string(std::size_t{32} << 20, 'x'));
  while (outbox.capacity() > Outbox::kKept) {
    append(outbox, "x");
    pass(outbox, 1000);
    ck_assert_uint_gt(outbox.size(), 0);
  }
}
END_TEST

START_TEST(ordinary_memory_is_kept) {
  Outbox outbox;
  append(outbox, std::string(500000, 'x'));
  const std::size_t capacity = outbox.capacity();
  pass(outbox, 500000);
  ck_assert_uint_eq(outbox.capacity(), capacity);
}
END_TEST

START_TEST(a_ring_is_a_queue_whatever_comes_and_goes) {
  Ring<int> ring;
  std::deque<int> expected;
  unsigned random = 1;
  for (int i = 0; i < 100000; ++i) {
    random = random * 1664525 + 1013904223;
    const bool growing = (i / 2000) % 2 == 0;
    if ((random >> 16) % 10 < (growing ? 7U : 3U)) {
      ring.push(i);
      expected.push_back(i);
    } else if (!expected.empty()) {
      ck_assert_int_eq(ring.front(), expected.front());
      ring.pop();
      expected.pop_front();
    }
    ck_assert_uint_eq(ring.size(), expected.size());
    ck_assert_int_eq(ring.empty(), expected.empty());
    if (!expected.empty()) {
      const std::size_t any = random % expected.size();
      ck_assert_int_eq(ring[any], expected[any]);
    }
  }
}
END_TEST

const weir_test::Register kRegistered(
    "outbox",
    {gives_what_was_appended_in_order, keeps_what_is_written_until_it_is_answered,
     keeps_what_is_answered_until_it_is_written, written_and_answered_in_any_steps_it_loses_nothing,
     a_burst_gives_its_memory_back_although_some_always_wait,
     writing_more_than_there_is_counts_as_all, a_socket_that_is_always_behind_does_not_let_it_grow,
     each_byte_moves_at_most_once_on_average, a_burst_gives_its_memory_back,
     ordinary_memory_is_kept, a_ring_is_a_queue_whatever_comes_and_goes});

}  // namespace
