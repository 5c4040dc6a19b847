// Whatever arrives from Redis, read_record() refuses it or RowCursor walks exactly its rows.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/record/record.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  std::string error;
  const auto record = weir::read_record(bytes, error);
  if (!record) {
    if (error.empty()) std::abort();
    return 0;
  }
  std::uint32_t rows = 0;
  std::size_t row_bytes = 0;
  weir::RowCursor cursor(*record);
  while (const auto row = cursor.next()) {
    weir::Columns columns;
    if (weir::split_row(row->tuple, columns) < weir::kEventColumns.size()) std::abort();
    row_bytes += row->tuple.size();
    ++rows;
  }
  if (rows != record->row_count || row_bytes != record->rows.size()) std::abort();
  return 0;
}
