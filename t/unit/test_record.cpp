#include "core/record/record.h"

#include <random>
#include <string>
#include <vector>

#include "t/unit/golden.h"
#include "t/unit/suite.h"

using namespace weir;
using weir_test::golden;

namespace {

constexpr Timestamp kReceived = 1'795'249'800'250'000;  // 2026-11-21T08:30:00.25Z

Uuid id(std::string_view text) {
  Uuid value{};
  unsigned digit = 0;
  for (const char c : text) {
    if (c == '-') continue;
    const unsigned nibble = static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10);
    value[digit / 2] = static_cast<unsigned char>(value[digit / 2] << 4 | nibble);
    ++digit;
  }
  return value;
}

void write_full_event(RecordWriter& writer) {
  writer.begin_row();
  writer.uuid(id("018f4e2a-7b1c-7d3e-9a5f-0123456789ab"));
  for (const char* text :
       {"default", "user-1", "session-9", "recording_completed", "2.1.0", "darwin", "ES"}) {
    writer.text(text);
  }
  writer.json("{\"audio_duration_seconds\":90.5,\"note\":\"ñandú\"}");
  writer.time(kReceived - 1'126'544);
  writer.time(kReceived - 2'250'000);
  writer.time(kReceived);
  writer.end_row();
}

void write_bare_event(RecordWriter& writer, Timestamp client_timestamp = kReceived,
                      std::string_view tenant = "default", Timestamp received = kReceived) {
  writer.begin_row();
  writer.uuid(id("5e884898-da28-4047-9151-e56f8dc62927"));
  writer.text(tenant);
  writer.text("user-2");
  writer.null();
  writer.text("x");
  for (int i = 0; i < 4; ++i) writer.null();
  writer.time(received);
  writer.time(client_timestamp);
  writer.time(received);
  writer.end_row();
}

void write_crash(RecordWriter& writer) {
  writer.begin_row();
  writer.uuid(id("018f4e2a-7b1c-7d3e-9a5f-ba9876543210"));
  for (const char* text :
       {"acme", "user-1", "2.1.0", "macOS 14.2", "TypeError", "x is not a function",
        "at f (app.js:1:2)\nat g (app.js:3:4)", "1-0123456789abcdef0123456789abcdef"}) {
    writer.text(text);
  }
  writer.json("{\"screen\":\"home\"}");
  writer.time(kReceived);
  writer.time(946'684'799'999'999);
  writer.time(kReceived);
  writer.end_row();
}

std::string one_event() {
  RecordWriter writer;
  writer.begin(RecordKind::events, "default", kReceived);
  write_bare_event(writer);
  return std::string(writer.finish());
}

// The reason for which `bytes` is refused, until the next call.
const std::string& error_of(std::string_view bytes) {
  static std::string error;
  ck_assert_msg(!read_record(bytes, error), "it was accepted");
  return error;
}

// `bytes` with those at `offset` replaced.
std::string with(std::string bytes, std::size_t offset, std::string_view patch) {
  return bytes.replace(offset, patch.size(), patch);
}

constexpr std::size_t kFirstRow = 15 + 7;  // behind the header of tenant "default"

}  // namespace

START_TEST(writes_the_golden_events) {
  RecordWriter writer;
  writer.begin(RecordKind::events, "default", kReceived);
  write_full_event(writer);
  write_bare_event(writer);
  ck_assert(writer.finish() == golden("record-v1-events.hex"));
}
END_TEST

START_TEST(writes_the_golden_crash) {
  RecordWriter writer;
  writer.begin(RecordKind::crashes, "acme", kReceived);
  write_crash(writer);
  ck_assert(writer.finish() == golden("record-v1-crashes.hex"));
}
END_TEST

START_TEST(writes_the_golden_cli_event) {
  RecordWriter writer;
  writer.begin(RecordKind::events, "default", kReceived);
  writer.begin_row();
  writer.uuid(id("018f4e2a-7b1c-7d3e-9a5f-000000000001"));
  writer.text("default");
  writer.null();
  writer.text("7d444840-9dc0-41d1-b245-5ffdce74fad2");
  writer.text("cli_command");
  writer.text("1.4.2");
  writer.null();
  writer.null();
  writer.json("{\"command\":\"deploy\",\"success\":true,\"execution_time\":1234}");
  writer.time(kReceived - 1'250'000);
  writer.time(kReceived - 1'250'000);
  writer.time(kReceived);
  writer.end_row();
  ck_assert(writer.finish() == golden("record-v1-cli.hex"));
}
END_TEST

