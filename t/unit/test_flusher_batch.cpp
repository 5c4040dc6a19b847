#include "flusher/batch.h"

#include <deque>
#include <string>
#include <vector>

#include "flusher/advice.h"
#include "flusher/copy_format.h"
#include "flusher/read_size.h"
#include "flusher/sqlstate.h"
#include "t/unit/suite.h"

using namespace weir;
using namespace weir::flusher;

namespace {

constexpr Timestamp kReceived = 1'795'249'800'250'000;

Uuid id(unsigned char last, unsigned char version = 4) {
  return {1,  2,  3,  4,  5,  6,   static_cast<unsigned char>(version << 4), 8, 0x80, 10,
          11, 12, 13, 14, 15, last};
}

void write_event(RecordWriter& writer, const Uuid& event_id, std::string_view tenant,
                 Timestamp client_timestamp = kReceived - 5) {
  writer.begin_row();
  writer.uuid(event_id);
  writer.text(tenant);
  writer.text("user-1");
  writer.null();
  writer.text("click");
  for (int i = 0; i < 3; ++i) writer.null();
  writer.json("{\"a\":1}");
  writer.time(kReceived - 9);
  writer.time(client_timestamp);
  writer.time(kReceived);
  writer.end_row();
}

std::string events(std::string_view tenant, const std::vector<Uuid>& ids) {
  RecordWriter writer;
  writer.begin(RecordKind::events, tenant, kReceived);
  for (const Uuid& event_id : ids) write_event(writer, event_id, tenant);
  return std::string(writer.finish());
}

std::string crash(const Uuid& crash_id) {
  RecordWriter writer;
  writer.begin(RecordKind::crashes, "acme", kReceived);
  writer.begin_row();
  writer.uuid(crash_id);
  writer.text("acme");
  for (int i = 0; i < 8; ++i) writer.null();
  writer.time(kReceived - 9);
  writer.time(kReceived - 5);
  writer.time(kReceived);
  writer.end_row();
  return std::string(writer.finish());
}

// Keeps the records that a batch's rows point into.
struct Fixture {
  std::deque<std::string> records;
  Batch batch;

  void add(std::string record) {
    records.push_back(std::move(record));
    batch.add({StreamId{100, records.size()}, records.back()});
  }
};

std::vector<int> last_bytes(const std::vector<RowView>& rows) {
  std::vector<int> bytes;
  for (const RowView& row : rows) bytes.push_back(row.id[15]);
  return bytes;
}

// What follows the two bytes of a tuple's column count, cut into values.
std::vector<std::string> values(std::string_view tuple) {
  std::vector<std::string> all;
  tuple.remove_prefix(2);
  while (!tuple.empty()) {
    std::uint32_t length = 0;
    for (int i = 0; i < 4; ++i) length = length << 8 | static_cast<unsigned char>(tuple[i]);
    tuple.remove_prefix(4);
    if (length == 0xFFFF'FFFF) {
      all.emplace_back("NULL");
      continue;
    }
    all.emplace_back(tuple.substr(0, length));
    tuple.remove_prefix(length);
  }
  return all;
}

}  // namespace

START_TEST(a_batch_sorts_rows_by_their_kind_and_counts) {
  Fixture fixture;
  fixture.add(events("default", {id(1), id(2)}));
  fixture.add(crash(id(3)));
  fixture.add(events("acme", {id(4)}));
  const Batch& batch = fixture.batch;
  ck_assert(last_bytes(batch.events()) == std::vector<int>({1, 2, 4}));
  ck_assert(last_bytes(batch.crashes()) == std::vector<int>({3}));
  ck_assert_uint_eq(batch.entries(), 3);
  ck_assert_uint_eq(batch.rows(), 4);
  ck_assert_uint_eq(batch.bytes(), fixture.records[0].size() + fixture.records[1].size() +
                                       fixture.records[2].size());
  ck_assert((batch.last_id() == StreamId{100, 3}));
  ck_assert(batch.dead().empty());
}
END_TEST

START_TEST(rows_of_one_record_lie_one_behind_the_other) {
  Fixture fixture;
  fixture.add(events("default", {id(1), id(2)}));
  const auto& rows = fixture.batch.events();
  ck_assert(rows[0].tuple.data() + rows[0].tuple.size() == rows[1].tuple.data());
}
END_TEST

