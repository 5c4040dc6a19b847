#include "ctl/dead_letter_text.h"

#include <cstring>
#include <iomanip>
#include <ostream>

#include "core/event/timestamp.h"
#include "core/event/uuid.h"
#include "core/record/record.h"
#include "ctl/terminal.h"

namespace weir::ctl {
namespace {

bool ends_with(std::string_view name, std::string_view end) {
  return name.size() >= end.size() && name.substr(name.size() - end.size()) == end;
}

std::int64_t copy_time(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return static_cast<std::int64_t>(value) + kCopyEpoch;
}

// By the column's name, as the table has it: ids are UUIDs but for a user's and a session's.
std::string value_of(std::string_view name, const Column& column) {
  if (column.is_null) return "NULL";
  if (name == "event_id" || name == "crash_id") {
    Uuid id{};
    if (column.bytes.size() != id.size()) return terminal_text(column.bytes);
    std::memcpy(id.data(), column.bytes.data(), id.size());
    return format_uuid(id);
  }
  if (name == "timestamp" || name == "client_timestamp" || ends_with(name, "_at")) {
    return format_time(copy_time(column.bytes));
  }
  if (name == "properties" || name == "context") return terminal_text(column.bytes.substr(1));
  return terminal_text(column.bytes);
}

void print_row(std::ostream& out, RecordKind kind, const RowView& row) {
  Columns columns;
  const std::size_t count = split_row(row.tuple, columns);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view name = kind == RecordKind::events ? kEventColumns[i] : kCrashColumns[i];
    out << "  " << std::left << std::setw(18) << name << value_of(name, columns[i]) << "\n";
  }
}

void print_record(std::ostream& out, const RecordView& record) {
  out << "record       version " << int{kRecordVersion} << ", "
      << (record.kind == RecordKind::events ? "events" : "crashes") << ", " << record.row_count
      << (record.row_count == 1 ? " row" : " rows") << ", received "
      << format_time(record.received_at) << "\n";
  RowCursor rows(record);
  for (std::uint32_t n = 1; const auto row = rows.next(); ++n) {
    out << "row " << n << "\n";
    print_row(out, record.kind, *row);
  }
}

void print_dump(std::ostream& out, std::string_view bytes) {
  const std::string hex = pg::hex(bytes.substr(0, kMostDump)).substr(2);
  for (std::size_t i = 0; i < hex.size(); i += 64) out << "  " << hex.substr(i, 64) << "\n";
  if (bytes.size() > kMostDump) out << "  … and " << bytes.size() - kMostDump << " bytes more\n";
}

}  // namespace

void print_letter(std::ostream& out, const DeadLetter& letter) {
  out << "dead letter  " << letter.id << "\n"
      << "tenant       " << terminal_text(letter.tenant) << "\n"
      << "received at  " << terminal_text(letter.received_at) << "\n"
      << "reason       " << terminal_text(letter.reason) << "\n"
      << "payload      " << letter.bytes << " bytes\n";
  std::string error;
  if (const auto record = read_record(letter.payload, error)) return print_record(out, *record);
  out << "record       none: " << terminal_text(error) << "\n";
  print_dump(out, letter.payload);
}

}  // namespace weir::ctl