START_TEST(reads_the_golden_events) {
  const std::string bytes = golden("record-v1-events.hex");
  std::string error;
  const auto record = read_record(bytes, error);
  ck_assert_msg(record.has_value(), "%s", error.c_str());
  ck_assert(record->kind == RecordKind::events);
  ck_assert_view_eq(record->tenant, "default");
  ck_assert_int_eq(record->received_at, kReceived);
  ck_assert_uint_eq(record->row_count, 2);
  RowCursor rows(*record);
  const auto full = rows.next();
  ck_assert(full->id == id("018f4e2a-7b1c-7d3e-9a5f-0123456789ab"));
  ck_assert_int_eq(full->client_timestamp, kReceived - 2'250'000);
  const auto bare = rows.next();
  ck_assert(bare->id == id("5e884898-da28-4047-9151-e56f8dc62927"));
  ck_assert_view_eq(bare->tenant, "default");
  ck_assert_int_eq(bare->received_at, kReceived);
  ck_assert(std::string(full->tuple) + std::string(bare->tuple) == record->rows);
  ck_assert(!rows.next());
}
END_TEST

START_TEST(reads_the_golden_crash_with_its_time_before_2000) {
  const std::string bytes = golden("record-v1-crashes.hex");
  std::string error;
  const auto record = read_record(bytes, error);
  ck_assert_msg(record.has_value(), "%s", error.c_str());
  ck_assert(record->kind == RecordKind::crashes);
  const auto row = RowCursor(*record).next();
  ck_assert_int_eq(row->client_timestamp, 946'684'799'999'999);
}
END_TEST

START_TEST(splits_a_row_into_its_columns) {
  const std::string bytes = golden("record-v1-events.hex");
  std::string error;
  const auto record = read_record(bytes, error);
  const auto row = RowCursor(*record).next();
  Columns columns;
  ck_assert_uint_eq(split_row(row->tuple, columns), kEventColumns.size());
  ck_assert_view_eq(columns[2].bytes, "user-1");
  ck_assert_view_eq(columns[4].bytes, "recording_completed");
  ck_assert_view_eq(columns[8].bytes.substr(1),
                    "{\"audio_duration_seconds\":90.5,\"note\":\"ñandú\"}");
}
END_TEST

START_TEST(shows_all_rows_at_once_as_the_cursor_does) {
  const std::string bytes = golden("record-v1-events.hex");
  std::string error;
  std::vector<RowView> rows(1);
  const auto record = read_record(bytes, error, &rows);
  ck_assert_uint_eq(rows.size(), 3);
  RowCursor cursor(*record);
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const auto row = cursor.next();
    ck_assert(row && row->tuple == rows[i].tuple && row->id == rows[i].id);
    ck_assert_view_eq(row->event, rows[i].event);
    ck_assert_int_eq(row->time, rows[i].time);
  }
  ck_assert_view_eq(rows[1].user.bytes, "user-1");
  ck_assert_view_eq(rows[1].event, "recording_completed");
  ck_assert_view_eq(rows[1].properties, "{\"audio_duration_seconds\":90.5,\"note\":\"ñandú\"}");
}
END_TEST

START_TEST(shows_no_row_of_a_record_that_is_refused) {
  const std::string bytes = golden("record-v1-events.hex") + "x";
  std::string error;
  std::vector<RowView> rows(1);
  ck_assert(!read_record(bytes, error, &rows));
  ck_assert(!read_record(std::string_view(bytes).substr(0, bytes.size() - 9), error, &rows));
  ck_assert_uint_eq(rows.size(), 1);
}
END_TEST

