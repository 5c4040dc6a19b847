// Whatever the disk does: never a false true, never over the limit, and it goes on by itself.
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <new>
#include <utility>

#include "t/unit/spool_fixture.h"

using namespace spool_test;

namespace {

std::uint64_t size_on_disk(const TempDirectory& directory) {
  std::uint64_t bytes = 0;
  std::error_code gone;
  struct stat status {};
  if (::stat(directory.path.c_str(), &status) == 0) {
    bytes += static_cast<std::uint64_t>(std::max<off_t>(status.st_size, status.st_blocks * 512));
  }
  for (const auto& entry : std::filesystem::directory_iterator(directory.path, gone)) {
    if (::lstat(entry.path().c_str(), &status) != 0) continue;
    bytes += static_cast<std::uint64_t>(std::max<off_t>(status.st_size, status.st_blocks * 512));
  }
  return bytes;
}

// A worker that has failed says so, takes nothing, and asks the disk seldom.
void assert_fails(Worker& worker, const std::string& why) {
  const SpoolStatus status = worker.status();
  ck_assert(!status.can_take);
  ck_assert_msg(std::string(status.why).find(why) != std::string::npos, "it says: %s", status.why);
  Client client;
  ck_assert(!worker.spool->submit("refused", client));
  ck_assert_int_eq(client.told, 0);
}

void assert_recovers(Worker& worker) {
  worker.pass(milliseconds(1100));
  ck_assert(worker.status().can_take);
  ck_assert_str_eq(worker.status().why, "");
  ck_assert(worker.keep("again") == true);
  worker.pass(seconds(2));
  ck_assert(worker.log.noted("takes records again"));
}

START_TEST(it_is_never_larger_than_its_size) {
  House house;
  std::vector<std::unique_ptr<Worker>> workers;
  std::uint64_t most = 0;
  const auto watch = [&](Worker& worker) {
    worker.files.before = [&](const std::string&) {
      most = std::max(most, size_on_disk(house.directory));
    };
  };
  for (int i = 0; i < 3; ++i) {
    workers.push_back(house.worker());
    watch(*workers.back());
  }
  const std::string record(7'000, 'r');
  int kept = 0, refused = 0;
  for (int i = 0; i < 300; ++i) {
    (workers[i % 3]->keep(record) == true ? kept : refused) += 1;
    if (i == 100) {
      workers[0]->die();
      workers[0] = house.worker();
      watch(*workers[0]);
    }
  }
  ck_assert_int_gt(kept, 90);
  ck_assert_int_gt(refused, 0);
  ck_assert_uint_le(most, house.settings.size);
  for (auto& worker : workers) assert_fails(*worker, "as large as its size= allows");
  // A full one costs nothing, and takes records again once another worker has sent some away.
  for (int i = 0; i < 20; ++i) workers[0]->pass(milliseconds(1000), true);
  workers[1]->pass(milliseconds(1100));
  ck_assert(workers[1]->status().can_take);
  ck_assert(workers[1]->keep(record) == true);
  ck_assert_uint_le(most, house.settings.size);
}
END_TEST

START_TEST(a_full_spool_asks_the_disk_about_once_a_second) {
  House house;
  auto worker = house.worker();
  while (worker->keep(std::string(50'000, 'r')) == true) continue;
  worker->pass(seconds(5));
  worker->files.calls.clear();
  Client client;
  for (int i = 0; i < 10'000; ++i) ck_assert(!worker->spool->submit("refused", client));
  ck_assert(worker->files.calls.empty());
  worker->pass(seconds(10));
  ck_assert_int_le(worker->files.calls["open"], 500);
  ck_assert_uint_le(worker->log.warnings.size(), 2);
}
END_TEST

START_TEST(room_is_left_to_others_on_the_file_system) {
  House house({"size=1m", "free=8m"});
  auto worker = house.worker();
  worker->files.available = 8 << 20;
  ck_assert(worker->keep("record") == false);
  assert_fails(*worker, "free=");
  worker->files.available = 9 << 20;
  assert_recovers(*worker);
}
END_TEST

START_TEST(a_small_file_system_is_not_all_left_to_others) {
  House house;
  auto worker = house.worker();
  worker->files.available = 2 << 20;  // a twentieth of it is less than 64 MiB
  ck_assert(worker->keep("record") == true);
}
END_TEST

struct Failure {
  const char* call;
  int error;
  const char* why;
};

START_TEST(no_new_segment_means_no_record_until_one_can_be_made) {
  const Failure kFailures[] = {
      {"create", EROFS, "its file system is read-only"},
      {"create", EACCES, "belongs to another user"},
      {"create", ENOSPC, "its disk is full"},
      {"create", EMFILE, "too many files are open"},
      {"open", EACCES, "belongs to another user"},
      {"list", EIO, "its disk fails"},
      {"reserve", ENOSPC, "its disk is full"},
      {"reserve", EDQUOT, "quota"},
      {"space", EIO, "its disk fails"},
  };
  for (const Failure& failure : kFailures) {
    House house;
    auto worker = house.worker();
    worker->files.errors[failure.call] = failure.error;
    ck_assert_msg(worker->keep("record") == false, "%s", failure.call);
    assert_fails(*worker, failure.why);
    worker->pass(seconds(3));
    assert_fails(*worker, failure.why);
    ck_assert(worker->log.warned(std::string("takes no records: ")));
    worker->files.errors.clear();
    assert_recovers(*worker);
    ck_assert_uint_eq(house.directory.segments().size(), 1);
  }
}
END_TEST

START_TEST(a_write_or_sync_that_fails_is_told_and_its_segment_left) {
  for (const Failure& failure : {Failure{"write", ENOSPC, ""}, Failure{"write", EIO, ""},
                                 Failure{"sync_data", EIO, ""}, Failure{"sync_data", ENOSPC, ""}}) {
    House house;
    auto worker = house.worker();
    ck_assert(worker->keep("kept") == true);
    const std::string segment = house.directory.segments().front();
    worker->files.errors[failure.call] = failure.error;
    Client client;
    ck_assert(worker->spool->submit("not kept", client));
    worker->background.run_one();
    worker->files.errors.clear();
    ck_assert(client.told == 1 && !client.kept);
    worker->background.run();
    // The next goes to another segment, at once.
    ck_assert(worker->keep("next") == true);
    ck_assert_uint_eq(house.directory.segments().size(), 2);
    ck_assert(worker->status().can_take);
    // What was told to nobody was cut.
    ck_assert_uint_eq(house.directory.read(segment).size(), 64 + 20 + 4);
    worker->pass(seconds(3), true);
    ck_assert(worker->redis.got == (std::vector<std::string>{"kept", "next"}));
    ck_assert(worker->log.warned("begins another"));
    ck_assert(worker->log.warned(failure.error == EIO ? "Input/output error" : "No space left"));
  }
}
END_TEST

START_TEST(zeros_that_find_no_room_refuse_no_record) {
  House house;
  auto worker = house.worker();
  worker->files.no_room_for_zeros = true;
  ck_assert(worker->keep("one") == true);
  ck_assert(worker->keep("two") == true);
  ck_assert_int_eq(worker->files.calls["zeros"], 1);
  ck_assert(worker->log.warnings.empty());
  ck_assert_uint_eq(house.directory.segments().size(), 1);
  worker->pass(seconds(2), true);
  ck_assert(worker->redis.got == (std::vector<std::string>{"one", "two"}));
}
END_TEST

START_TEST(a_segment_whose_sync_failed_is_never_synced_again) {
  House house;
  auto worker = house.worker();
  ck_assert(worker->keep("kept") == true);
  worker->files.errors["sync_data"] = EIO;
  ck_assert(worker->keep("not kept") == false);
  worker->files.errors.clear();
  worker->files.calls.clear();
  ck_assert(worker->keep("next") == true);
  ck_assert(worker->keep("next") == true);
  // Both to the segment that followed.
  ck_assert_uint_eq(house.directory.segments().size(), 2);
  ck_assert_int_eq(worker->files.calls["sync_data"], 2);
}
END_TEST

START_TEST(a_directory_that_cannot_be_synced_keeps_nothing) {
  for (const char* call : {"sync", "directory"}) {
    House house;
    auto worker = house.worker();
    worker->files.errors[call] = EIO;
    ck_assert(worker->keep("record") == false);
    assert_fails(*worker, "its disk fails");
    ck_assert(house.directory.segments().empty());
    worker->files.errors.clear();
    assert_recovers(*worker);
  }
}
END_TEST

START_TEST(all_that_wait_are_told_when_it_fails) {
  House house;
  auto worker = house.worker();
  worker->files.errors["create"] = EROFS;
  std::vector<Client> clients(50);
  for (Client& client : clients) ck_assert(worker->spool->submit("record", client));
  worker->background.run();
  for (const Client& client : clients) ck_assert(client.told == 1 && !client.kept);
  ck_assert(!worker->spool->busy());
  ck_assert_uint_eq(worker->status().refused, 50);
}
END_TEST

START_TEST(a_missing_directory_is_waited_for) {
  House house;
  std::filesystem::remove(house.directory.path);
  auto worker = house.worker();
  ck_assert(!worker->status().can_take);
  ck_assert_str_eq(worker->status().why, "its directory is missing");
  ck_assert(worker->keep("record") == false);
  assert_fails(*worker, "its directory is missing");
  std::filesystem::create_directory(house.directory.path);
  assert_recovers(*worker);
}
END_TEST

START_TEST(a_directory_that_was_removed_or_moved_away_keeps_nothing) {
  for (const bool moved : {false, true}) {
    House house;
    auto worker = house.worker();
    ck_assert(worker->keep("record") == true);
    const std::string away = house.directory.path + ".away";
    if (moved) {
      std::filesystem::rename(house.directory.path, away);
    } else {
      std::filesystem::remove_all(house.directory.path);
    }
    ck_assert(worker->keep("into nowhere") == false);
    worker->pass(seconds(1));
    assert_fails(*worker, "its directory is missing");
    std::filesystem::create_directory(house.directory.path);
    assert_recovers(*worker);
    std::filesystem::remove_all(away);
  }
}
END_TEST

START_TEST(a_directory_that_may_not_be_written_is_seen_before_a_record_comes) {
  House house;
  auto worker = house.worker();
  worker->files.errors["may_write"] = EROFS;
  worker->pass(seconds(2));
  ck_assert(!worker->status().can_take);
  ck_assert_str_eq(worker->status().why, "its file system is read-only");
  worker->files.errors.clear();
  worker->pass(seconds(2));
  ck_assert(worker->status().can_take);
}
END_TEST

START_TEST(a_file_system_that_cannot_reserve_gets_zeros) {
  House house;
  auto worker = house.worker();
  worker->files.errors["reserve"] = EOPNOTSUPP;
  ck_assert(worker->keep("record") == true);
  ck_assert_uint_eq(house.directory.read(house.directory.segments().front()).size(), 64 << 10);
  worker->pass(seconds(2), true);
  ck_assert(worker->redis.got == std::vector<std::string>{"record"});
}
END_TEST

START_TEST(a_file_that_may_not_grow_is_a_failure_like_others) {
  House house;
  auto worker = house.worker();
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{}, small{};
  getrlimit(RLIMIT_FSIZE, &before);
  small = before;
  small.rlim_cur = 10'000;
  ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
  ck_assert(worker->keep("record") == false);
  assert_fails(*worker, "may not become that large");
  ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
  assert_recovers(*worker);
}
END_TEST

START_TEST(a_lock_that_another_holds_for_long_is_not_waited_for) {
  House house;
  auto worker = house.worker();
  const int fd = ::open((house.directory.path + "/lock").c_str(), O_RDWR | O_CREAT, 0600);
  ck_assert_int_eq(::flock(fd, LOCK_EX), 0);
  ck_assert(worker->keep("record") == false);
  assert_fails(*worker, "another process holds the lock");
  ck_assert_int_le(worker->files.calls["pause"], 100);
  ::close(fd);
  assert_recovers(*worker);
}
END_TEST

START_TEST(a_lock_file_that_was_removed_keeps_nobody_apart_or_away) {
  House house;
  auto worker = house.worker();
  const int fd = ::open((house.directory.path + "/lock").c_str(), O_RDWR | O_CREAT, 0600);
  ck_assert_int_eq(::flock(fd, LOCK_EX), 0);
  int opened = 0;
  worker->files.before = [&](const std::string& call) {
    // Removed between the opening and the locking, by hand.
    if (call == "open" && ++opened == 2) ::unlink((house.directory.path + "/lock").c_str());
  };
  ck_assert(worker->keep("record") != std::nullopt);
  ::unlink((house.directory.path + "/lock").c_str());
  worker->pass(seconds(2));
  ck_assert(worker->keep("record") == true);
  ::close(fd);
}
END_TEST

START_TEST(a_record_that_no_thread_comes_to_is_told_so) {
  House house;
  auto worker = house.worker();
  ck_assert(worker->keep("before") == true);
  Client client, behind;
  ck_assert(worker->spool->submit("waits", client));
  worker->background.refuse_one();
  ck_assert(client.told == 1 && !client.kept);
  ck_assert(!worker->spool->submit("at once", behind));
  assert_fails(*worker, "none of the web server's threads has had time for it");
  ck_assert(worker->log.warned("takes no records: none of the web server's threads"));
  assert_recovers(*worker);
  ck_assert_uint_eq(house.directory.segments().size(), 1);
}
END_TEST

START_TEST(a_drain_that_no_thread_comes_to_begins_again) {
  House house;
  auto worker = house.worker();
  ck_assert(worker->keep("record") == true);
  for (int steps = 0; steps < 6; ++steps) {  // each of what a drain does waits in vain, once
    for (int i = 0; i < steps && worker->background.started() > 0; ++i) {
      worker->background.run_one();
    }
    if (worker->background.started() > 0) worker->background.refuse_one();
    worker->now += seconds(2);
    worker->spool->tick(worker->now, &worker->redis);
  }
  worker->pass(seconds(5), true);
  ck_assert(worker->redis.got == std::vector<std::string>{"record"});
  ck_assert(house.directory.segments().empty());
  ck_assert(worker->spool->status().can_take);
}
END_TEST

START_TEST(a_drain_that_finds_no_memory_begins_again) {
  House house;
  auto worker = house.worker();
  ck_assert(worker->keep("record") == true);
  int reads = 0;
  worker->files.before = [&](const std::string& call) {
    if (call == "read" && ++reads > 0) throw std::bad_alloc();
  };
  worker->pass(seconds(5), true);
  ck_assert_int_ge(reads, 2);
  ck_assert_int_le(reads, 6);  // one a second, not one after the other
  worker->files.before = nullptr;
  worker->pass(seconds(5), true);
  ck_assert(worker->redis.got == std::vector<std::string>{"record"});
  ck_assert(house.directory.segments().empty());
}
END_TEST

START_TEST(a_failing_disk_says_so_at_most_once_a_second) {
  House house;
  auto worker = house.worker();
  const Time began = house.now;
  for (int i = 0; i < 200; ++i) {
    worker->files.errors["sync_data"] = i % 2 == 0 ? EIO : 0;
    static_cast<void>(worker->keep("record"));
    worker->pass(milliseconds(10));
  }
  const auto seconds_passed = std::chrono::duration_cast<seconds>(house.now - began).count();
  const auto lines = worker->log.warnings.size() + worker->log.notes.size();
  ck_assert_uint_le(lines, static_cast<std::size_t>(seconds_passed) + 1);
  ck_assert_uint_ge(lines, 1);
}
END_TEST

const weir_test::Register kRegistered(
    "spool_faults", {it_is_never_larger_than_its_size,
                     a_full_spool_asks_the_disk_about_once_a_second,
                     room_is_left_to_others_on_the_file_system,
                     a_small_file_system_is_not_all_left_to_others,
                     no_new_segment_means_no_record_until_one_can_be_made,
                     a_write_or_sync_that_fails_is_told_and_its_segment_left,
                     zeros_that_find_no_room_refuse_no_record,
                     a_segment_whose_sync_failed_is_never_synced_again,
                     a_directory_that_cannot_be_synced_keeps_nothing,
                     all_that_wait_are_told_when_it_fails,
                     a_missing_directory_is_waited_for,
                     a_directory_that_was_removed_or_moved_away_keeps_nothing,
                     a_directory_that_may_not_be_written_is_seen_before_a_record_comes,
                     a_file_system_that_cannot_reserve_gets_zeros,
                     a_file_that_may_not_grow_is_a_failure_like_others,
                     a_lock_that_another_holds_for_long_is_not_waited_for,
                     a_lock_file_that_was_removed_keeps_nobody_apart_or_away,
                     a_record_that_no_thread_comes_to_is_told_so,
                     a_drain_that_no_thread_comes_to_begins_again,
                     a_drain_that_finds_no_memory_begins_again,
                     a_failing_disk_says_so_at_most_once_a_second});

}  // namespace
