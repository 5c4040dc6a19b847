#include "apache_module/log.h"

#include <algorithm>
#include <string>

#include "edge/edge.h"

namespace weir {
namespace {

constexpr std::size_t kMostSentence = 4096;

int level_of(Log::Level level) {
  if (level == Log::Level::notice) return APLOG_NOTICE;
  return level == Log::Level::warning ? APLOG_WARNING : APLOG_ERR;
}

void write_line(int level, std::string_view sentence) noexcept {
  const auto size = static_cast<int>(std::min(sentence.size(), kMostSentence));
  ap_log_error(APLOG_MARK, level, 0, ap_server_conf, "%.*s", size, sentence.data());
}

}  // namespace

void ApacheLog::write(Level level, std::string_view sentence) noexcept {
  write_line(level_of(level), sentence);
}

void log_fault(std::string_view sentence) noexcept { write_line(APLOG_ERR, sentence); }

void log_exception() noexcept {
  std::string text;
  log_fault(exception_sentence(text));
}

}  // namespace weir
