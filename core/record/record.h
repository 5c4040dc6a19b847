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
//   read_record(bytes, error, &rows);          // the same at once, which is quicker
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/event/timestamp.h"
#include "core/event/uuid.h"
#include "core/record/big_endian.h"

namespace weir {

constexpr std::uint8_t kRecordVersion = 1;

// Names of columns and kinds are part of version 1.
enum class RecordKind : std::uint8_t { events = 1, crashes = 2 };

// The columns of a row, in the order of a record's tuples. Both kinds begin with the row's
// identity, its tenant and its user, and end with its three times, which the flusher looks at.
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

// COPY counts microseconds from 2000-01-01 on, and has a version in front of a jsonb.
constexpr Timestamp kCopyEpoch = 10'957 * kMicrosPerDay;
constexpr char kJsonbVersion = 1;

// Builds a record in one buffer that it keeps. Columns have to be given in the table's order, all
// of them; a row that was begun but not ended is dropped by the next begin_row() or finish(). Not
// for two threads at once. What is called for each value stands here, so that a form's row becomes
// one stretch of code that stores lengths and copies texts.
class RecordWriter {
 public:
  // Starts a record and forgets the one before. `tenant` has at most kMaxTenant bytes.
  void begin(RecordKind kind, std::string_view tenant, Timestamp received_at);

  void begin_row() {
    used_ = end_;
    store_big_endian(take_room(2), columns_);
  }
  void null() { store_big_endian(take_room(4), kNull); }
  void text(std::string_view utf8) {
    char* at = take_room(4 + utf8.size());
    store_big_endian(at, static_cast<std::uint32_t>(utf8.size()));
    put(at + 4, utf8);
  }
  void uuid(const Uuid& value) {
    char* at = take_room(4 + value.size());
    store_big_endian(at, static_cast<std::uint32_t>(value.size()));
    std::memcpy(at + 4, value.data(), value.size());
  }
  void time(Timestamp value) {
    char* at = take_room(4 + sizeof value);
    store_big_endian(at, static_cast<std::uint32_t>(sizeof value));
    store_big_endian(at + 4, static_cast<std::uint64_t>(value - kCopyEpoch));
  }
  void json(std::string_view document) {  // a whole JSON document, for a jsonb column
    char* at = take_room(5 + document.size());
    store_big_endian(at, static_cast<std::uint32_t>(1 + document.size()));
    at[4] = kJsonbVersion;
    put(at + 5, document);
  }
  void end_row() {
    end_ = used_;
    ++rows_;
  }

  // Bytes that it has room for.
  std::size_t memory() const { return room_; }

  // A whole row, taken from another record of the same kind, tenant and time of receipt.
  void row(std::string_view tuple);

  std::uint32_t rows() const { return rows_; }
  std::size_t size() const { return end_; }  // in bytes, of all whole rows

  // The record's bytes, valid until the next begin() or forget().
  std::string_view finish();

  // Gives back its room, where that is more than `most` bytes.
  void forget(std::size_t most) {
    if (room_ > most) *this = RecordWriter();
  }

 private:
  static constexpr std::uint32_t kNull = 0xFFFF'FFFF;  // stands for a length

  // Where the next `size` bytes go.
  char* take_room(std::size_t size) {
    if (size > room_ - used_) grow(size);
    char* at = bytes_.get() + used_;
    used_ += size;
    return at;
  }
  static void put(char* at, std::string_view bytes) {
    if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
  }
  void grow(std::size_t size);

  std::unique_ptr<char[]> bytes_;
  std::size_t room_ = 0;  // bytes in all
  std::size_t used_ = 0;
  std::size_t end_ = 0;  // of the last whole row
  std::uint16_t columns_ = 0;
  std::uint32_t rows_ = 0;
};

// One value of a row, as COPY's binary format has it.
struct Column {
  bool is_null = true;
  std::string_view bytes;
};
using Columns = std::array<Column, kCrashColumns.size()>;

// One row inside a record, with what the flusher needs to know of it.
struct RowView {
  std::string_view tuple;  // as COPY wants it
  Uuid id{};
  std::string_view tenant;
  Timestamp client_timestamp = 0;
  Timestamp received_at = 0;

  // By which events are counted; of crashes only the first is set.
  Column user;
  std::string_view event;
  std::string_view properties;  // a JSON document; "" for none
  Timestamp time = 0;           // when it happened

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
// `bytes`. With `rows`, the record's rows are appended to them; none if anything is off.
std::optional<RecordView> read_record(std::string_view bytes, std::string& error,
                                      std::vector<RowView>* rows = nullptr);

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

// `row`, with all of its views in `tuple`, which is a copy of its own one.
RowView row_in_copy(const RowView& row, std::string_view tuple);

// Cuts a tuple of a record that read_record() has passed into its values, in the order of
// kEventColumns or kCrashColumns. Returns how many there are.
std::size_t split_row(std::string_view tuple, Columns& columns);

}  // namespace weir
