#include "core/record/record.h"

#include <endian.h>

#include <algorithm>
#include <cstring>

namespace weir {
namespace {

constexpr std::size_t kRowCountAt = 2;
constexpr std::size_t kHeader = 15;       // bytes in front of the tenant's name
constexpr std::size_t kFirstRoom = 1024;  // holds most single events
constexpr std::size_t kTenantAt = 1, kUserAt = 2;
constexpr std::size_t kEventAt = 4, kEventJson = 8;  // event, properties
constexpr std::size_t kCrashJson = 9;                // context

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

  bool number(std::uint8_t& value) { return take(value); }
  bool number(std::uint16_t& value) { return take(value) && (value = be16toh(value), true); }
  bool number(std::uint32_t& value) { return take(value) && (value = be32toh(value), true); }
  bool number(std::uint64_t& value) { return take(value) && (value = be64toh(value), true); }

  bool slice(std::size_t size, std::string_view& out) {
    if (size > rest_.size()) return false;
    out = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return true;
  }

  bool column(Column& out) {
    std::uint32_t length = 0;
    if (!number(length)) return false;
    out.is_null = length == 0xFFFF'FFFF;
    out.bytes = {};
    return out.is_null || slice(length, out.bytes);
  }

  std::string_view rest() const { return rest_; }

 private:
  template <typename Unsigned>
  bool take(Unsigned& value) {
    if (sizeof value > rest_.size()) return false;
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_.remove_prefix(sizeof value);
    return true;
  }

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
  Bytes(column.bytes).number(bits);
  return time_from_copy(bits);
}

// Three times end a row.
struct Times {
  Timestamp happened, client, received;
};

// What is wrong with one row's values; empty if nothing is.
std::string_view fault_in_values(const RecordView& record, const Columns& columns) {
  if (columns[0].is_null || columns[0].bytes.size() != sizeof(Uuid)) return "its id is no UUID";
  if (columns[kTenantAt].is_null || columns[kTenantAt].bytes != record.tenant) {
    return "it is another tenant's";
  }
  const Column& json = columns[record.kind == RecordKind::events ? kEventJson : kCrashJson];
  if (!json.is_null && (json.bytes.empty() || json.bytes[0] != kJsonbVersion)) {
    return "its jsonb is not of version 1";
  }
  return {};
}

std::string fault_in_times(const RecordView& record, const Columns& columns, std::size_t count,
                           Times& times) {
  std::size_t at = count - 3;
  for (Timestamp* time : {&times.happened, &times.client, &times.received}) {
    const auto value = time_from_column(columns[at]);
    if (!value) {
      return std::string(column_name(record.kind, at)) + " is no time in the years 1 to 9999";
    }
    *time = *value;
    ++at;
  }
  if (times.received != record.received_at) {
    return "it was received at another time than its record";
  }
  return {};
}

void fill_view(const RecordView& record, const Columns& columns, const Times& times,
               std::string_view tuple, RowView& row) {
  row.tuple = tuple;
  std::memcpy(row.id.data(), columns[0].bytes.data(), row.id.size());
  row.tenant = record.tenant;
  row.client_timestamp = times.client;
  row.received_at = times.received;
  row.user = columns[kUserAt];
  if (record.kind != RecordKind::events) return;
  row.event = columns[kEventAt].bytes;
  if (!columns[kEventJson].is_null) row.properties = columns[kEventJson].bytes.substr(1);
  row.time = times.happened;
}

// Takes one row off `bytes`, and shows it in `view` if there is one. Returns what is wrong with it;
// empty if nothing is.
std::string fault_in_row(const RecordView& record, Bytes& bytes, RowView* view) {
  const std::string_view from_here = bytes.rest();
  const std::size_t wanted = column_count(record.kind);
  std::uint16_t count = 0;
  if (!bytes.number(count)) return "it is cut short";
  if (count != wanted) {
    return "it has " + std::to_string(count) + " columns instead of " + std::to_string(wanted);
  }
  Columns columns;
  for (std::size_t i = 0; i < wanted; ++i) {
    if (!bytes.column(columns[i])) {
      return std::string(column_name(record.kind, i)) + " is cut short";
    }
  }
  Times times{};
  std::string fault(fault_in_values(record, columns));
  if (fault.empty()) fault = fault_in_times(record, columns, wanted, times);
  if (!fault.empty() || view == nullptr) return fault;
  const auto tuple = from_here.substr(0, from_here.size() - bytes.rest().size());
  fill_view(record, columns, times, tuple, *view);
  return {};
}

std::string fault_in_header(Bytes& bytes, RecordView& record) {
  std::uint8_t version = 0, kind = 0, tenant_length = 0;
  std::uint32_t rows = 0;
  std::uint64_t received_at = 0;
  if (!bytes.number(version)) return "the record is empty";
  if (version != kRecordVersion) return "version " + std::to_string(version) + " is not known";
  if (!bytes.number(kind) || !bytes.number(rows) || !bytes.number(received_at) ||
      !bytes.number(tenant_length) || !bytes.slice(tenant_length, record.tenant)) {
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
  record.row_count = rows;
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

std::optional<RecordView> read_record(std::string_view bytes, std::string& error,
                                      std::vector<RowView>* rows) {
  const std::size_t rows_before = rows == nullptr ? 0 : rows->size();
  const auto refuse = [&]() -> std::optional<RecordView> {
    if (rows != nullptr) rows->resize(rows_before);
    return std::nullopt;
  };
  Bytes rest(bytes);
  RecordView record{};
  error = fault_in_header(rest, record);
  if (!error.empty()) return std::nullopt;
  record.rows = rest.rest();
  for (std::uint32_t row = 0; row < record.row_count; ++row) {
    RowView* view = rows == nullptr ? nullptr : &rows->emplace_back();
    const std::string fault = fault_in_row(record, rest, view);
    if (fault.empty()) continue;
    error = "row " + std::to_string(row) + ": " + fault;
    return refuse();
  }
  if (rest.rest().empty()) return record;
  error = "bytes follow the last row";
  return refuse();
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
  RowView row;
  Bytes rest(rest_);
  // Where there is a fault, this is no record that read_record() has passed.
  if (!fault_in_row(record_, rest, &row).empty()) return std::nullopt;
  rest_ = rest.rest();
  return row;
}

RowView row_in_copy(const RowView& row, std::string_view tuple) {
  const auto moved = [&](std::string_view view) {
    if (view.empty()) return view;
    return std::string_view(tuple.data() + (view.data() - row.tuple.data()), view.size());
  };
  RowView copy = row;
  copy.tuple = tuple;
  // The record's own tenant stands before its rows, and in each of them.
  Columns columns;
  split_row(tuple, columns);
  copy.tenant = columns[kTenantAt].bytes;
  copy.user.bytes = moved(row.user.bytes);
  copy.event = moved(row.event);
  copy.properties = moved(row.properties);
  return copy;
}

std::size_t split_row(std::string_view tuple, Columns& columns) {
  Bytes bytes(tuple);
  std::uint16_t count = 0;
  bytes.number(count);
  const std::size_t columns_here = std::min<std::size_t>(count, columns.size());
  for (std::size_t i = 0; i < columns_here; ++i) bytes.column(columns[i]);
  return columns_here;
}

}  // namespace weir