START_TEST(a_row_in_a_copy_points_into_the_copy) {
  std::string bytes = golden("record-v1-events.hex");
  std::string error;
  std::vector<RowView> rows;
  read_record(bytes, error, &rows);
  const std::string tuple(rows[0].tuple);
  const RowView row = row_in_copy(rows[0], tuple);
  const RowView bare = row_in_copy(rows[1], std::string(rows[1].tuple));
  bytes.assign(bytes.size(), 'x');
  ck_assert_view_eq(row.tenant, "default");
  ck_assert_view_eq(row.user.bytes, "user-1");
  ck_assert_view_eq(row.event, "recording_completed");
  ck_assert_view_eq(row.properties, "{\"audio_duration_seconds\":90.5,\"note\":\"ñandú\"}");
  ck_assert(bare.properties.empty());
}
END_TEST

START_TEST(splits_nulls_as_nulls_and_empty_texts_as_empty) {
  RecordWriter writer;
  writer.begin(RecordKind::events, "", kReceived);
  write_bare_event(writer, kReceived, "");
  std::string error;
  const auto record = read_record(writer.finish(), error);
  ck_assert_msg(record.has_value(), "%s", error.c_str());
  const auto row = RowCursor(*record).next();
  Columns columns;
  split_row(row->tuple, columns);
  ck_assert(!columns[1].is_null && columns[1].bytes.empty());
  ck_assert(columns[3].is_null);
}
END_TEST

START_TEST(a_row_that_was_not_ended_is_dropped) {
  RecordWriter writer;
  writer.begin(RecordKind::events, "default", kReceived);
  writer.begin_row();
  writer.text("half a row");
  write_bare_event(writer);
  writer.begin_row();
  writer.text("another half");
  ck_assert_uint_eq(writer.rows(), 1);
  ck_assert(writer.finish() == one_event());
}
END_TEST

START_TEST(a_writer_forgets_the_record_before) {
  RecordWriter writer;
  writer.begin(RecordKind::crashes, "acme", 1);
  write_crash(writer);
  writer.finish();
  writer.begin(RecordKind::events, "default", kReceived);
  write_bare_event(writer);
  ck_assert(writer.finish() == one_event());
}
END_TEST

START_TEST(a_row_can_be_moved_into_another_record) {
  const std::string bytes = golden("record-v1-events.hex");
  std::string error;
  const auto record = read_record(bytes, error);
  RowCursor rows(*record);
  rows.next();
  RecordWriter writer;
  writer.begin(record->kind, record->tenant, record->received_at);
  writer.row(rows.next()->tuple);
  ck_assert(writer.finish() == one_event());
}
END_TEST

// Each value of a row comes to stand where the room ends, with one length of tenant or another.
START_TEST(a_writer_keeps_every_byte_when_its_room_ends_anywhere) {
  for (std::size_t size = 0; size <= kMaxTenant; ++size) {
    const std::string tenant(size, 't');
    RecordWriter writer;
    writer.begin(RecordKind::events, tenant, kReceived);
    while (writer.size() < 3000) write_bare_event(writer, kReceived, tenant);
    std::string error;
    const auto record = read_record(writer.finish(), error);
    ck_assert_msg(record.has_value(), "%zu: %s", size, error.c_str());
    RowCursor rows(*record);
    const std::string first(rows.next()->tuple);
    while (const auto row = rows.next()) ck_assert_view_eq(row->tuple, first);
    ck_assert_uint_ge(writer.memory(), writer.size());
  }
}
END_TEST

START_TEST(a_record_without_rows_is_one) {
  RecordWriter writer;
  writer.begin(RecordKind::events, "default", kReceived);
  std::string error;
  const auto record = read_record(writer.finish(), error);
  ck_assert(record && record->row_count == 0 && !RowCursor(*record).next());
}
END_TEST

START_TEST(a_tenant_of_255_bytes_fits) {
  const std::string tenant(kMaxTenant, 't');
  RecordWriter writer;
  writer.begin(RecordKind::events, tenant, kReceived);
  write_bare_event(writer, kReceived, tenant);
  std::string error;
  const auto record = read_record(writer.finish(), error);
  ck_assert_msg(record.has_value(), "%s", error.c_str());
  ck_assert_view_eq(record->tenant, tenant);
}
END_TEST

