#include "core/event/uuid.h"

#include <set>
#include <string>
#include <string_view>

#include "t/unit/suite.h"

namespace {

using weir::format_uuid;
using weir::parse_uuid;
using weir::Uuid;
using weir::uuid_time;
using weir::uuid_version;
using weir::UuidSource;

// RFC 9562, appendix A.6: made at 2022-02-22T19:22:22Z.
constexpr std::string_view kVersion7 = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";

}  // namespace

START_TEST(parses_either_case_and_prints_lower) {
  const auto uuid = parse_uuid("017F22E2-79b0-7CC3-98c4-DC0C0C07398F");
  ck_assert(uuid.has_value());
  ck_assert_uint_eq((*uuid)[0], 0x01);
  ck_assert_uint_eq((*uuid)[15], 0x8F);
  ck_assert_view_eq(format_uuid(*uuid), kVersion7);
}
END_TEST

START_TEST(takes_every_version_and_the_max_uuid) {
  ck_assert(parse_uuid("c232ab00-9414-11ec-b3c8-9f6bdeced846"));  // 1
  ck_assert(parse_uuid("919108f7-52d1-4320-9bac-f847db4148a8"));  // 4
  ck_assert(parse_uuid("2489e9ad-2ee2-8e00-8ec9-32d5f69181c0"));  // 8
  ck_assert(parse_uuid("ffffffff-ffff-ffff-ffff-ffffffffffff"));
  ck_assert(parse_uuid("00000000-0000-0000-0000-000000000001"));
}
END_TEST

START_TEST(refuses_the_nil_uuid) { ck_assert(!parse_uuid("00000000-0000-0000-0000-000000000000")); }
END_TEST

START_TEST(refuses_everything_else) {
  using namespace std::string_view_literals;
  for (const std::string_view text :
       {""sv, "x"sv, "017f22e279b07cc398c4dc0c0c07398f"sv,
        "{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}"sv,
        "urn:uuid:017f22e2-79b0-7cc3-98c4-dc0c0c07398f"sv, "017f22e2-79b0-7cc3-98c4-dc0c0c07398"sv,
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398f0"sv, "017f22e2-79b0-7cc3-98c4-dc0c0c07398g"sv,
        "017f22e2079b0-7cc3-98c4-dc0c0c07398f"sv, "017f22e27-9b0-7cc3-98c4-dc0c0c07398f"sv,
        "-17f22e2-79b0-7cc3-98c4-dc0c0c07398f"sv, "017f22e2-79b0-7cc3-98c4-dc0c0c07398\0"sv,
        " 17f22e2-79b0-7cc3-98c4-dc0c0c07398f"sv, "017f22e2_79b0_7cc3_98c4_dc0c0c07398f"sv}) {
    ck_assert_msg(!parse_uuid(text), "%.*s", static_cast<int>(text.size()), text.data());
  }
}
END_TEST

START_TEST(reads_the_time_inside_version_7) {
  const auto uuid = parse_uuid(kVersion7);
  ck_assert_int_eq(uuid_version(*uuid), 7);
  ck_assert_int_eq(uuid_time(*uuid).value(), *weir::parse_rfc3339("2022-02-22T19:22:22Z"));
  ck_assert_int_eq(uuid_time(*parse_uuid("ffffffff-ffff-7000-8000-000000000000")).value(),
                   281474976710655'000);
}
END_TEST

START_TEST(reads_no_time_inside_other_versions) {
  ck_assert(!uuid_time(*parse_uuid("919108f7-52d1-4320-9bac-f847db4148a8")));
  ck_assert(!uuid_time(*parse_uuid("c232ab00-9414-11ec-b3c8-9f6bdeced846")));
  ck_assert(!uuid_time(*parse_uuid("ffffffff-ffff-ffff-ffff-ffffffffffff")));
}
END_TEST

START_TEST(makes_version_7_of_the_rfc_with_the_time_given) {
  UuidSource source;
  for (const weir::Timestamp now : {0L, 1795262400123456L, 253402300799999999L}) {
    const Uuid uuid = source.next(now);
    ck_assert_int_eq(uuid_version(uuid), 7);
    ck_assert_uint_eq(uuid[8] >> 6, 2);
    ck_assert_int_eq(uuid_time(uuid).value(), now / 1000 * 1000);
    ck_assert(parse_uuid(format_uuid(uuid)) == uuid);
  }
}
END_TEST

START_TEST(a_clock_before_1970_still_makes_good_ones) {
  UuidSource source;
  const Uuid uuid = source.next(-1);
  ck_assert_int_eq(uuid_version(uuid), 7);
  ck_assert_int_eq(uuid_time(uuid).value(), 0);
}
END_TEST

// Past the 16 KiB of random bytes that a source holds, several times.
START_TEST(never_makes_the_same_twice) {
  UuidSource one;
  UuidSource other;
  std::set<Uuid> seen;
  for (int i = 0; i < 5000; ++i) {
    ck_assert(seen.insert(one.next(1795262400123456)).second);
    ck_assert(seen.insert(other.next(1795262400123456)).second);
  }
}
END_TEST

START_TEST(every_bit_that_is_free_takes_both_values) {
  UuidSource source;
  Uuid all_or{};
  Uuid all_and;
  all_and.fill(0xFF);
  for (int i = 0; i < 1000; ++i) {
    const Uuid uuid = source.next(0);
    for (std::size_t k = 6; k < uuid.size(); ++k) {
      all_or[k] = static_cast<unsigned char>(all_or[k] | uuid[k]);
      all_and[k] = static_cast<unsigned char>(all_and[k] & uuid[k]);
    }
  }
  ck_assert_uint_eq(all_or[6], 0x7F);
  ck_assert_uint_eq(all_and[6], 0x70);
  ck_assert_uint_eq(all_or[8], 0xBF);
  ck_assert_uint_eq(all_and[8], 0x80);
  for (const std::size_t k : {7, 9, 10, 11, 12, 13, 14, 15}) {
    ck_assert_uint_eq(all_or[k], 0xFF);
    ck_assert_uint_eq(all_and[k], 0x00);
  }
}
END_TEST

static const weir_test::Register kRegistered(
    "uuid", {parses_either_case_and_prints_lower, takes_every_version_and_the_max_uuid,
             refuses_the_nil_uuid, refuses_everything_else, reads_the_time_inside_version_7,
             reads_no_time_inside_other_versions, makes_version_7_of_the_rfc_with_the_time_given,
             a_clock_before_1970_still_makes_good_ones, never_makes_the_same_twice,
             every_bit_that_is_free_takes_both_values});
