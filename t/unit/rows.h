// Looks into a record's rows as the database would: column by column, by name.
#pragma once

#include <check.h>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/record/record.h"

namespace weir_test {

using Row = std::map<std::string, std::optional<std::string>, std::less<>>;

inline std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

template <std::size_t N>
Row read_tuple(std::string_view tuple, const std::array<std::string_view, N>& columns) {
  Row row;
  ck_assert_uint_eq(big_endian(tuple.substr(0, 2)), N);
  std::size_t at = 2;
  for (const std::string_view column : columns) {
    const auto size = static_cast<std::int32_t>(big_endian(tuple.substr(at, 4)));
    at += 4;
    std::optional<std::string>& value = row[std::string(column)];
    if (size < 0) continue;
    value = std::string(tuple.substr(at, static_cast<std::size_t>(size)));
    at += static_cast<std::size_t>(size);
  }
  ck_assert_uint_eq(at, tuple.size());
  return row;
}

inline std::vector<Row> read_rows(std::string_view bytes) {
  std::string error;
  const auto record = weir::read_record(bytes, error);
  ck_assert_msg(record.has_value(), "%s", error.c_str());
  std::vector<Row> rows;
  weir::RowCursor cursor(*record);
  while (const auto row = cursor.next()) {
    rows.push_back(record->kind == weir::RecordKind::events
                       ? read_tuple(row->tuple, weir::kEventColumns)
                       : read_tuple(row->tuple, weir::kCrashColumns));
  }
  ck_assert_uint_eq(rows.size(), record->row_count);
  return rows;
}

// A timestamp column as microseconds since 1970 (PostgreSQL counts from 2000).
inline std::int64_t micros(const std::optional<std::string>& column) {
  ck_assert(column.has_value());
  return static_cast<std::int64_t>(big_endian(*column)) + 946684800LL * 1000000;
}

}  // namespace weir_test
