// What a crash, a disk or an operator left in the directory.
#include <algorithm>
#include <cstring>
#include <filesystem>
#include <random>

#include "core/spool/format.h"
#include "core/spool/name.h"
#include "t/unit/spool_fixture.h"

using namespace spool_test;

namespace {

using Records = std::vector<std::string>;

// The segment of a worker that died after it had kept `records`.
std::string left_behind(House& house, const Records& records) {
  auto dead = house.worker();
  for (const std::string& record : records) ck_assert(dead->keep(record) == true);
  const std::string name = house.directory.segments().back();
  dead->die();
  return name;
}

std::size_t frame(const std::string& record) { return kFrameHeaderSize + record.size(); }

START_TEST(a_torn_tail_is_cut_counted_and_told) {
  House house;
  const std::string name = left_behind(house, {"one", "two"});
  // The next record, of which only the first bytes were written.
  std::string bytes = house.directory.read(name);
  const std::size_t end = kSegmentHeaderSize + 2 * frame("one");
  bytes.replace(end, 12, bytes.substr(kSegmentHeaderSize, 12));
  house.directory.write(name, bytes);
  auto heir = house.worker();
  heir->pass(seconds(4), true);
  ck_assert(heir->redis.got == (Records{"one", "two"}));
  ck_assert_uint_eq(heir->status().torn_tails, 1);
  ck_assert_uint_eq(heir->status().corrupt, 0);
  ck_assert(heir->log.warned("torn tail"));
  ck_assert(house.directory.segments().empty());
  ck_assert(house.directory.names(".bad").empty());
}
END_TEST

// Its records had been acknowledged: that they are gone must not pass for a write that nobody was
// told of.
START_TEST(a_segment_that_was_cut_short_gives_what_is_whole_and_the_rest_is_damage) {
  const std::size_t whole = kSegmentHeaderSize + 2 * frame("one");
  for (std::size_t end = whole - frame("two"); end < whole; ++end) {
    House house;
    const std::string name = left_behind(house, {"one", "two"});
    std::filesystem::resize_file(house.directory.path + '/' + name, end);
    auto heir = house.worker();
    heir->pass(seconds(4), true);
    ck_assert(heir->redis.got == Records{"one"});
    ck_assert_uint_eq(heir->status().torn_tails, 0);
    ck_assert_uint_eq(heir->status().corrupt, 1);
    ck_assert(heir->log.warned("damage in " + name));
    ck_assert(house.directory.segments().empty());
    const bool has_rest = end > whole - frame("two");
    ck_assert_uint_eq(house.directory.names(".bad").size(), has_rest ? 1 : 0);
  }
}
END_TEST

START_TEST(a_record_that_redis_never_takes_is_set_aside_as_a_segment_that_can_come_back) {
  House house;
  const std::string large(2000, 'l'), larger(3000, 'r');
  const std::string name = left_behind(house, {"one", large, "two", larger, "three"});
  auto heir = house.worker();
  heir->redis.longest = 1000;
  heir->pass(seconds(60), true);
  Records got = heir->redis.got;
  ck_assert_msg(got == (Records{"one", "two", "three"}), "%zu", got.size());
  ck_assert_uint_eq(heir->status().unfit, 2);
  ck_assert_uint_eq(heir->status().corrupt, 0);
  ck_assert(heir->log.warned("2 records of up to 3000 bytes that Redis refuses as too long"));
  ck_assert(heir->log.warned(refused_name(name)));
  ck_assert(house.directory.segments().empty());
  ck_assert_uint_eq(house.directory.names(".refused").size(), 1);
  std::filesystem::rename(house.directory.path + '/' + refused_name(name),
                          house.directory.path + "/again.spool");
  heir->redis.longest = SIZE_MAX;
  heir->pass(seconds(4), true);
  got = heir->redis.got;
  ck_assert(got == (Records{"one", "two", "three", large, larger}));
  ck_assert_uint_eq(heir->status().corrupt + heir->status().torn_tails, 0);
  ck_assert(house.directory.segments().empty());
}
END_TEST

START_TEST(what_is_set_aside_can_get_its_name_back_before_its_segment_is_removed) {
  House house;
  const std::string large(2000, 'l');
  left_behind(house, {"one", large});
  auto heir = house.worker();
  heir->redis.longest = 1000;
  heir->files.before = [&](const std::string& call) {
    if (call != "remove") return;
    for (const std::string& name : house.directory.names(".refused")) {
      heir->redis.longest = SIZE_MAX;
      const std::string path = house.directory.path + '/' + name;
      std::filesystem::rename(path, path.substr(0, path.size() - std::strlen(".refused")));
    }
  };
  heir->pass(seconds(60), true);
  ck_assert(heir->redis.got == (Records{"one", large}));
  ck_assert(house.directory.segments().empty());
}
END_TEST

START_TEST(what_redis_never_takes_is_kept_while_there_is_no_room_to_set_it_aside) {
  House house;
  left_behind(house, {"one", std::string(2000, 'l')});
  auto heir = house.worker();
  heir->redis.longest = 1000;
  heir->files.available = 0;
  heir->pass(seconds(20), true);
  ck_assert_uint_eq(house.directory.segments().size(), 1);
  ck_assert(house.directory.names(".refused").empty());
  heir->files.available.reset();
  heir->pass(seconds(4), true);
  ck_assert(house.directory.segments().empty());
  ck_assert_uint_eq(house.directory.names(".refused").size(), 1);
  ck_assert(heir->redis.got == Records{"one"});
}
END_TEST

START_TEST(a_corrupt_record_is_set_aside_and_the_rest_is_read_on) {
  House house;
  const std::string name = left_behind(house, {"one", "two", "three"});
  std::string bytes = house.directory.read(name);
  const std::size_t second = kSegmentHeaderSize + frame("one");
  bytes[second + kFrameHeaderSize] = 'T';
  house.directory.write(name, bytes);
  auto heir = house.worker();
  heir->pass(seconds(4), true);
  ck_assert(heir->redis.got == (Records{"one", "three"}));
  ck_assert_uint_eq(heir->status().corrupt, 1);
  ck_assert_uint_eq(heir->status().torn_tails, 0);
  ck_assert(heir->log.warned("damage in " + name));
  ck_assert(house.directory.segments().empty());
  ck_assert(house.directory.read(name + ".bad") == bytes.substr(second, frame("two")));
}
END_TEST

START_TEST(a_corrupt_length_costs_one_record) {
  House house;
  const std::string name = left_behind(house, {"one", "two", "three"});
  std::string bytes = house.directory.read(name);
  bytes[kSegmentHeaderSize + 5] = '\x7f';
  house.directory.write(name, bytes);
  auto heir = house.worker();
  heir->pass(seconds(4), true);
  ck_assert(heir->redis.got == (Records{"two", "three"}));
  ck_assert_uint_eq(heir->status().corrupt, 1);
}
END_TEST

START_TEST(a_last_record_that_was_synced_is_no_torn_tail) {
  House house;
  const std::string name = left_behind(house, {"one", "two"});
  std::string bytes = house.directory.read(name);
  bytes[kSegmentHeaderSize + frame("one") + kFrameHeaderSize] = 'T';
  house.directory.write(name, bytes);
  auto heir = house.worker();
  heir->pass(seconds(4), true);
  ck_assert(heir->redis.got == Records{"one"});
  ck_assert_uint_eq(heir->status().corrupt, 1);
  ck_assert_uint_eq(house.directory.names(".bad").size(), 1);
}
END_TEST

START_TEST(what_cannot_be_set_aside_keeps_its_segment_until_it_can) {
  House house;
  const std::string name = left_behind(house, {"one", "two", "three"});
  std::string bytes = house.directory.read(name);
  bytes[kSegmentHeaderSize + frame("one") + kFrameHeaderSize] = 'T';
  house.directory.write(name, bytes);
  auto heir = house.worker();
  heir->files.errors["write"] = ENOSPC;
  heir->pass(seconds(10), true);
  ck_assert(heir->redis.got == (Records{"one", "three"}));  // once
  ck_assert_uint_eq(house.directory.segments().size(), 1);
  ck_assert(house.directory.names(".bad").empty());
  ck_assert_uint_eq(heir->status().left_alone, 1);
  heir->files.errors.clear();
  heir->pass(seconds(3), true);
  ck_assert(house.directory.segments().empty());
  ck_assert_uint_eq(house.directory.names(".bad").size(), 1);
  ck_assert_uint_eq(heir->redis.got.size(), 2);
}
END_TEST

START_TEST(a_segment_that_cannot_be_removed_is_not_sent_again) {
  House house;
  left_behind(house, {"one"});
  left_behind(house, {"two"});
  auto heir = house.worker();
  auto other = house.worker();
  heir->files.errors["remove"] = EACCES;
  heir->pass(seconds(130), true);
  ck_assert(heir->redis.got == (Records{"one", "two"}));
  ck_assert_uint_eq(heir->status().left_alone, 2);
  ck_assert_uint_eq(heir->status().oldest_age, 0);
  ck_assert_uint_eq(heir->status().segments, 0);
  ck_assert(heir->log.warned("cannot remove a segment"));
  ck_assert_uint_le(heir->log.warnings.size(), 2 + 3);
  other->pass(seconds(5), true);
  ck_assert(other->redis.got.empty());
  heir->files.errors.clear();
  heir->pass(seconds(3), true);
  ck_assert(house.directory.segments().empty());
  ck_assert_uint_eq(heir->status().left_alone, 0);
}
END_TEST

START_TEST(a_segment_that_cannot_be_read_is_left_for_a_minute) {
  House house;
  left_behind(house, {"one"});
  auto heir = house.worker();
  heir->files.errors["read"] = EIO;
  heir->pass(seconds(30), true);
  ck_assert_int_le(heir->files.calls["read"], 2);
  ck_assert_uint_eq(heir->status().left_alone, 1);
  ck_assert_uint_eq(heir->status().segments, 0);
  ck_assert(heir->log.warned("cannot be read"));
  heir->files.errors.clear();
  left_behind(house, {"two"});
  heir->pass(seconds(3), true);
  ck_assert(heir->redis.got == Records{"two"});  // it blocks no other
  heir->pass(seconds(60), true);
  ck_assert(heir->redis.got == (Records{"two", "one"}));
}
END_TEST

START_TEST(a_directory_whose_lock_another_holds_is_drained_later_and_says_so) {
  House house;
  left_behind(house, {"one"});
  auto heir = house.worker();
  const int fd = ::open((house.directory.path + "/lock").c_str(), O_RDWR | O_CREAT, 0600);
  ck_assert_int_eq(::flock(fd, LOCK_EX), 0);
  heir->pass(seconds(5), true);
  ck_assert(heir->redis.got.empty());
  ck_assert(heir->log.warned("cannot be drained: another process holds the lock"));
  ck_assert_uint_eq(heir->log.warnings.size(), 1);
  ::close(fd);
  heir->pass(seconds(3), true);
  ck_assert(heir->redis.got == Records{"one"});
}
END_TEST

START_TEST(an_unknown_header_is_left_alone_and_blocks_nobody) {
  House house;
  SegmentHeader newer;
  newer.version = kSpoolVersion + 1;
  const auto header = encode_segment_header(newer);
  house.directory.write("0000000000000001-1.spool", {header.data(), header.size()});
  house.directory.write("0000000000000002-1.spool", "not a segment at all, and short");
  house.directory.write("0000000000000003-1.spool", std::string(200, 'x'));
  house.directory.write("0000000000000004-1.spool", std::string(64, '\0') + "a record, perhaps");
  left_behind(house, {"one"});
  auto heir = house.worker();
  heir->pass(seconds(130), true);
  ck_assert(heir->redis.got == Records{"one"});
  ck_assert_uint_eq(house.directory.segments().size(), 4);
  const SpoolStatus status = heir->status();
  ck_assert_uint_eq(status.left_alone, 4);
  ck_assert_uint_eq(status.segments, 0);
  ck_assert_uint_eq(status.oldest_age, 0);
  ck_assert(status.can_take && !status.draining);
  ck_assert(
      heir->log.warned("leaves 4 segments alone; 0000000000000001-1.spool: it was written by "
                       "a newer Weir"));
  ck_assert_uint_le(heir->log.warnings.size(), 3);  // once a minute
}
END_TEST

START_TEST(a_segment_in_which_nothing_was_written_goes) {
  House house;
  house.directory.write("0000000000000001-1.spool", "");
  house.directory.write("0000000000000002-1.spool", std::string(70'000, '\0'));
  auto worker = house.worker();
  worker->pass(seconds(3), true);
  ck_assert(house.directory.segments().empty());
  ck_assert(worker->redis.got.empty());
  ck_assert(worker->log.warnings.empty());
}
END_TEST

// As logrotate's copytruncate does it. Its header is gone with the rest, so nobody would find what
// is written behind that.
START_TEST(nothing_is_kept_in_a_segment_that_was_shortened_meanwhile) {
  House house;
  auto worker = house.worker();
  ck_assert(worker->keep("one") == true);
  const std::string name = house.directory.segments().back();
  std::filesystem::resize_file(house.directory.path + '/' + name, 0);
  ck_assert(worker->keep("two") == false);
  ck_assert(worker->log.warned("begins another: somebody shortened a file in it"));
  worker->pass(seconds(1), false);
  ck_assert(worker->keep("three") == true);
  worker->pass(seconds(4), true);
  ck_assert(worker->redis.got == Records{"three"});
}
END_TEST

// Reading it would hold up the drain, and whoever makes a segment, for as long as that takes.
START_TEST(a_file_of_holes_that_is_larger_than_a_segment_holds_nothing_up) {
  House house;
  left_behind(house, {"one", "two"});
  const std::string name = "0000000000000001-1.spool";
  house.directory.write(name, "");
  std::filesystem::resize_file(house.directory.path + '/' + name, std::uintmax_t{1} << 42);
  auto heir = house.worker();
  heir->pass(seconds(4), true);
  ck_assert(heir->redis.got == (Records{"one", "two"}));
  ck_assert(house.directory.segments() == std::vector<std::string>{name});
  ck_assert(
      heir->log.warned("leaves 1 segment alone; " + name + ": it is larger than a segment can be"));
}
END_TEST

START_TEST(other_files_are_counted_and_left) {
  House house;
  house.directory.write("notes.txt", std::string(500'000, 'n'));
  std::filesystem::create_directory(house.directory.path + "/folder.spool");
  std::filesystem::create_symlink("/etc/passwd", house.directory.path + "/link.spool");
  auto worker = house.worker();
  worker->pass(seconds(2), true);
  ck_assert_uint_ge(worker->status().bytes, 500'000);
  ck_assert_uint_eq(worker->status().left_alone, 0);
  ck_assert_uint_eq(house.directory.read("notes.txt").size(), 500'000);
}
END_TEST

START_TEST(segments_are_drained_oldest_first_whoever_wrote_them) {
  House house;
  left_behind(house, {"one"});
  left_behind(house, {"two"});
  const std::string later = house.directory.segments().back();
  // One that an operator brought from another machine.
  std::filesystem::rename(house.directory.path + '/' + later,
                          house.directory.path + "/0000000000000001-9.spool");
  auto heir = house.worker();
  ck_assert(heir->keep("three") == true);
  heir->pass(seconds(4), true);
  ck_assert(heir->redis.got == (Records{"two", "one", "three"}));
}
END_TEST

START_TEST(whatever_is_flipped_all_other_records_come_through) {
  std::mt19937 random(4711);
  for (int round = 0; round < 25; ++round) {
    House house;
    Records records;
    for (int i = 0; i < 20; ++i) records.push_back("record " + std::string(i * 7, 'r') + '.');
    const std::string name = left_behind(house, records);
    std::string bytes = house.directory.read(name);
    std::size_t end = kSegmentHeaderSize;
    for (const std::string& record : records) end += frame(record);
    const std::size_t at = kSegmentHeaderSize + random() % (end - kSegmentHeaderSize);
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << (random() % 8)));
    house.directory.write(name, bytes);
    auto heir = house.worker();
    heir->pass(seconds(4), true);
    ck_assert_uint_eq(heir->redis.got.size(), 19);
    ck_assert_uint_eq(heir->status().corrupt, 1);
    for (const std::string& got : heir->redis.got) {
      ck_assert(std::find(records.begin(), records.end(), got) != records.end());
    }
    ck_assert_uint_eq(house.directory.names(".bad").size(), 1);
  }
}
END_TEST

const weir_test::Register kRegistered(
    "spool_damage",
    {a_torn_tail_is_cut_counted_and_told,
     a_segment_that_was_cut_short_gives_what_is_whole_and_the_rest_is_damage,
     a_record_that_redis_never_takes_is_set_aside_as_a_segment_that_can_come_back,
     what_is_set_aside_can_get_its_name_back_before_its_segment_is_removed,
     what_redis_never_takes_is_kept_while_there_is_no_room_to_set_it_aside,
     a_corrupt_record_is_set_aside_and_the_rest_is_read_on, a_corrupt_length_costs_one_record,
     a_last_record_that_was_synced_is_no_torn_tail,
     what_cannot_be_set_aside_keeps_its_segment_until_it_can,
     a_segment_that_cannot_be_removed_is_not_sent_again,
     a_segment_that_cannot_be_read_is_left_for_a_minute,
     a_directory_whose_lock_another_holds_is_drained_later_and_says_so,
     an_unknown_header_is_left_alone_and_blocks_nobody, a_segment_in_which_nothing_was_written_goes,
     nothing_is_kept_in_a_segment_that_was_shortened_meanwhile,
     a_file_of_holes_that_is_larger_than_a_segment_holds_nothing_up,
     other_files_are_counted_and_left, segments_are_drained_oldest_first_whoever_wrote_them,
     whatever_is_flipped_all_other_records_come_through});

}  // namespace
