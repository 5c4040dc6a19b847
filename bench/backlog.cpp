// A backlog for the flusher, and the same rows for psql: writes XADD commands to standard output,
// as `redis-cli --pipe` takes them, and every row to a file in COPY's binary format.
//
//   build/backlog ROWS ROWS_PER_ENTRY USERS DAYS v7|v4 rows.copy | redis-cli -s socket --pipe
//
// Events of some 300 bytes of four kinds, one of which has measures (0003_roll_ups.sql), that came
// in evenly over the last DAYS days, each up to a minute after it happened. v7: the edge made the
// ids; v4: clients made them, at random. The same arguments give the same rows, but for the ids and
// the day on which they end.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <random>
#include <string>
#include <string_view>

#include "core/event/uuid.h"
#include "core/record/record.h"

namespace {

constexpr weir::Timestamp kSecond = 1'000'000, kDay = 86'400 * kSecond;
constexpr std::string_view kKinds[] = {"app_opened", "recording_started", "recording_completed",
                                       "transcription_completed"};
constexpr std::string_view kCountries[] = {"DE", "US", "MX", "ES", ""};

struct Load {
  long rows, per_entry, users, days;
  bool random_ids;
};

class Rows {
 public:
  explicit Rows(const Load& load) : load_(load), now_(std::time(nullptr) * kSecond) {}

  // When the n-th row came in.
  weir::Timestamp received(long n) const {
    return now_ - load_.days * kDay + n * (load_.days * kDay / load_.rows);
  }

  void write(weir::RecordWriter& out, long n, weir::Timestamp received) {
    const weir::Timestamp happened =
        received - static_cast<weir::Timestamp>(random_() % (60 * kSecond));
    const std::string_view country = kCountries[random_() % 5];
    out.begin_row();
    out.uuid(load_.random_ids ? random_id() : ids_.next(received));
    out.text("default");
    out.text(user(random_() % static_cast<unsigned long>(load_.users)));
    out.null();
    out.text(kKinds[random_() % 4]);
    out.text("1." + std::to_string(n % 7) + ".0");
    out.text("macOS 14." + std::to_string(n % 5));
    country.empty() ? out.null() : out.text(country);
    out.json(properties(n));
    out.time(happened);
    out.time(happened);
    out.time(received);
    out.end_row();
  }

 private:
  weir::Uuid random_id() {
    weir::Uuid id{};
    for (auto& byte : id) byte = static_cast<unsigned char>(random_());
    id[6] = static_cast<unsigned char>((id[6] & 0x0F) | 0x40);
    id[8] = static_cast<unsigned char>((id[8] & 0x3F) | 0x80);
    return id;
  }

  // The same name for the same number, in no order, as clients' names are.
  static std::string user(unsigned long number) {
    std::mt19937_64 digits(number);
    char name[40];
    std::snprintf(name, sizeof name, "%08lx-%04lx-4%03lx-a%03lx-%012lx", digits() & 0xFFFFFFFF,
                  digits() & 0xFFFF, digits() & 0xFFF, digits() & 0xFFF, digits() & 0xFFFFFFFFFFFF);
    return name;
  }

  std::string properties(long n) {
    char text[256];
    const unsigned long seconds = random_() % 600;
    std::snprintf(text, sizeof text,
                  R"({"audio_duration_seconds":%lu,"processing_time_seconds":%.3f,"source":"%s",)"
                  R"("success":%s,"estimated_cost_usd":%.6f})",
                  seconds, static_cast<double>(random_() % 9000) / 1000,
                  n % 2 == 0 ? "widget" : "main_window", n % 20 == 0 ? "false" : "true",
                  static_cast<double>(seconds) / 60 * 0.006);
    return text;
  }

  const Load load_;
  const weir::Timestamp now_;
  weir::UuidSource ids_;
  std::mt19937_64 random_{1};
};

void write_xadd(std::string_view record) {
  std::printf("*5\r\n$4\r\nXADD\r\n$8\r\nweir:{0}\r\n$1\r\n*\r\n$1\r\nr\r\n$%zu\r\n",
              record.size());
  std::fwrite(record.data(), 1, record.size(), stdout);
  std::fputs("\r\n", stdout);
}

bool write_all(const Load& load, std::FILE* copy) {
  Rows rows(load);
  weir::RecordWriter writer;
  std::string error;
  std::fwrite("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 1, 19, copy);
  for (long n = 0; n < load.rows;) {
    const weir::Timestamp received = rows.received(n);
    writer.begin(weir::RecordKind::events, "default", received);
    for (long i = 0; i < load.per_entry && n < load.rows; ++i) rows.write(writer, n++, received);
    const std::string_view record = writer.finish();
    const auto view = weir::read_record(record, error);
    if (!view) return std::fprintf(stderr, "%s\n", error.c_str()), false;
    std::fwrite(view->rows.data(), 1, view->rows.size(), copy);
    write_xadd(record);
  }
  std::fwrite("\377\377", 1, 2, copy);
  return std::fflush(stdout) == 0 && std::fclose(copy) == 0;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 7) return std::fprintf(stderr, "usage: see the head of bench/backlog.cpp\n"), 2;
  const Load load{std::atol(arguments[1]), std::atol(arguments[2]), std::atol(arguments[3]),
                  std::atol(arguments[4]), std::strcmp(arguments[5], "v4") == 0};
  std::FILE* copy = std::fopen(arguments[6], "wb");
  if (copy == nullptr) return std::perror(arguments[6]), 1;
  return write_all(load, copy) ? 0 : 1;
}
