// One request's accepted rows, as they travel through Redis: docs/record.md describes version 1.
//
// A record is a header followed by tuples of PostgreSQL's binary COPY format, so that the flusher
// hands them to COPY as they are. Integers are big-endian, as COPY has them.
//
//   RecordWriter writer;                       // reused from request to request
//   writer.begin(RecordKind::events, "default", now);
//   writer.begin_row();
//   writer.uuid(id); writer.text("default"); … // every column of kEventColumns, in its order
//   writer.end_row();
//   courier.submit(writer.finish(), …);
//
//   auto record = read_record(bytes, error);   // the flusher's side: checked to the last byte
//   for (RowCursor rows(*record); auto row = rows.next();) …
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/event/timestamp.h"
#include "core/event/uuid.h"

namespace weir {

constexpr std::uint8_t kRecordVersion = 1;

// Names of columns and kinds are part of version 1.
enum class RecordKind : std::uint8_t { events = 1, crashes = 2 };

// The columns of a row, in the order of a record's tuples. Both kinds begin with the row's identity
// and its tenant and end with its three times: that is all the flusher looks at.
constexpr std::array<std::string_view, 12> kEventColumns = {
    "event_id",   "tenant_id",   "user_id",          "session_id",
    "event",      "app_version", "platform",         "country",
    "properties", "timestamp",   "client_timestamp", "received_at"};
constexpr std::array<std::string_view, 13> kCrashColumns = {
    "crash_id",   "tenant_id",        "user_id",     "app_version", "os_version",
    "crash_type", "error_message",    "stack_trace", "fingerprint", "context",
    "timestamp",  "client_timestamp", "received_at"};

// The field of the XADD entry that holds the record.
constexpr std::string_view kRecordField = "r";

// Of a record's bytes. A courier carries one beside others (CourierSettings::max_output), the spool
// and the flusher hold one at a time in memory.
constexpr std::size_t kMaxRecord = 32 << 20;

// Of a tenant's name: its length travels in one byte.
constexpr std::size_t kMaxTenant = 255;

// Builds a record in one buffer that it keeps. Columns have to be given in the table's order, all
// of them; a row that was begun but not ended is dropped by the next begin_row() or finish(). Not
// for two threads at once.
class RecordWriter {
 public:
  // Starts a record and forgets the one before. `tenant` has at most kMaxTenant bytes.
  void begin(RecordKind kind, std::string_view tenant, Timestamp received_at);

  void begin_row();
  void null();
  void text(std::string_view utf8);
  void uuid(const Uuid& value);
  void time(Timestamp value);
  void json(std::string_view document);  // a whole JSON document, for a jsonb column
  void end_row();

  // Bytes that it has room for.
  std::size_t memory() const { return bytes_.capacity(); }

  // A whole row, taken from another record of the same kind, tenant and time of receipt.
  void row(std::string_view tuple);

  std::uint32_t rows() const { return rows_; }
  std::size_t size() const { return end_; }  // in bytes, of all whole rows

  // The record's bytes, valid until the next begin().
  std::string_view finish();

 private:
  void put_length(std::size_t size);  // of the value that follows
  void put_value(std::string_view bytes);

  std::string bytes_;
  std::size_t end_ = 0;  // of the last whole row
  RecordKind kind_ = RecordKind::events;
  std::uint32_t rows_ = 0;
};

// One row inside a record, with what the flusher needs to know of it.
struct RowView {
  std::string_view tuple;  // as COPY wants it
  Uuid id;
  std::string_view tenant;
  Timestamp client_timestamp;
  Timestamp received_at;

  // True if the client named the event but gave no time with it: a retry then arrives with another
  // client_timestamp, perhaps in another partition, where a unique index does not see it. The time
  // of receipt also stands in ids that the edge made, to the millisecond; those no client repeats.
  bool needs_wide_check() const {
    return client_timestamp == received_at &&
           uuid_time(id) != received_at - received_at % kMicrosPerMillisecond;
  }
};

struct RecordView {
  RecordKind kind;
  std::string_view tenant;
  Timestamp received_at;
  std::uint32_t row_count;
  std::string_view rows;  // row_count tuples, one after the other
};

// Checks all of `bytes`: version, kind, lengths, number of columns of each row, that each row's
// tenant and receipt are the record's, that times lie in the years 1 to 9999, and jsonb's version.
// None, and a sentence in `error`, if anything is off; the flusher never trusts the buffer further
// than this. The sentence names rows and columns, never what they hold. The views point into
// `bytes`.
std::optional<RecordView> read_record(std::string_view bytes, std::string& error);

// The version of a record that a newer Weir wrote, which this one cannot read yet; none for all
// that it can read, and for what never was a record: versions count up, and none is beyond
// kLastVersion.
constexpr std::uint8_t kLastVersion = 31;
std::optional<std::uint8_t> newer_version(std::string_view bytes);

// The header of a record alone (`rows` is empty): whose it is, where the rows cannot be read.
std::optional<RecordView> read_header(std::string_view bytes);

// Walks the rows of a record that read_record() has passed.
class RowCursor {
 public:
  explicit RowCursor(const RecordView& record) : record_(record), rest_(record.rows) {}
  std::optional<RowView> next();

 private:
  RecordView record_;
  std::string_view rest_;
};

// One value of a row, as COPY's binary format has it.
struct Column {
  bool is_null = true;
  std::string_view bytes;
};
using Columns = std::array<Column, kCrashColumns.size()>;

// Cuts a tuple of a record that read_record() has passed into its values, in the order of
// kEventColumns or kCrashColumns. Returns how many there are.
std::size_t split_row(std::string_view tuple, Columns& columns);

}  // namespace weir
