// Any body, at any kind of location: the answer is one of those that are documented and is JSON
// itself, and what was accepted is a record that the flusher takes and PostgreSQL can store.
#include <yajl/yajl_parse.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/http/intake.h"
#include "core/record/record.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

bool is_json(std::string_view text) {
  yajl_handle parser = yajl_alloc(nullptr, nullptr, nullptr);
  const bool good = yajl_parse(parser, reinterpret_cast<const unsigned char*>(text.data()),
                               text.size()) == yajl_status_ok &&
                    yajl_complete_parse(parser) == yajl_status_ok;
  yajl_free(parser);
  return good;
}

// PostgreSQL's reading of \u escapes, written a second time and slowly.
void require_storable_escapes(std::string_view json) {
  bool high = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const bool escape = json[i] == '\\';
    unsigned code = 0;
    if (escape && json[++i] == 'u') {
      code = static_cast<unsigned>(std::stoul(std::string(json.substr(i + 1, 4)), nullptr, 16));
      require(code != 0);
      i += 4;
    }
    const bool low = code >= 0xDC00 && code <= 0xDFFF;
    require(low == high);
    high = code >= 0xD800 && code <= 0xDBFF;
  }
  require(!high);
}

void check_column(std::string_view value, bool is_json_column) {
  if (is_json_column) {
    require(value.front() == '\x01');
    require(is_json(value.substr(1)));
    require_storable_escapes(value.substr(1));
  }
}

std::size_t read32(std::string_view bytes) {
  std::size_t value = 0;
  for (const char byte : bytes.substr(0, 4)) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

void check_row(const weir::RowView& row, weir::RecordKind kind) {
  std::string_view rest = row.tuple.substr(2);
  const bool events = kind == weir::RecordKind::events;
  const std::size_t columns = events ? weir::kEventColumns.size() : weir::kCrashColumns.size();
  for (std::size_t i = 0; i < columns; ++i) {
    const std::size_t size = read32(rest);
    rest.remove_prefix(4);
    if (size == 0xFFFFFFFF) continue;
    const auto name = events ? weir::kEventColumns[i] : weir::kCrashColumns[i];
    const bool text = name != "event_id" && name != "crash_id" && name.substr(0, 2) != "ti" &&
                      name != "client_timestamp" && name != "received_at";
    if (text) require(rest.substr(0, size).find('\0') == std::string_view::npos);
    check_column(rest.substr(0, size), name == "properties" || name == "context");
    rest.remove_prefix(size);
  }
  require(rest.empty());
}

void check_record(std::string_view bytes) {
  std::string error;
  const auto record = weir::read_record(bytes, error);
  require(record.has_value());
  require(record->row_count > 0);
  weir::RowCursor cursor(*record);
  while (const auto row = cursor.next()) check_row(*row, record->kind);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static weir::Metrics nowhere;
  static weir::Intake intake(nowhere);
  if (size == 0) return 0;
  weir::Location location;
  location.endpoint = static_cast<weir::Endpoint>(data[0] % 3);
  location.strict = (data[0] & 0x80) != 0;
  weir::RequestHead head;
  head.method = "POST";
  head.content_encoding = (data[0] & 0x40) != 0 ? "deflate" : "";
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);

  const auto decision = intake.take(location, head, body, 1'795'262'400'000'000);
  const int status = decision.answer.status;
  require(status == 200 || status == 400 || status == 413);
  require(decision.record.empty() == (status != 200));
  require(is_json(decision.answer.body));
  if (status == 200) check_record(decision.record);
  return 0;
}
