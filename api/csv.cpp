#include "api/csv.h"

#include <algorithm>

namespace weir::api {
namespace {

// Takes a sign off the front of `text`.
void skip_sign(std::string_view& text) {
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
}

// The same of digits; whether there were any.
bool skip_digits(std::string_view& text) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  text.remove_prefix(digits);
  return digits > 0;
}

// A sign, digits with a point among them, an exponent: as PostgreSQL writes numbers.
bool is_number(std::string_view text) {
  skip_sign(text);
  if (!skip_digits(text)) return false;
  if (!text.empty() && text.front() == '.') {
    text.remove_prefix(1);
    if (!skip_digits(text)) return false;
  }
  if (text.empty() || text.front() != 'e') return text.empty();
  text.remove_prefix(1);
  skip_sign(text);
  return skip_digits(text) && text.empty();
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