START_TEST(what_is_no_record_becomes_a_dead_letter_and_the_rest_stays) {
  Fixture fixture;
  fixture.add(events("default", {id(1)}));
  fixture.add("\x09 nothing known");
  fixture.add(events("default", {id(2)}));
  ck_assert(last_bytes(fixture.batch.events()) == std::vector<int>({1, 2}));
  ck_assert_uint_eq(fixture.batch.dead().size(), 1);
  const DeadLetter& dead = fixture.batch.dead()[0];
  ck_assert_view_eq(dead.reason, "version 9 is not known");
  ck_assert_view_eq(dead.payload, "\x09 nothing known");
  ck_assert_view_eq(dead.tenant, "");
  ck_assert(!dead.received_at);
  ck_assert_uint_eq(fixture.batch.entries(), 3);
}
END_TEST

START_TEST(a_dead_letter_tells_whose_it_is_if_its_header_does) {
  Fixture fixture;
  fixture.add(events("acme", {id(1)}) + "x");
  const DeadLetter& dead = fixture.batch.dead()[0];
  ck_assert_view_eq(dead.reason, "bytes follow the last row");
  ck_assert_view_eq(dead.tenant, "acme");
  ck_assert(dead.received_at == kReceived);
}
END_TEST

START_TEST(an_entry_without_the_field_is_a_dead_letter) {
  Batch batch;
  batch.add({StreamId{1, 0}, std::nullopt});
  ck_assert_view_eq(batch.dead()[0].reason, "the entry has no field r");
  ck_assert(!batch.empty());
}
END_TEST

START_TEST(a_dead_row_is_a_record_of_its_own) {
  Fixture fixture;
  fixture.add(events("acme", {id(1), id(2)}));
  const DeadLetter dead = dead_row(RecordKind::events, fixture.batch.events()[1], "22P02: no");
  ck_assert(dead.payload == events("acme", {id(2)}));
  ck_assert_view_eq(dead.tenant, "acme");
  ck_assert_view_eq(dead.reason, "22P02: no");
}
END_TEST

START_TEST(what_cannot_be_streamed_is_kept_with_its_bytes) {
  std::deque<std::string> records = {events("acme", {id(1, 7), id(2), id(3)}), crash(id(4)),
                                     "no record"};
  Batch rest, step;
  for (const std::string& record : records) step.add({{5, 0}, record});
  rest.keep_rest_of(step);
  for (std::string& record : records) record.assign(record.size(), 'x');
  ck_assert_uint_eq(step.rows(), 3);
  ck_assert(step.dead().empty());
  ck_assert(rest.events().empty());
  ck_assert_uint_eq(rest.crashes().size(), 1);
  ck_assert(rest.crashes()[0].id == id(4));
  ck_assert_view_eq(rest.crashes()[0].tenant, "acme");
  ck_assert_view_eq(
      rest.crashes()[0].tuple.substr(6, 16),
      std::string_view(reinterpret_cast<const char*>(rest.crashes()[0].id.data()), 16));
  ck_assert_uint_eq(rest.dead().size(), 1);
  ck_assert_uint_eq(rest.entries(), 3);
  ck_assert(rest.last_id() == (StreamId{5, 0}));
}
END_TEST

START_TEST(wide_events_are_kept_out_of_a_stream) {
  RecordWriter writer;
  writer.begin(RecordKind::events, "acme", kReceived);
  write_event(writer, id(1), "acme", kReceived);
  write_event(writer, id(2), "acme");
  const std::string record(writer.finish());
  Batch rest, step;
  step.add({{5, 0}, record});
  rest.keep_rest_of(step);
  ck_assert_uint_eq(step.events().size(), 1);
  ck_assert(step.events()[0].id == id(2));
  ck_assert_uint_eq(rest.events().size(), 1);
  ck_assert(rest.events()[0].id == id(1));
  ck_assert(rest.events()[0].needs_wide_check());
  ck_assert_uint_gt(rest.bytes(), 0);
}
END_TEST

START_TEST(of_repeats_only_the_first_stays) {
  Fixture fixture;
  fixture.add(events("default", {id(5), id(3), id(5)}));
  fixture.add(events("default", {id(3), id(1), id(5)}));
  const auto kept = without_repeats(fixture.batch.events());
  ck_assert(last_bytes(kept) == std::vector<int>({5, 3, 1}));
  ck_assert(kept[0].tuple.data() == fixture.batch.events()[0].tuple.data());
}
END_TEST

