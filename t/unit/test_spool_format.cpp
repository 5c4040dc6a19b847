#include "core/spool/format.h"

#include <string>
#include <vector>

#include "core/spool/name.h"
#include "core/spool/reader.h"
#include "t/unit/golden.h"
#include "t/unit/suite.h"

using namespace weir;

namespace {

constexpr std::uint32_t kSalt = 0x5eed5a17;
constexpr Timestamp kCreated = 1'795'249'800'250'000;  // 2026-11-21T08:30:00.25Z

SegmentHeader header_of(std::uint64_t bytes = 0, std::uint64_t records = 0) {
  return {kSpoolVersion, kSalt, kCreated, 4711, {bytes, records}};
}

std::string frame(std::string_view record, std::uint8_t replicas = 0, std::uint32_t salt = kSalt) {
  std::string bytes(kFrameHeaderSize, '\0');
  bytes += record;
  fill_frame_header(bytes.data(), static_cast<std::uint32_t>(record.size()), salt, replicas);
  return bytes;
}

std::string encoded(const SegmentHeader& header) {
  const auto bytes = encode_segment_header(header);
  return {bytes.data(), bytes.size()};
}

struct Found {
  std::vector<std::string> records;
  std::vector<int> replicas;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> damage;
  std::uint64_t torn = 0;
};

// What is in `file`, read in pieces of `piece` bytes at least.
Found read(const std::string& file, std::size_t piece = 1 << 20) {
  SegmentHeader header;
  ck_assert(read_segment_header(file, header) == HeaderState::fine);
  SegmentReader reader(header, file.size());
  Found found;
  std::size_t begin = kSegmentHeaderSize, end = begin;
  for (;;) {
    const auto step = reader.next(std::string_view(file).substr(begin, end - begin));
    begin += step.used;
    switch (step.what) {
      case SegmentReader::What::record:
        found.records.emplace_back(step.record);
        found.replicas.push_back(step.replicas);
        break;
      case SegmentReader::What::damage:
        found.damage.emplace_back(step.from, step.to);
        break;
      case SegmentReader::What::more:
        ck_assert_uint_gt(begin + reader.wanted(), end);
        ck_assert_uint_le(begin + reader.wanted(), file.size());
        end = std::min(file.size(), begin + std::max(reader.wanted(), piece));
        break;
      case SegmentReader::What::end:
        found.torn = reader.torn();
        return found;
    }
  }
}

START_TEST(writes_the_golden_segment) {
  const std::string first = frame("first record"), second = frame("", 2);
  const std::string body = first + second;
  const std::string bytes =
      encoded(header_of(kSegmentHeaderSize + body.size(), 2)) + body + std::string(16, '\0');
  ck_assert(bytes == weir_test::golden("segment-v1.hex"));
}
END_TEST

START_TEST(reads_the_golden_segment) {
  const std::string bytes = weir_test::golden("segment-v1.hex");
  SegmentHeader header;
  ck_assert(read_segment_header(bytes, header) == HeaderState::fine);
  ck_assert_uint_eq(header.version, 1);
  ck_assert_uint_eq(header.salt, kSalt);
  ck_assert(header.created == kCreated);
  ck_assert_uint_eq(header.writer, 4711);
  ck_assert_uint_eq(header.progress.records, 2);
  ck_assert_uint_eq(header.progress.bytes, bytes.size() - 16);
  const Found found = read(bytes);
  ck_assert(found.records == (std::vector<std::string>{"first record", ""}));
  ck_assert(found.replicas == (std::vector<int>{0, 2}));
  ck_assert(found.damage.empty());
  ck_assert_uint_eq(found.torn, 0);
}
END_TEST

START_TEST(reads_the_golden_damage) {
  const std::string bytes = weir_test::golden("segment-v1-damaged.hex");
  for (const std::size_t piece : {1, 20, 33, 4096}) {
    const Found found = read(bytes, piece);
    ck_assert(found.records == (std::vector<std::string>{"first", "third"}));
    ck_assert_uint_eq(found.damage.size(), 1);
    ck_assert_uint_eq(found.damage[0].first, 64 + 25);
    ck_assert_uint_eq(found.damage[0].second, 64 + 25 + 26);
    ck_assert_uint_eq(found.torn, 8);  // to the last byte that is not zero
  }
}
END_TEST

START_TEST(a_header_says_what_is_wrong_with_it) {
  const std::string good = encoded(header_of());
  SegmentHeader header;
  ck_assert(read_segment_header(good, header) == HeaderState::fine);
  ck_assert(read_segment_header("", header) == HeaderState::empty);
  ck_assert(read_segment_header(std::string(10, '\0'), header) == HeaderState::empty);
  ck_assert(read_segment_header(std::string(100, '\0'), header) == HeaderState::empty);
  ck_assert(read_segment_header(good.substr(0, 63), header) == HeaderState::damaged);
  for (std::size_t i = 0; i < 32; ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    ck_assert(read_segment_header(bad, header) == HeaderState::damaged);
  }
  SegmentHeader other = header_of();
  other.version = 2;
  ck_assert(read_segment_header(encoded(other), header) == HeaderState::newer);
  other.version = 0;
  ck_assert(read_segment_header(encoded(other), header) == HeaderState::damaged);
}
END_TEST

START_TEST(progress_that_is_damaged_is_none) {
  std::string bytes = encoded(header_of(1000, 10));
  bytes[kProgressAt + 7] ^= 1;
  SegmentHeader header;
  ck_assert(read_segment_header(bytes, header) == HeaderState::fine);
  ck_assert_uint_eq(header.progress.bytes, 0);
  ck_assert_uint_eq(header.progress.records, 0);
}
END_TEST

START_TEST(every_bit_of_a_frame_counts) {
  const std::string good = frame("record", 3);
  for (std::size_t i = 0; i < good.size() * 8; ++i) {
    std::string bad = good;
    bad[i / 8] = static_cast<char>(bad[i / 8] ^ (1 << (i % 8)));
    const auto header = read_frame_header(bad, kSalt);
    ck_assert(!header ||
              !record_is_whole(*header, std::string_view(bad).substr(kFrameHeaderSize), kSalt));
  }
  ck_assert(!read_frame_header(good, kSalt + 1));
}
END_TEST

START_TEST(what_looks_like_a_frame_inside_a_damaged_record_is_none) {
  // A client cannot know the salt of the segment.
  const std::string trap = frame("forged", 0, kSalt + 1);
  std::string bytes = encoded(header_of()) + frame("a" + trap + "b") + frame("next");
  bytes[kSegmentHeaderSize] ^= 1;
  const Found found = read(bytes);
  ck_assert(found.records == std::vector<std::string>{"next"});
  ck_assert_uint_eq(found.damage.size(), 1);
}
END_TEST

START_TEST(zeros_between_frames_are_damage_and_behind_them_an_end) {
  const std::string zeros(5000, '\0');
  const Found found = read(encoded(header_of()) + frame("a") + zeros + frame("b") + zeros, 100);
  ck_assert(found.records == (std::vector<std::string>{"a", "b"}));
  ck_assert_uint_eq(found.damage.size(), 1);
  ck_assert_uint_eq(found.torn, 0);
}
END_TEST

START_TEST(records_that_were_synced_and_are_zeros_now_are_damage) {
  const std::uint64_t synced = kSegmentHeaderSize + 2 * frame("a").size();
  const Found found = read(encoded(header_of(synced, 2)) + frame("a") + std::string(5000, '\0'));
  ck_assert_uint_eq(found.records.size(), 1);
  ck_assert_uint_eq(found.damage.size(), 1);
  ck_assert_uint_eq(found.damage[0].second, synced);
}
END_TEST

START_TEST(a_tail_is_torn_where_nothing_was_synced) {
  const std::string whole = encoded(header_of()) + frame("a");
  const std::string next = frame("bbbbbbbb");
  for (std::size_t i = 1; i < next.size(); ++i) {
    const std::string torn = next.substr(0, i);
    for (const std::string& rest : {std::string(), std::string(100, '\0')}) {
      const Found found = read(whole + torn + rest);
      ck_assert_uint_eq(found.records.size(), 1);
      ck_assert(found.damage.empty());
      // Zeros at its end are not told from those behind it, unless its length is known.
      ck_assert_uint_ge(found.torn, torn.find_last_not_of('\0') + 1);
      ck_assert_uint_le(found.torn, std::max<std::size_t>(i, next.size()));
    }
  }
}
END_TEST

START_TEST(pieces_of_any_size_give_the_same) {
  std::string file = encoded(header_of());
  for (int i = 0; i < 20; ++i) {
    std::string one = frame(std::string(static_cast<std::size_t>(i * 3), 'x'));
    if (i % 5 == 3) one[one.size() - 1] ^= 1;
    file += one;
  }
  const Found whole = read(file);
  for (std::size_t piece = 1; piece < 200; ++piece) {
    const Found found = read(file, piece);
    ck_assert(found.records == whole.records && found.damage == whole.damage);
  }
}
END_TEST

START_TEST(a_segment_full_of_markers_is_read_in_linear_time) {
  std::string file = encoded(header_of());
  while (file.size() < (8 << 20)) file += "\xf5WR\xf6";
  const Found found = read(file, 1 << 20);
  ck_assert(found.records.empty());
  ck_assert_uint_eq(found.torn, file.size() - kSegmentHeaderSize);
}
END_TEST

START_TEST(names_sort_by_time_and_hold_nothing_odd) {
  ck_assert_view_eq(segment_name(kCreated, 4711), "1795249800250000-4711.spool");
  ck_assert_view_eq(segment_name(5, 1), "0000000000000005-1.spool");
  ck_assert_view_eq(segment_name(-5, 1), "0000000000000000-1.spool");
  ck_assert(segment_name(999, 1) < segment_name(1000, 1));
  ck_assert_view_eq(bad_name("a.spool"), "a.spool.bad");
  ck_assert_view_eq(refused_name("a.spool"), "a.long.spool.refused");
  ck_assert_view_eq(refused_name("a.long.spool"), "a.spool.refused");
  for (const char* name : {"1795249800250000-4711.spool", "from-web1_old.spool", "a.spool"}) {
    ck_assert_msg(is_segment_name(name), "%s", name);
  }
  for (const char* name : {"", ".spool", ".hidden.spool", "a.spool.bad", "a.SPOOL", "a b.spool",
                           "a\n.spool", "a/b.spool", "lock", "\xff.spool"}) {
    ck_assert_msg(!is_segment_name(name), "%s", name);
  }
  ck_assert(!is_segment_name(std::string(200, 'a') + ".spool"));
}
END_TEST

const weir_test::Register kRegistered(
    "spool_format",
    {writes_the_golden_segment, reads_the_golden_segment, reads_the_golden_damage,
     a_header_says_what_is_wrong_with_it, progress_that_is_damaged_is_none,
     every_bit_of_a_frame_counts, what_looks_like_a_frame_inside_a_damaged_record_is_none,
     zeros_between_frames_are_damage_and_behind_them_an_end,
     records_that_were_synced_and_are_zeros_now_are_damage, a_tail_is_torn_where_nothing_was_synced,
     pieces_of_any_size_give_the_same, a_segment_full_of_markers_is_read_in_linear_time,
     names_sort_by_time_and_hold_nothing_odd});

}  // namespace
