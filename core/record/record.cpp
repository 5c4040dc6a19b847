#include "core/record/record.h"

#include <algorithm>

namespace weir {
namespace {

// The years 1 to 9999, as Weir's timestamps have them: PostgreSQL could store more, but its
// infinities are no times, and no client lives outside.
constexpr Timestamp kFirstTime = -62'135'596'800 * kMicrosPerSecond;
constexpr Timestamp kEndOfTime = 253'402'300'800 * kMicrosPerSecond;

constexpr std::size_t kRowCountAt = 2;
constexpr std::size_t kHeader = 15;       // bytes in front of the tenant's name
constexpr std::size_t kFirstRoom = 1024;  // holds most single events
constexpr std::size_t kEventJson = 8;     // properties
constexpr std::size_t kCrashJson = 9;     // context

std::size_t column_count(RecordKind kind) {
  return kind == RecordKind::events ? kEventColumns.size() : kCrashColumns.size();
}

std::string_view column_name(RecordKind kind, std::size_t index) {
  return kind == RecordKind::events ? kEventColumns[index] : kCrashColumns[index];
}

// Takes big-endian integers and slices off the front of what is left.
class Bytes {
 public:
  explicit Bytes(std::string_view rest) : rest_(rest) {}

  bool number(std::size_t size, std::uint64_t& value) {
    std::string_view digits;
    if (!slice(size, digits)) return false;
    value = 0;
    for (const char digit : digits) value = value << 8 | static_cast<unsigned char>(digit);
    return true;
  }

  bool slice(std::size_t size, std::string_view& out) {
    if (size > rest_.size()) return false;
    out = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return true;
  }