START_TEST(a_row_without_a_time_of_its_own_needs_the_wide_check) {
  RowView row{};
  row.id = id("5e884898-da28-4047-9151-e56f8dc62927");
  row.received_at = row.client_timestamp = kReceived;
  ck_assert(row.needs_wide_check());
  row.client_timestamp = kReceived - 1;
  ck_assert(!row.needs_wide_check());
  row.client_timestamp = kReceived;
  row.id = id("018f4e2a-7b1c-7d3e-9a5f-0123456789ab");  // of another time than was taken from it
  ck_assert(row.needs_wide_check());
}
END_TEST

START_TEST(a_row_that_the_edge_named_needs_no_wide_check) {
  weir::UuidSource ids;
  RowView row{};
  row.received_at = row.client_timestamp = kReceived + 321;
  row.id = ids.next(row.received_at);
  ck_assert(!row.needs_wide_check());
}
END_TEST

START_TEST(every_shorter_piece_of_a_record_is_refused) {
  const std::string bytes = golden("record-v1-events.hex");
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    std::string error;
    ck_assert_msg(!read_record(std::string_view(bytes).substr(0, size), error),
                  "the first %zu bytes were accepted", size);
    ck_assert(!error.empty());
  }
}
END_TEST

START_TEST(names_what_is_wrong_with_a_header) {
  const std::string good = one_event();
  ck_assert_view_eq(error_of(""), "the record is empty");
  ck_assert_view_eq(error_of(with(good, 0, "\2")), "version 2 is not known");
  ck_assert_view_eq(error_of(with(good, 1, "\3")), "kind 3 is not known");
  ck_assert_view_eq(error_of(good.substr(0, 20)), "the header is cut short");
  ck_assert_view_eq(error_of(with(good, 5, "\2")), "row 1: it is cut short");
  ck_assert_view_eq(error_of(with(good, 2, "\xFF\xFF\xFF\xFF")), "row 1: it is cut short");
  ck_assert_view_eq(error_of(good + "x"), "bytes follow the last row");
  ck_assert_view_eq(error_of(with(good, 6, "\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF")),
                    "the time of receipt is outside the years 1 to 9999");
}
END_TEST

START_TEST(tells_a_newer_version_from_what_is_no_record) {
  ck_assert(newer_version("\x02rest") == std::uint8_t{2});
  ck_assert(newer_version("\x1F") == kLastVersion);
  for (const std::string_view bytes : {"", "\x01", "\x20", "\x77", "\xFF"}) {
    ck_assert(!newer_version(bytes));
  }
  ck_assert(!newer_version(std::string_view("\0", 1)));
}
END_TEST

START_TEST(names_what_is_wrong_with_a_row) {
  const std::string good = one_event();
  ck_assert_view_eq(error_of(with(good, kFirstRow + 1, "\x0D")),
                    "row 0: it has 13 columns instead of 12");
  ck_assert_view_eq(error_of(with(good, kFirstRow, "\xFF\xFF")),
                    "row 0: it has 65535 columns instead of 12");
  ck_assert_view_eq(error_of(with(good, kFirstRow + 2, "\x7F")), "row 0: event_id is cut short");
  ck_assert_view_eq(error_of(with(good, kFirstRow + 2, "\xFF\xFF\xFF\xFE")),
                    "row 0: event_id is cut short");
  ck_assert_view_eq(error_of(with(good, kFirstRow + 26, "D")), "row 0: it is another tenant's");
  ck_assert_view_eq(error_of(with(good, good.size() - 1, "\x01")),
                    "row 0: it was received at another time than its record");
}
END_TEST

START_TEST(an_id_that_is_null_or_of_another_length_is_refused) {
  std::string bytes = one_event();
  bytes.replace(kFirstRow + 2, 20, "\xFF\xFF\xFF\xFF");
  ck_assert_view_eq(error_of(bytes), "row 0: its id is no UUID");
  bytes.replace(kFirstRow + 2, 4, std::string("\0\0\0\1x", 5));
  ck_assert_view_eq(error_of(bytes), "row 0: its id is no UUID");
}
END_TEST

