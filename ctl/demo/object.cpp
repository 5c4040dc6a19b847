#include "ctl/demo/object.h"

#include <cmath>

namespace weir::demo {
namespace {

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char letter : text) {
    if (letter == '\n') {
      out += "\\n";
      continue;
    }
    if (letter == '"' || letter == '\\') out += '\\';
    out += letter;
  }
  out += '"';
}

}  // namespace

std::string& Object::member(std::string_view name) {
  if (!is_empty()) json_ += ',';
  append_quoted(json_, name);
  return json_ += ':';
}

Object& Object::text(std::string_view name, std::string_view value) {
  append_quoted(member(name), value);
  return *this;
}

Object& Object::whole(std::string_view name, std::int64_t value) {
  member(name) += std::to_string(value);
  return *this;
}

Object& Object::number(std::string_view name, double value, int places) {
  std::int64_t unit = 1;
  for (int place = 0; place < places; ++place) unit *= 10;
  const std::int64_t units = std::llround(std::fabs(value) * static_cast<double>(unit));
  std::string& out = member(name);
  if (value < 0 && units > 0) out += '-';
  out += std::to_string(units / unit);
  if (units % unit == 0) return *this;
  std::string digits = std::to_string(units % unit + unit);
  digits[0] = '.';
  out.append(digits, 0, digits.find_last_not_of('0') + 1);
  return *this;
}

Object& Object::truth(std::string_view name, bool value) {
  member(name) += value ? "true" : "false";
  return *this;
}

Object& Object::object(std::string_view name, const Object& value) {
  member(name) += value.json();
  return *this;
}

Object& Object::members_of(const Object& other) {
  if (other.is_empty()) return *this;
  if (!is_empty()) json_ += ',';
  json_.append(other.json_, 1);
  return *this;
}

}  // namespace weir::demo