START_TEST(the_same_id_of_another_tenant_is_no_repeat) {
  Fixture fixture;
  fixture.add(events("a", {id(1)}));
  fixture.add(events("b", {id(1)}));
  ck_assert_uint_eq(without_repeats(fixture.batch.events()).size(), 2);
  ck_assert(without_repeats(RowSpan()).empty());
}
END_TEST

START_TEST(wide_rows_are_noticed_anywhere_in_a_batch) {
  Fixture fixture;
  fixture.add(events("default", {id(1)}));
  ck_assert(!any_wide(fixture.batch.events()));
  RecordWriter writer;
  writer.begin(RecordKind::events, "default", kReceived);
  write_event(writer, id(2), "default", kReceived);
  fixture.add(std::string(writer.finish()));
  ck_assert(any_wide(fixture.batch.events()));
}
END_TEST

START_TEST(wide_rows_tell_the_weeks_of_their_partitions) {
  constexpr Timestamp kWeek = 7 * kMicrosPerDay, kMonday = 2900 * kWeek + 4 * kMicrosPerDay;
  const auto row = [](Timestamp time, bool wide) {
    RowView view{};
    view.id = id(1);
    view.received_at = time;
    view.client_timestamp = wide ? time : time - 5;
    return view;
  };
  const std::vector<RowView> none{row(kMonday, false)};
  ck_assert(wide_weeks(none, none).empty());
  const std::vector<RowView> events{row(kMonday, true), row(kMonday - 1, true), row(kMonday, true),
                                    row(kMonday + kWeek, false)};
  const std::vector<RowView> crashes{row(kMonday + 3 * kWeek - 1, true), row(3, true)};
  ck_assert(wide_weeks(events, crashes) == (std::vector<std::int64_t>{-1, 2899, 2900, 2902}));
}
END_TEST

START_TEST(halves_leave_no_row_out) {
  Fixture fixture;
  fixture.add(events("default", {id(1), id(2), id(3)}));
  const RowSpan all = fixture.batch.events();
  ck_assert_uint_eq(all.front_half().count, 1);
  ck_assert_uint_eq(all.back_half().count, 2);
  ck_assert(all.front_half().end() == all.back_half().begin());
  ck_assert(all.back_half().end() == all.end());
}
END_TEST

START_TEST(a_batch_that_needs_asking_tells_ids_and_times) {
  Fixture fixture;
  fixture.add(events("acme", {id(1)}));
  std::string out;
  append_arriving_id(out, 258, fixture.batch.events()[0]);
  const auto row = values(out);
  ck_assert_uint_eq(row.size(), 5);
  ck_assert(row[0] == std::string("\0\0\1\2", 4));
  ck_assert(row[1] == "acme");
  ck_assert(row[2].size() == 16 && row[2][15] == '\1');
  ck_assert(row[4] == std::string("\0", 1));
}
END_TEST

START_TEST(an_added_crash_keeps_its_nulls) {
  Fixture fixture;
  fixture.add(crash(id(1)));
  std::string out;
  append_added_crash(out, fixture.batch.crashes()[0]);
  const auto row = values(out);
  ck_assert_uint_eq(row.size(), 3);
  ck_assert(row[0] == "acme" && row[1] == "NULL" && row[2].size() == 8);
}
END_TEST

