// One sentence of what libpq says: its messages end with a newline, and some have several lines.
//
//   log(one_line(PQerrorMessage(connection)));   // "ERROR: no such table LINE 1: SELECT 1"
#pragma once

#include <string>
#include <string_view>

namespace weir::pg {

// White space of any length becomes one blank, and none at the ends.
inline std::string one_line(std::string_view text) {
  std::string line;
  for (const char c : text) {
    const bool blank = c == '\n' || c == '\t' || c == ' ';
    if (!blank) {
      line += c;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  if (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

// libpq gives none where there is nothing to say.
inline std::string one_line(const char* text) {
  return text == nullptr ? std::string() : one_line(std::string_view(text));
}

}  // namespace weir::pg
