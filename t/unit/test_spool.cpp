#include <algorithm>
#include <utility>

#include "t/unit/spool_fixture.h"

using namespace spool_test;

namespace {

START_TEST(a_record_that_is_kept_comes_out_when_redis_is_ready) {
  House house;
  auto worker = house.worker();
  ck_assert(worker->status().can_take);
  ck_assert(worker->keep("one", 2) == true);
  ck_assert(worker->keep("two") == true);
  ck_assert_uint_eq(worker->status().spooled, 2);
  worker->pass(seconds(3));
  ck_assert(worker->redis.got.empty());
  ck_assert_uint_eq(worker->status().records, 2);
  ck_assert_uint_eq(worker->status().segments, 1);

  worker->pass(seconds(3), true);
  ck_assert(worker->redis.got == (std::vector<std::string>{"one", "two"}));
  ck_assert(worker->redis.got_replicas == (std::vector<int>{2, 0}));
  ck_assert(house.directory.segments().empty());
  const SpoolStatus status = worker->status();
  ck_assert_uint_eq(status.drained, 2);
  ck_assert_uint_eq(status.records, 0);
  ck_assert_uint_eq(status.drained_segments, 1);
  ck_assert_uint_eq(status.oldest_age, 0);
  ck_assert(!status.draining);
  ck_assert(worker->log.warnings.empty());
  ck_assert(worker->log.noted("2 records, 6 bytes"));
}
END_TEST

START_TEST(many_records_share_one_sync) {
  House house;
  auto worker = house.worker();
  std::vector<Client> clients(100);
  for (Client& client : clients) ck_assert(worker->spool->submit("record", client));
  ck_assert(worker->spool->busy());
  worker->background.run();
  for (const Client& client : clients) ck_assert(client.told == 1 && client.kept);
  ck_assert_uint_eq(worker->status().syncs, 1);
  ck_assert(!worker->spool->busy());
}
END_TEST

START_TEST(what_comes_while_a_sync_is_on_its_way_shares_the_next) {
  House house;
  auto worker = house.worker();
  std::vector<Client> clients(10);
  ck_assert(worker->spool->submit("first", clients[0]));
  worker->background.work_only();
  for (std::size_t i = 1; i < clients.size(); ++i) {
    ck_assert(worker->spool->submit("record", clients[i]));
  }
  worker->background.finish_one();
  ck_assert(clients[0].kept && clients[1].told == 0);
  worker->background.run();
  for (const Client& client : clients) ck_assert(client.told == 1 && client.kept);
  ck_assert_uint_eq(worker->status().syncs, 2);
}
END_TEST

START_TEST(small_batches_find_zeros_written_ahead_of_them) {
  House house;
  auto worker = house.worker();
  std::size_t& largest = worker->files.largest_write;
  ck_assert(worker->keep("first") == true);
  ck_assert_uint_gt(std::exchange(largest, 0), 60 << 10);  // the rest of the segment
  for (int i = 0; i < 10; ++i) ck_assert(worker->keep("record") == true);
  ck_assert_uint_lt(largest, 100);
  ck_assert_uint_eq(house.directory.read(house.directory.segments().front()).size(), 64 << 10);
  worker->pass(seconds(3), true);
  ck_assert_uint_eq(worker->redis.got.size(), 11);
}
END_TEST

START_TEST(a_large_batch_gets_no_zeros_ahead_of_it) {
  House house({"size=1g", "segment=64m"});
  auto worker = house.worker();
  const std::string record(100 << 10, 'r');
  ck_assert(worker->keep(record) == true);
  ck_assert_uint_lt(worker->files.largest_write, 101 << 10);
}
END_TEST

START_TEST(zeros_that_cannot_be_written_are_a_failure_like_others) {
  House house;
  auto worker = house.worker();
  worker->files.before = [&](const std::string& call) {
    // The header, the record in two pieces, the zeros.
    const bool zeros = call == "write" && worker->files.calls["write"] >= 3;
    worker->files.errors["write"] = zeros ? EIO : 0;
  };
  ck_assert(worker->keep("lost") == false);
  worker->files.before = nullptr;
  worker->files.errors.clear();
  worker->pass(seconds(2));
  ck_assert(worker->keep("kept") == true);
}
END_TEST

START_TEST(a_customer_may_submit_from_inside_its_answer) {
  House house;
  auto worker = house.worker();
  Client first, second;
  first.then = [&] { ck_assert(worker->spool->submit("second", second)); };
  ck_assert(worker->spool->submit("first", first));
  worker->background.run();
  ck_assert_int_eq(second.told, 1);
  ck_assert(second.kept);
}
END_TEST

START_TEST(nobody_is_told_before_the_sync) {
  House house;
  auto worker = house.worker();
  Client client;
  bool told_early = false;
  worker->files.before = [&](const std::string&) { told_early |= client.told > 0; };
  ck_assert(worker->spool->submit("record", client));
  worker->background.run();
  ck_assert(client.kept && !told_early);
  // A new file: it and its directory.
  ck_assert_int_eq(worker->files.calls["sync"], 2);
  ck_assert(worker->keep("another") == true);
  ck_assert_int_eq(worker->files.calls["sync"], 2);
  ck_assert_int_eq(worker->files.calls["sync_data"], 1);
}
END_TEST

START_TEST(a_dead_workers_records_are_sent_by_another) {
  House house;
  auto dead = house.worker();
  auto heir = house.worker();
  ck_assert(dead->keep("left") == true);
  heir->pass(seconds(3), true);
  ck_assert(heir->redis.got.empty());  // its owner lives
  ck_assert_uint_eq(heir->status().records, 1);
  dead->die();
  heir->pass(seconds(3), true);
  ck_assert(heir->redis.got == std::vector<std::string>{"left"});
  ck_assert(house.directory.segments().empty());
}
END_TEST

START_TEST(a_segment_is_taken_by_exactly_one) {
  House house;
  auto dead = house.worker();
  ck_assert(dead->keep("left") == true);
  dead->die();
  auto one = house.worker(), other = house.worker();
  for (int i = 0; i < 5; ++i) {
    one->pass(milliseconds(1000), true);
    other->pass(milliseconds(1000), true);
  }
  ck_assert_uint_eq(one->redis.got.size() + other->redis.got.size(), 1);
}
END_TEST

START_TEST(what_redis_does_not_take_is_offered_again) {
  House house;
  auto worker = house.worker();
  ck_assert(worker->keep("a") == true);
  ck_assert(worker->keep("b") == true);
  for (int i = 0; i < 100 && worker->redis.out.size() < 2; ++i) {
    house.now += milliseconds(5);
    worker->spool->tick(house.now, &worker->redis);
    worker->background.run();
  }
  ck_assert_uint_eq(worker->redis.out.size(), 2);
  worker->redis.answer(Outcome::refused);
  worker->spool->tick(house.now, &worker->redis);
  ck_assert(worker->redis.out.empty());  // not at once
  ck_assert_uint_eq(house.directory.segments().size(), 1);
  worker->pass(seconds(2), true);
  ck_assert(worker->redis.got == (std::vector<std::string>{"a", "b"}));
  ck_assert(house.directory.segments().empty());
}
END_TEST

START_TEST(dying_in_mid_drain_sends_the_segment_again) {
  House house;
  auto dead = house.worker();
  for (const char* record : {"a", "b", "c"}) ck_assert(dead->keep(record) == true);
  dead->redis.room = 2;
  for (int i = 0; i < 100 && dead->redis.out.size() < 2; ++i) {
    house.now += milliseconds(5);
    dead->spool->tick(house.now, &dead->redis);
    dead->background.run();
  }
  dead->redis.answer();
  dead->die();
  auto heir = house.worker();
  heir->pass(seconds(3), true);
  ck_assert(heir->redis.got == (std::vector<std::string>{"a", "b", "c"}));
}
END_TEST

START_TEST(a_record_larger_than_a_segment_gets_through) {
  House house({"size=64m", "segment=64k"});
  auto worker = house.worker();
  const std::string large(30 << 20, 'x');
  ck_assert(worker->keep("before") == true);
  ck_assert(worker->keep(large) == true);
  ck_assert(worker->keep("after") == true);
  worker->pass(seconds(30), true);
  ck_assert_uint_eq(worker->redis.got.size(), 3);
  ck_assert_str_eq(worker->redis.got[0].c_str(), "before");
  ck_assert(worker->redis.got[1] == large);
  ck_assert_str_eq(worker->redis.got[2].c_str(), "after");
  ck_assert(house.directory.segments().empty());
}
END_TEST

START_TEST(a_record_that_no_segment_can_hold_is_refused_at_once) {
  House house;
  auto worker = house.worker();
  Client client;
  ck_assert(!worker->spool->submit(std::string(1 << 20, 'x'), client));
  ck_assert_int_eq(client.told, 0);
  ck_assert_uint_eq(worker->status().refused, 1);
  ck_assert(worker->status().can_take);
  ck_assert(worker->keep("small") == true);
}
END_TEST

START_TEST(records_fill_one_segment_after_the_other) {
  House house;
  auto worker = house.worker();
  const std::string record(10'000, 'r');
  std::vector<Client> clients(30);
  for (Client& client : clients) ck_assert(worker->spool->submit(record, client));
  worker->background.run();
  for (const Client& client : clients) ck_assert(client.kept);
  ck_assert_uint_gt(house.directory.segments().size(), 3);
  worker->pass(seconds(5), true);
  ck_assert_uint_eq(worker->redis.got.size(), 30);
}
END_TEST

START_TEST(what_waits_for_a_sync_is_bounded) {
  House house({"size=1g"});
  auto worker = house.worker();
  const std::string record(1 << 20, 'r');
  std::vector<Client> clients(100);
  std::size_t taken = 0;
  while (taken < clients.size() && worker->spool->submit(record, clients[taken])) ++taken;
  ck_assert_uint_eq(taken, 63);  // less than 64 MiB, with what stands around them
  worker->background.run();
  for (std::size_t i = 0; i < clients.size(); ++i) ck_assert_int_eq(clients[i].told, i < taken);
  ck_assert(worker->keep("again") == true);
}
END_TEST

START_TEST(the_number_of_those_that_wait_is_bounded) {
  House house({"size=1g"});
  auto worker = house.worker();
  Client client;
  std::size_t taken = 0;
  while (taken < 100'000 && worker->spool->submit("", client)) ++taken;
  ck_assert_uint_eq(taken, Spool::kMostWaiting);
  worker->background.run();
  ck_assert_int_eq(client.told, static_cast<int>(taken));
}
END_TEST

START_TEST(without_a_thread_nothing_is_taken) {
  House house;
  auto worker = house.worker();
  worker->background.threads = false;
  Client client;
  ck_assert(!worker->spool->submit("record", client));
  worker->pass(seconds(2), true);
  worker->background.threads = true;
  ck_assert_int_eq(client.told, 0);
  ck_assert(worker->keep("record") == true);
}
END_TEST

START_TEST(the_end_of_a_worker_changes_no_file) {
  House house;
  auto worker = house.worker();
  ck_assert(worker->keep("record") == true);
  const std::string before = house.directory.read(house.directory.segments().front());
  worker->die();
  ck_assert_uint_eq(house.directory.segments().size(), 1);
  ck_assert(house.directory.read(house.directory.segments().front()) == before);
}
END_TEST

START_TEST(a_worker_that_leaves_lets_others_have_what_it_holds) {
  House house;
  auto old = house.worker();
  auto heir = house.worker();
  for (const char* record : {"a", "b"}) ck_assert(old->keep(record) == true);
  old->redis.room = 1;
  for (int i = 0; i < 100 && old->redis.out.empty(); ++i) {
    house.now += milliseconds(5);
    old->spool->tick(house.now, &old->redis);
    old->background.run();
  }
  ck_assert(old->keep("c") == true);
  old->spool->leave();
  old->spool->tick(house.now, &old->redis);
  heir->pass(seconds(2), true);
  ck_assert(heir->redis.got.empty());  // one is on its way
  old->redis.answer();
  old->pass(seconds(2), true);
  heir->pass(seconds(3), true);
  ck_assert(heir->redis.got == (std::vector<std::string>{"a", "b", "c"}));
  ck_assert(old->keep("d") == true);
  old->pass(seconds(2), true);
  heir->pass(seconds(2), true);
  ck_assert_str_eq(heir->redis.got.back().c_str(), "d");
}
END_TEST

START_TEST(live_segments_are_closed_only_now_and_then_while_redis_is_slow) {
  House house;
  auto worker = house.worker();
  int kept = 0;
  for (int i = 0; i < 200; ++i) {
    kept += worker->keep("late") == true;
    worker->pass(milliseconds(10), true);
  }
  worker->pass(seconds(3), true);
  ck_assert_int_eq(kept, 200);
  ck_assert_uint_eq(worker->redis.got.size(), 200);
  ck_assert_uint_le(worker->status().drained_segments, 9);
}
END_TEST

const weir_test::Register kRegistered(
    "spool", {a_record_that_is_kept_comes_out_when_redis_is_ready,
              many_records_share_one_sync,
              what_comes_while_a_sync_is_on_its_way_shares_the_next,
              small_batches_find_zeros_written_ahead_of_them,
              a_large_batch_gets_no_zeros_ahead_of_it,
              zeros_that_cannot_be_written_are_a_failure_like_others,
              a_customer_may_submit_from_inside_its_answer,
              nobody_is_told_before_the_sync,
              a_dead_workers_records_are_sent_by_another,
              a_segment_is_taken_by_exactly_one,
              what_redis_does_not_take_is_offered_again,
              dying_in_mid_drain_sends_the_segment_again,
              a_record_larger_than_a_segment_gets_through,
              a_record_that_no_segment_can_hold_is_refused_at_once,
              records_fill_one_segment_after_the_other,
              what_waits_for_a_sync_is_bounded,
              the_number_of_those_that_wait_is_bounded,
              without_a_thread_nothing_is_taken,
              the_end_of_a_worker_changes_no_file,
              a_worker_that_leaves_lets_others_have_what_it_holds,
              live_segments_are_closed_only_now_and_then_while_redis_is_slow});

}  // namespace