  bool column(Column& out) {
    std::uint64_t length = 0;
    if (!number(4, length)) return false;
    out.is_null = length == 0xFFFF'FFFF;
    out.bytes = {};
    return out.is_null || slice(length, out.bytes);
  }

  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

// COPY's count of microseconds, which may be any 64 bits. None outside the years that Weir takes.
std::optional<Timestamp> time_from_copy(std::uint64_t bits) {
  const auto micros = static_cast<std::int64_t>(bits);
  if (micros < kFirstTime - kCopyEpoch || micros >= kEndOfTime - kCopyEpoch) return std::nullopt;
  return micros + kCopyEpoch;
}

std::optional<Timestamp> time_from_column(const Column& column) {
  std::uint64_t bits = 0;
  if (column.is_null || column.bytes.size() != sizeof bits) return std::nullopt;
  Bytes(column.bytes).number(sizeof bits, bits);
  return time_from_copy(bits);
}

// What is wrong with one row's values; empty if nothing is.
std::string fault_in_columns(const RecordView& record, const Columns& columns, std::size_t count) {
  if (columns[0].is_null || columns[0].bytes.size() != sizeof(Uuid)) return "its id is no UUID";
  if (columns[1].is_null || columns[1].bytes != record.tenant) return "it is another tenant's";
  const Column& json = columns[record.kind == RecordKind::events ? kEventJson : kCrashJson];
  if (!json.is_null && (json.bytes.empty() || json.bytes[0] != kJsonbVersion)) {
    return "its jsonb is not of version 1";
  }
  for (std::size_t i = count - 3; i < count; ++i) {
    if (!time_from_column(columns[i])) {
      return std::string(column_name(record.kind, i)) + " is no time in the years 1 to 9999";
    }
  }
  if (time_from_column(columns[count - 1]) != record.received_at) {
    return "it was received at another time than its record";
  }
  return {};
}

// Takes one row off `bytes`. Returns what is wrong with it; empty if nothing is.
std::string fault_in_row(const RecordView& record, Bytes& bytes) {
  const std::size_t wanted = column_count(record.kind);
  std::uint64_t count = 0;
  if (!bytes.number(2, count)) return "it is cut short";
  if (count != wanted) {
    return "it has " + std::to_string(count) + " columns instead of " + std::to_string(wanted);
  }
  Columns columns;
  for (std::size_t i = 0; i < wanted; ++i) {
    if (!bytes.column(columns[i])) {
      return std::string(column_name(record.kind, i)) + " is cut short";
    }
  }
  return fault_in_columns(record, columns, wanted);
}

std::string fault_in_header(Bytes& bytes, RecordView& record) {
  std::uint64_t version = 0, kind = 0, rows = 0, received_at = 0, tenant_length = 0;
  if (!bytes.number(1, version)) return "the record is empty";
  if (version != kRecordVersion) return "version " + std::to_string(version) + " is not known";
  if (!bytes.number(1, kind) || !bytes.number(4, rows) || !bytes.number(8, received_at) ||
      !bytes.number(1, tenant_length) || !bytes.slice(tenant_length, record.tenant)) {
    return "the header is cut short";
  }
  if (kind != static_cast<std::uint8_t>(RecordKind::events) &&
      kind != static_cast<std::uint8_t>(RecordKind::crashes)) {
    return "kind " + std::to_string(kind) + " is not known";
  }
  const auto time = time_from_copy(received_at);
  if (!time) return "the time of receipt is outside the years 1 to 9999";
  record.kind = static_cast<RecordKind>(kind);
  record.received_at = *time;
  record.row_count = static_cast<std::uint32_t>(rows);
  return {};
}

}  // namespace

void RecordWriter::begin(RecordKind kind, std::string_view tenant, Timestamp received_at) {
  tenant = tenant.substr(0, kMaxTenant);
  columns_ = static_cast<std::uint16_t>(column_count(kind));
  rows_ = 0;
  used_ = 0;
  char* at = take_room(kHeader + tenant.size());
  at[0] = static_cast<char>(kRecordVersion);
  at[1] = static_cast<char>(kind);
  store_big_endian(at + kRowCountAt, std::uint32_t{0});  // finish() writes the number of rows
  store_big_endian(at + 6, static_cast<std::uint64_t>(received_at - kCopyEpoch));
  at[14] = static_cast<char>(tenant.size());
  put(at + kHeader, tenant);
  end_ = used_;
}

void RecordWriter::row(std::string_view tuple) {
  used_ = end_;
  put(take_room(tuple.size()), tuple);
  end_row();
}

std::string_view RecordWriter::finish() {
  used_ = end_;
  store_big_endian(bytes_.get() + kRowCountAt, rows_);
  return {bytes_.get(), end_};
}

// Makes room for `size` bytes more, and for as many again as there are, so that a record that grows
// is not copied too often.
void RecordWriter::grow(std::size_t size) {
  const std::size_t room = std::max({kFirstRoom, 2 * room_, used_ + size});
  std::unique_ptr<char[]> bytes(new char[room]);
  put(bytes.get(), {bytes_.get(), used_});
  bytes_ = std::move(bytes);
  room_ = room;
}

std::optional<RecordView> read_record(std::string_view bytes, std::string& error) {
  Bytes rest(bytes);
  RecordView record{};
  error = fault_in_header(rest, record);
  if (!error.empty()) return std::nullopt;
  record.rows = rest.rest();
  for (std::uint32_t row = 0; row < record.row_count; ++row) {
    const std::string fault = fault_in_row(record, rest);
    if (!fault.empty()) {
      error = "row " + std::to_string(row) + ": " + fault;
      return std::nullopt;
    }
  }
  if (!rest.rest().empty()) {
    error = "bytes follow the last row";
    return std::nullopt;
  }
  return record;
}

std::optional<std::uint8_t> newer_version(std::string_view bytes) {
  if (bytes.empty()) return std::nullopt;
  const auto version = static_cast<std::uint8_t>(bytes.front());
  if (version <= kRecordVersion || version > kLastVersion) return std::nullopt;
  return version;
}

std::optional<RecordView> read_header(std::string_view bytes) {
  Bytes rest(bytes);
  RecordView record{};
  if (!fault_in_header(rest, record).empty()) return std::nullopt;
  return record;
}

std::optional<RowView> RowCursor::next() {
  if (rest_.empty()) return std::nullopt;
  Columns columns;
  const std::size_t count = split_row(rest_, columns);
  const auto client_timestamp = time_from_column(columns[count - 2]);
  if (!client_timestamp) return std::nullopt;  // not a record that read_record() has passed
  RowView row{};
  const std::string_view last = columns[count - 1].bytes;
  row.tuple = rest_.substr(0, static_cast<std::size_t>(last.data() + last.size() - rest_.data()));
  std::copy_n(columns[0].bytes.begin(), row.id.size(), row.id.begin());
  row.tenant = record_.tenant;
  row.client_timestamp = *client_timestamp;
  row.received_at = record_.received_at;
  rest_.remove_prefix(row.tuple.size());
  return row;
}

std::size_t split_row(std::string_view tuple, Columns& columns) {
  Bytes bytes(tuple);
  std::uint64_t count = 0;
  bytes.number(2, count);
  const std::size_t columns_here = std::min<std::size_t>(count, columns.size());
  for (std::size_t i = 0; i < columns_here; ++i) bytes.column(columns[i]);
  return columns_here;
}

}  // namespace weir
