// PostgreSQL's binary COPY format (https://www.postgresql.org/docs/15/sql-copy.html, "Binary
// Format"), as far as the flusher writes it: a file's frame, and the narrow rows of its temporary
// tables. Rows of events and crashes come out of the records as they are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/record/record.h"

namespace weir::flusher {

// Signature, flags and the length of a header extension, which there is none.
inline constexpr std::string_view kCopyHeader("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
inline constexpr std::string_view kCopyTrailer("\377\377", 2);

namespace copy_format {

// Where a record's rows have what the roll-ups want.
constexpr std::size_t kTenant = 1, kUser = 2;
constexpr std::size_t kCrashTime = 10;
static_assert(kEventColumns[kTenant] == "tenant_id" && kCrashColumns[kTenant] == "tenant_id");
static_assert(kEventColumns[kUser] == "user_id" && kCrashColumns[kUser] == "user_id");
static_assert(kCrashColumns[kCrashTime] == "timestamp");

template <typename Unsigned>
void append_integer(std::string& out, Unsigned value) {
  char bytes[sizeof value];
  store_big_endian(bytes, value);
  out.append(bytes, sizeof value);
}

inline void append_value(std::string& out, std::string_view bytes) {
  append_integer(out, static_cast<std::uint32_t>(bytes.size()));
  out += bytes;
}

inline void append_column(std::string& out, const Column& column) {
  if (column.is_null) {
    append_integer(out, std::uint32_t{0xFFFF'FFFF});
  } else {
    append_value(out, column.bytes);
  }
}

}  // namespace copy_format

// For arriving_ids (n, tenant_id, id, client_timestamp, wide).
inline void append_arriving_id(std::string& out, std::uint32_t n, const RowView& row) {
  using namespace copy_format;
  Columns columns;
  const std::size_t count = split_row(row.tuple, columns);
  append_integer(out, std::uint16_t{5});
  append_integer(out, std::uint32_t{4});
  append_integer(out, static_cast<std::uint32_t>(n));
  append_column(out, columns[kTenant]);
  append_column(out, columns[0]);
  append_column(out, columns[count - 2]);
  append_value(out, row.needs_wide_check() ? std::string_view("\1", 1) : std::string_view("\0", 1));
}

// For added_crashes (tenant_id, user_id, "timestamp").
inline void append_added_crash(std::string& out, const RowView& row) {
  using namespace copy_format;
  Columns columns;
  split_row(row.tuple, columns);
  append_integer(out, std::uint16_t{3});
  append_column(out, columns[kTenant]);
  append_column(out, columns[kUser]);
  append_column(out, columns[kCrashTime]);
}

}  // namespace weir::flusher
