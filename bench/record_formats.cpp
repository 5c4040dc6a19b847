// Writes the same event many times as a record, once with binary tuples (core/record/record.h) and
// once with the lines of COPY's text format, to compare what either costs at the edge.
//
//   valgrind --tool=callgrind build/bench/record_formats binary 10000
//   build/bench/record_formats text 100000 > rows.txt        prints COPY data of distinct rows
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <string_view>

#include "core/event/uuid.h"
#include "core/record/record.h"

namespace {

constexpr weir::Timestamp kNow = 1'795'262'400'123'000;
constexpr std::string_view kProperties =
    R"({"audio_duration_seconds":120.5,"processing_time_seconds":5.2,"source":"main_window",)"
    R"("success":true,"estimated_cost_usd":0.012,"feature":"auto_paste"})";

// The columns of an event as the text format has them: escaped, separated by tabs.
class TextWriter {
 public:
  void begin() { bytes_.clear(); }
  void null() { bytes_ += "\\N\t"; }
  void text(std::string_view value) {
    for (const char c : value) {
      if (c == '\\' || c == '\t' || c == '\n' || c == '\r') {
        bytes_ += '\\';
        bytes_ += c == '\t' ? 't' : c == '\n' ? 'n' : c == '\r' ? 'r' : '\\';
      } else {
        bytes_ += c;
      }
    }
    bytes_ += '\t';
  }
  void uuid(const weir::Uuid& value) { text(weir::format_uuid(value)); }
  void time(weir::Timestamp value) {
    const std::time_t seconds = value / 1'000'000;
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    char out[40];
    std::size_t size = std::strftime(out, sizeof out, "%Y-%m-%d %H:%M:%S", &parts);
    size += static_cast<std::size_t>(std::snprintf(out + size, sizeof out - size, ".%06dZ",
                                                   static_cast<int>(value % 1'000'000)));
    bytes_.append(out, size);
    bytes_ += '\t';
  }
  void json(std::string_view document) { text(document); }
  void end_row() { bytes_.back() = '\n'; }
  std::string_view finish() { return bytes_; }

 private:
  std::string bytes_;
};

template <typename Writer>
void write_row(Writer& writer, const weir::Uuid& id, int user) {
  char name[32];
  std::snprintf(name, sizeof name, "user-%08d", user);
  writer.uuid(id);
  writer.text("default");
  writer.text(name);
  writer.null();
  writer.text("recording_completed");
  writer.text("2.4.1");
  writer.text("macOS 14.1");
  writer.text("ES");
  writer.json(kProperties);
  writer.time(kNow - 1500);
  writer.time(kNow - 1500);
  writer.time(kNow);
}

std::string_view write_binary(weir::RecordWriter& writer, const weir::Uuid& id, int user) {
  writer.begin(weir::RecordKind::events, "default", kNow);
  writer.begin_row();
  write_row(writer, id, user);
  writer.end_row();
  return writer.finish();
}

std::string_view write_text(TextWriter& writer, const weir::Uuid& id, int user) {
  writer.begin();
  write_row(writer, id, user);
  writer.end_row();
  return writer.finish();
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) return std::fprintf(stderr, "usage: record_formats binary|text ROWS\n"), 2;
  const bool binary = std::strcmp(arguments[1], "binary") == 0;
  const int rows = std::atoi(arguments[2]);
  weir::UuidSource ids;
  weir::RecordWriter binary_writer;
  TextWriter text_writer;
  std::size_t bytes = 0;
  for (int i = 0; i < rows; ++i) {
    const weir::Uuid id = ids.next(kNow);
    const std::string_view row = binary ? write_binary(binary_writer, id, i % 20000)
                                        : write_text(text_writer, id, i % 20000);
    bytes += row.size();
    if (!binary) std::fwrite(row.data(), 1, row.size(), stdout);
  }
  std::fprintf(stderr, "%d rows, %.1f bytes each\n", rows, static_cast<double>(bytes) / rows);
  return 0;
}