START_TEST(times_that_are_null_infinite_or_past_9999_are_refused) {
  const std::string good = one_event();
  const std::string reason = "row 0: client_timestamp is no time in the years 1 to 9999";
  const std::size_t at = good.size() - 20;
  for (const char* bits : {"7FFFFFFFFFFFFFFF", "8000000000000000"}) {
    std::string patch;
    for (int i = 0; i < 8; ++i) {
      patch += static_cast<char>(std::stoi(std::string(bits + 2 * i, 2), nullptr, 16));
    }
    ck_assert_view_eq(error_of(with(good, at, patch)), reason);
  }
  RecordWriter writer;
  writer.begin(RecordKind::events, "default", kReceived);
  write_bare_event(writer, 253'402'300'800'000'000);
  ck_assert_view_eq(error_of(writer.finish()), reason);
  writer.begin(RecordKind::events, "default", kReceived);
  write_bare_event(writer, -62'135'596'800'000'001);
  ck_assert_view_eq(error_of(writer.finish()), reason);
  std::string null = good;
  null.replace(at - 4, 12, "\xFF\xFF\xFF\xFF");
  ck_assert_view_eq(error_of(null), reason);
}
END_TEST

START_TEST(the_first_and_the_last_microsecond_of_the_years_are_taken) {
  for (const Timestamp time : {-62'135'596'800'000'000, 253'402'300'799'999'999}) {
    RecordWriter writer;
    writer.begin(RecordKind::events, "default", kReceived);
    write_bare_event(writer, time);
    std::string error;
    const auto record = read_record(writer.finish(), error);
    ck_assert_msg(record.has_value(), "%s", error.c_str());
    ck_assert_int_eq(RowCursor(*record).next()->client_timestamp, time);
  }
}
END_TEST

START_TEST(jsonb_of_another_version_is_refused) {
  const std::string bytes = golden("record-v1-cli.hex");
  const std::size_t json = bytes.find("\x01{");
  ck_assert_view_eq(error_of(with(bytes, json, "\2")), "row 0: its jsonb is not of version 1");
}
END_TEST

START_TEST(a_damaged_record_is_refused_or_walks_all_its_rows) {
  const std::string good = golden("record-v1-events.hex");
  std::mt19937 random(7);
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = good;
    for (unsigned hits = 1 + random() % 4; hits > 0; --hits) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    std::string error;
    const auto record = read_record(bytes, error);
    if (!record) continue;
    std::uint32_t rows = 0;
    for (RowCursor cursor(*record); cursor.next();) ++rows;
    ck_assert_uint_eq(rows, record->row_count);
  }
}
END_TEST

const weir_test::Register kRegistered("record",
                                      {writes_the_golden_events,
                                       writes_the_golden_crash,
                                       writes_the_golden_cli_event,
                                       reads_the_golden_events,
                                       reads_the_golden_crash_with_its_time_before_2000,
                                       splits_a_row_into_its_columns,
                                       shows_all_rows_at_once_as_the_cursor_does,
                                       shows_no_row_of_a_record_that_is_refused,
                                       a_row_in_a_copy_points_into_the_copy,
                                       splits_nulls_as_nulls_and_empty_texts_as_empty,
                                       a_row_that_was_not_ended_is_dropped,
                                       a_writer_forgets_the_record_before,
                                       a_row_can_be_moved_into_another_record,
                                       a_writer_keeps_every_byte_when_its_room_ends_anywhere,
                                       a_record_without_rows_is_one,
                                       a_tenant_of_255_bytes_fits,
                                       a_row_without_a_time_of_its_own_needs_the_wide_check,
                                       a_row_that_the_edge_named_needs_no_wide_check,
                                       every_shorter_piece_of_a_record_is_refused,
                                       names_what_is_wrong_with_a_header,
                                       tells_a_newer_version_from_what_is_no_record,
                                       names_what_is_wrong_with_a_row,
                                       an_id_that_is_null_or_of_another_length_is_refused,
                                       times_that_are_null_infinite_or_past_9999_are_refused,
                                       the_first_and_the_last_microsecond_of_the_years_are_taken,
                                       jsonb_of_another_version_is_refused,
                                       a_damaged_record_is_refused_or_walks_all_its_rows});
