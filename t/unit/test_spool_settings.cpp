#include "core/spool/settings.h"

#include <string>
#include <vector>

#include "t/unit/suite.h"

using namespace weir;

namespace {

SpoolSettings read(const std::vector<std::string_view>& words) {
  SpoolSettings settings;
  const std::string fault = read_spool_settings(words, settings);
  ck_assert_msg(fault.empty(), "%s", fault.c_str());
  return settings;
}

void assert_refused(const std::vector<std::string_view>& words, const std::string& expected) {
  SpoolSettings settings;
  const std::string fault = read_spool_settings(words, settings);
  ck_assert_msg(fault.find(expected) != std::string::npos, "it says: %s", fault.c_str());
}

START_TEST(a_directory_is_enough) {
  const SpoolSettings settings = read({"/var/spool/weir"});
  ck_assert_str_eq(settings.directory.c_str(), "/var/spool/weir");
  ck_assert_uint_eq(settings.size, 1 << 30);
  ck_assert_uint_eq(settings.segment, 16 << 20);
  ck_assert_uint_eq(settings.drain, 16 << 20);
  ck_assert(!settings.free);
}
END_TEST

START_TEST(parameters_come_in_any_order) {
  const SpoolSettings settings = read({"spool", "drain=1m", "free=0", "segment=65536", "size=2m"});
  ck_assert_uint_eq(settings.size, 2 << 20);
  ck_assert_uint_eq(settings.segment, 64 << 10);
  ck_assert(settings.free == 0U);
  ck_assert_uint_eq(settings.drain, 1 << 20);
}
END_TEST

START_TEST(a_directory_comes_first) {
  assert_refused({}, "it needs a directory: write /var/spool/weir size=1g");
  assert_refused({"size=1g"}, "it needs a directory first, not \"size=1g\"");
  assert_refused({""}, "it needs a directory first");
}
END_TEST

START_TEST(sizes_have_units_and_a_range) {
  ck_assert_uint_eq(read({"d", "size=1048576"}).size, 1 << 20);
  ck_assert_uint_eq(read({"d", "size=1024k"}).size, 1 << 20);
  ck_assert_uint_eq(read({"d", "size=4t"}).size, 1ULL << 42);
  for (const std::string_view word :
       {"size=0", "size=1023k", "size=5t", "size=1", "size=m", "size=1mb", "size=1M", "size=-1g",
        "size=1.5g", "size= 1g", "size=99999999999999999999", "size=18446744073709551615t",
        "size=lots"}) {
    assert_refused({"d", word}, "is not a size from 1m to 4t: write it as size=1g");
  }
  assert_refused({"d", "segment=1k"}, "is not a size from 64k to 1g");
  assert_refused({"d", "free=x"}, "is not a size from 0 to 4t: write it as free=64m");
  assert_refused({"d", "drain=1"}, "is not a number of bytes a second from 64k to 16g");
}
END_TEST

START_TEST(segments_suit_the_size) {
  for (std::uint64_t size = kLeastSpoolSize; size <= kMostSpoolSize; size *= 2) {
    const std::uint64_t segment = default_segment(size);
    ck_assert_uint_eq(segment % 4096, 0);
    ck_assert_uint_ge(segment, kLeastSegment);
    ck_assert_uint_le(segment, kMostSegment);
    ck_assert_uint_le(segment * 8, size);
    ck_assert_uint_ge(segment * kMostSegments, size);
  }
  assert_refused({"d", "size=1m", "segment=512k"}, "more than a quarter of its size=");
  assert_refused({"d", "size=4t", "segment=1m"}, "more than 4096 files");
}
END_TEST

START_TEST(less_is_left_to_others_on_a_small_file_system) {
  SpoolSettings settings = read({"d"});
  ck_assert_uint_eq(reserve(settings, 20ULL << 30), 64 << 20);
  ck_assert_uint_eq(reserve(settings, 20 << 20), 1 << 20);
  settings.free = 5;
  ck_assert_uint_eq(reserve(settings, 20ULL << 30), 5);
}
END_TEST

START_TEST(a_word_that_is_no_parameter_is_named) {
  for (const std::string_view word : {"sizes=1g", "size=", "size", "=1g", "", "Size=1g"}) {
    assert_refused({"d", word}, "it does not know \"" + std::string(word) +
                                    "\": after the directory it takes size=, segment=, free= and "
                                    "drain=");
  }
  assert_refused({"d", "size=1g", "size=1g"}, "it has \"size\" twice: remove one");
}
END_TEST

const weir_test::Register kRegistered("spool_settings",
                                      {a_directory_is_enough, parameters_come_in_any_order,
                                       a_directory_comes_first, sizes_have_units_and_a_range,
                                       segments_suit_the_size,
                                       less_is_left_to_others_on_a_small_file_system,
                                       a_word_that_is_no_parameter_is_named});

}  // namespace
