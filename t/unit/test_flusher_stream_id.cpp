#include "flusher/stream_id.h"

#include "t/unit/suite.h"

using namespace weir::flusher;

namespace {

std::string round_trip(std::string_view text) {
  const auto id = parse_stream_id(text);
  return id ? format_stream_id(*id) : "none";
}

StoredPosition stored(const std::string& text, const std::string& epoch) {
  return {text, parse_stream_id(text), epoch};
}

}  // namespace

START_TEST(an_id_is_read_and_printed_alike) {
  ck_assert_view_eq(round_trip("1763713800000-12"), "1763713800000-12");
  ck_assert_view_eq(round_trip("0-0"), "0-0");
  ck_assert_view_eq(round_trip("18446744073709551615-18446744073709551615"),
                    "18446744073709551615-18446744073709551615");
}
END_TEST

START_TEST(what_is_no_id_is_refused) {
  for (const char* text : {"", "-", "1", "1-", "-1", "1-2-3", "1-2 ", " 1-2", "a-1", "1-+2", "$",
                           "18446744073709551616-0", "1-18446744073709551616"}) {
    ck_assert_msg(!parse_stream_id(text), "'%s' was accepted", text);
  }
}
END_TEST

START_TEST(ids_order_by_time_and_then_by_sequence) {
  ck_assert((StreamId{1, 9} < StreamId{2, 0}));
  ck_assert((StreamId{2, 0} < StreamId{2, 1}));
  ck_assert((!(StreamId{2, 1} < StreamId{2, 1})));
  ck_assert((!(StreamId{10, 0} < StreamId{9, 5})));
}
END_TEST

START_TEST(the_next_id_leaves_none_out) {
  constexpr std::uint64_t most = UINT64_MAX;
  ck_assert((next_stream_id({5, 6}) == StreamId{5, 7}));
  ck_assert((next_stream_id({5, most}) == StreamId{6, 0}));
  ck_assert((next_stream_id({most, most}) == StreamId{most, most}));
}
END_TEST

START_TEST(a_stream_that_was_never_stored_is_read_from_its_start) {
  const ResumePoint point = resume_point(std::nullopt, {"life", {9, 0}});
  ck_assert(point.reason == Resume::first_time && point.after == StreamId{});
}
END_TEST

START_TEST(reading_goes_on_behind_the_stored_position) {
  const ResumePoint point = resume_point(stored("7-3", "life"), {"life", {9, 0}});
  ck_assert(point.reason == Resume::at_position && (point.after == StreamId{7, 3}));
}
END_TEST

START_TEST(a_stream_that_ends_at_the_position_has_lost_nothing) {
  const ResumePoint point = resume_point(stored("7-3", "life"), {"life", {7, 3}});
  ck_assert(point.reason == Resume::at_position);
}
END_TEST

START_TEST(another_life_is_read_from_its_start_even_if_its_ids_are_larger) {
  const ResumePoint point = resume_point(stored("7-3", "before"), {"life", {9, 0}});
  ck_assert(point.reason == Resume::another_life && point.after == StreamId{});
}
END_TEST

START_TEST(a_stream_behind_the_position_is_read_from_its_start) {
  const ResumePoint point = resume_point(stored("7-3", "life"), {"life", {7, 2}});
  ck_assert(point.reason == Resume::behind && point.after == StreamId{});
}
END_TEST

START_TEST(a_position_that_is_no_id_means_reading_from_the_start) {
  const ResumePoint point = resume_point(stored("seven", "life"), {"life", {9, 0}});
  ck_assert(point.reason == Resume::behind && point.after == StreamId{});
}
END_TEST

const weir_test::Register kRegistered(
    "flusher_stream_id", {an_id_is_read_and_printed_alike, what_is_no_id_is_refused,
                          ids_order_by_time_and_then_by_sequence, the_next_id_leaves_none_out,
                          a_stream_that_was_never_stored_is_read_from_its_start,
                          reading_goes_on_behind_the_stored_position,
                          a_stream_that_ends_at_the_position_has_lost_nothing,
                          another_life_is_read_from_its_start_even_if_its_ids_are_larger,
                          a_stream_behind_the_position_is_read_from_its_start,
                          a_position_that_is_no_id_means_reading_from_the_start});
