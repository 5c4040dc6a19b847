#include "flusher/stream_id.h"

#include "t/unit/suite.h"

using namespace weir::flusher;

namespace {

std::string round_trip(std::string_view text) {
  const auto id = parse_stream_id(text);
  return id ? format_stream_id(*id) : "none";
}

constexpr bool kWatched = true, kUnwatched = false;

StoredPosition stored(const std::string& text, const std::string& previous,
                      const std::string& epoch = "life") {
  return {text, parse_stream_id(text), epoch, previous};
}

StreamLife life(StreamId last_id, const std::string& last_note) {
  return {"life", last_id, last_note, "2 7-3"};
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

START_TEST(a_note_tells_its_position) {
  const std::string note = make_note("7", "1-2"), empty = make_note("7", "");
  ck_assert_view_eq(position_in_note(note), "1-2");
  ck_assert_view_eq(position_in_note(empty), "");
  ck_assert_view_eq(position_in_note(""), "");
  ck_assert_view_eq(position_in_note("scribble"), "");
}
END_TEST

START_TEST(a_stream_that_was_never_stored_is_read_from_its_start) {
  const ResumePoint point = resume_point(std::nullopt, life({9, 0}, ""), kUnwatched);
  ck_assert(point.reason == Resume::first_time && point.after == StreamId{});
}
END_TEST

START_TEST(who_watched_goes_on_behind_the_stored_position) {
  const ResumePoint point = resume_point(stored("7-3", "5-0"), life({9, 0}, "1 7-3"), kWatched);
  ck_assert(point.reason == Resume::at_position && (point.after == StreamId{7, 3}));
}
END_TEST

START_TEST(who_did_not_watch_reads_from_the_start_however_good_it_looks) {
  for (const char* note : {"1 7-3", "1 5-0", ""}) {
    const ResumePoint point = resume_point(stored("7-3", "5-0"), life({7, 3}, note), kUnwatched);
    ck_assert(point.reason == Resume::unwatched && point.after == StreamId{});
  }
}
END_TEST

START_TEST(a_flusher_that_died_after_its_first_batch_left_a_note_without_a_position) {
  const ResumePoint point = resume_point(stored("7-3", ""), life({9, 0}, "1 "), kUnwatched);
  ck_assert(point.reason == Resume::unwatched);
}
END_TEST

START_TEST(another_life_is_read_from_its_start_even_if_its_ids_are_larger) {
  const ResumePoint point = resume_point(stored("7-3", "", "before"), life({9, 0}, ""), kWatched);
  ck_assert(point.reason == Resume::another_life && point.after == StreamId{});
}
END_TEST

START_TEST(a_stream_behind_the_position_is_read_from_its_start) {
  for (const bool watched : {kWatched, kUnwatched}) {
    const ResumePoint point = resume_point(stored("7-3", ""), life({7, 2}, "1 7-3"), watched);
    ck_assert(point.reason == Resume::behind && point.after == StreamId{});
  }
}
END_TEST

START_TEST(a_position_that_is_no_id_means_reading_from_the_start) {
  const ResumePoint point = resume_point(stored("seven", ""), life({9, 0}, "1 seven"), kWatched);
  ck_assert(point.reason == Resume::behind && point.after == StreamId{});
}
END_TEST

START_TEST(a_note_older_than_the_last_two_positions_shows_that_redis_went_back) {
  for (const char* note : {"1 4-9", "1 0-1", "1 ", "scribble"}) {
    const ResumePoint point = resume_point(stored("7-3", "5-0"), life({9, 0}, note), kUnwatched);
    ck_assert_msg(point.reason == Resume::redis_went_back && point.after == StreamId{}, "%s", note);
  }
}
END_TEST

START_TEST(a_note_newer_than_the_position_shows_that_postgresql_went_back) {
  const ResumePoint point = resume_point(stored("7-3", "5-0"), life({9, 0}, "1 8-0"), kUnwatched);
  ck_assert(point.reason == Resume::postgres_went_back && point.after == StreamId{});
}
END_TEST

const weir_test::Register kRegistered(
    "flusher_stream_id",
    {an_id_is_read_and_printed_alike, what_is_no_id_is_refused,
     ids_order_by_time_and_then_by_sequence, the_next_id_leaves_none_out, a_note_tells_its_position,
     a_stream_that_was_never_stored_is_read_from_its_start,
     who_watched_goes_on_behind_the_stored_position,
     who_did_not_watch_reads_from_the_start_however_good_it_looks,
     a_flusher_that_died_after_its_first_batch_left_a_note_without_a_position,
     another_life_is_read_from_its_start_even_if_its_ids_are_larger,
     a_stream_behind_the_position_is_read_from_its_start,
     a_position_that_is_no_id_means_reading_from_the_start,
     a_note_older_than_the_last_two_positions_shows_that_redis_went_back,
     a_note_newer_than_the_position_shows_that_postgresql_went_back});