START_TEST(reading_steps_double_up_to_their_bound) {
  ReadSize size(100'000, 64 << 20);
  size.begin_batch();
  size.took(3, 300);
  ck_assert_uint_eq(size.next(3, 3 * 300), 6);
  size.took(6, 300);
  ck_assert_uint_eq(size.next(9, 9 * 300), 12);
  size.took(ReadSize::kMostEntries, 300);
  ck_assert_uint_eq(size.next(100, 100 * 300), ReadSize::kMostEntries);
}
END_TEST

START_TEST(a_batch_is_full_at_its_rows_or_its_bytes) {
  ReadSize size(1000, 1 << 20);
  size.begin_batch();
  ck_assert_uint_eq(size.next(1000, 0), 0);
  ck_assert_uint_eq(size.next(999, 0), 1);
  ck_assert_uint_eq(size.next(0, 1 << 20), 0);
  ck_assert_uint_gt(size.next(0, (1 << 20) - 1), 0);
}
END_TEST

START_TEST(large_entries_shorten_the_next_step) {
  ReadSize size(10'000, 8 << 20);
  size.begin_batch();
  size.took(32, 1 << 20);
  ck_assert_uint_eq(size.next(32, 4 << 20), 4);
  size.begin_batch();
  ck_assert_uint_eq(size.next(0, 0), 8);
}
END_TEST

START_TEST(large_entries_are_forgotten_by_halves_of_busy_batches) {
  ReadSize size(10'000, 8 << 20);
  size.begin_batch();
  size.took(1, 8 << 20);
  size.begin_batch();
  ck_assert_uint_eq(size.next(0, 0), 1);
  size.begin_batch();
  ck_assert_uint_eq(size.next(0, 0), 1);
  for (int batch = 0; batch < 8; ++batch) {
    size.took(1, 300);
    size.begin_batch();
  }
  ck_assert_uint_ge(size.next(0, 0), 32);
}
END_TEST

START_TEST(the_first_step_does_not_trust_in_small_entries) {
  ReadSize size(10'000, 128 << 10);
  size.begin_batch();
  ck_assert_uint_eq(size.next(0, 0), 2);
}
END_TEST

START_TEST(batches_that_take_too_long_are_halved_and_grow_again) {
  ReadSize size(64, 8 << 20);
  ck_assert_uint_eq(size.next(63, 0), 1);
  for (int i = 0; i < 3; ++i) size.too_long();
  ck_assert_uint_eq(size.next(7, 0), 1);
  ck_assert_uint_eq(size.next(8, 0), 0);
  ck_assert_uint_eq(size.next(0, 1 << 20), 0);
  for (int i = 0; i < 50; ++i) size.too_long();
  ck_assert_uint_eq(size.next(0, 0), 1);
  ck_assert_uint_eq(size.next(1, 0), 0);
  for (int i = 0; i < 50; ++i) size.stored_in({});
  ck_assert_uint_eq(size.next(63, 0), 1);
  ck_assert_uint_eq(size.next(64, 0), 0);
}
END_TEST

START_TEST(an_operator_is_told_what_to_do_about_what_is_known) {
  ck_assert(advice_on("53100").find("disk") != std::string_view::npos);
  ck_assert(advice_on("25006").find("target_session_attrs=read-write") != std::string_view::npos);
  ck_assert_view_eq(advice_on("99999"), "");
  ck_assert_view_eq(advice_on(""), "");
}
END_TEST

START_TEST(sqlstates_tell_a_rows_fault_from_the_servers) {
  ck_assert(fault_of("23505") == Fault::duplicate);
  for (const char* state :
       {"22P02", "22021", "22P05", "22P03", "23502", "23514", "54000", "54001", "08P01", "21000"}) {
    ck_assert_msg(fault_of(state) == Fault::data, "%s", state);
  }
  ck_assert(fault_of("XX000") == Fault::odd);
  for (const char* state : {"", "08006", "53100", "53200", "57P01", "57P03", "58030", "40P01",
                            "55P03", "25006", "42P01", "42501", "XX001", "XX002", "0A000"}) {
    ck_assert_msg(fault_of(state) == Fault::away, "%s", state);
  }
}
END_TEST

const weir_test::Register kRegistered("flusher_batch",
                                      {a_batch_sorts_rows_by_their_kind_and_counts,
                                       rows_of_one_record_lie_one_behind_the_other,
                                       what_is_no_record_becomes_a_dead_letter_and_the_rest_stays,
                                       a_dead_letter_tells_whose_it_is_if_its_header_does,
                                       an_entry_without_the_field_is_a_dead_letter,
                                       a_dead_row_is_a_record_of_its_own,
                                       what_cannot_be_streamed_is_kept_with_its_bytes,
                                       wide_events_are_kept_out_of_a_stream,
                                       of_repeats_only_the_first_stays,
                                       the_same_id_of_another_tenant_is_no_repeat,
                                       wide_rows_are_noticed_anywhere_in_a_batch,
                                       wide_rows_tell_the_weeks_of_their_partitions,
                                       halves_leave_no_row_out,
                                       a_batch_that_needs_asking_tells_ids_and_times,
                                       an_added_crash_keeps_its_nulls,
                                       reading_steps_double_up_to_their_bound,
                                       a_batch_is_full_at_its_rows_or_its_bytes,
                                       large_entries_shorten_the_next_step,
                                       large_entries_are_forgotten_by_halves_of_busy_batches,
                                       the_first_step_does_not_trust_in_small_entries,
                                       batches_that_take_too_long_are_halved_and_grow_again,
                                       an_operator_is_told_what_to_do_about_what_is_known,
                                       sqlstates_tell_a_rows_fault_from_the_servers});
