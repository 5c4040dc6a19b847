#include "api/csv.h"

#include <algorithm>

namespace weir::api {
namespace {

// As PostgreSQL writes numbers.
bool is_number(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '+' || c == 'e';
  });
}

bool is_formula(std::string_view text) {
  constexpr std::string_view kStarts = "=+-@\t\r\n";
  return !text.empty() && kStarts.find(text.front()) != std::string_view::npos && !is_number(text);
}

void append_field(std::string& out, std::string_view text) {
  const bool formula = is_formula(text);
  if (!formula && text.find_first_of(",\"\r\n") == std::string_view::npos) {
    out += text;
    return;
  }
  out += '"';
  if (formula) out += '\'';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

}  // namespace

void append_line(std::string& out, const std::vector<std::string>& fields) {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) out += ',';
    append_field(out, fields[i]);
  }
  out += "\r\n";
}

void append_names(std::string& out, const Row& row) {
  for (int i = 0; i < row.columns(); ++i) {
    if (i > 0) out += ',';
    append_field(out, row.name(i));
  }
  out += "\r\n";
}

void append_values(std::string& out, const Row& row) {
  for (int i = 0; i < row.columns(); ++i) {
    if (i > 0) out += ',';
    if (const auto value = row.value(i)) append_field(out, *value);
  }
  out += "\r\n";
}

}  // namespace weir::api
