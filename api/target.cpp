#include "api/target.h"

#include <algorithm>

#include "core/json/ascii.h"
#include "core/json/text.h"

namespace weir::api {
namespace {

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

// U+0080 to U+009F, in UTF-8 C2 80 to C2 9F.
bool has_c1(std::string_view text) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i - 1] == '\xC2' && static_cast<unsigned char>(text[i]) < 0xA0) return true;
  }
  return false;
}

bool is_plain(std::string_view text) {
  return std::none_of(text.begin(), text.end(), is_control) && !find_bad_text(text) &&
         !has_c1(text);
}

std::optional<std::string> decode(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      plain += text[i] == '+' ? ' ' : text[i];
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    const int byte = hex_value(text[i + 1]) * 16 | hex_value(text[i + 2]);
    if (byte < 0) return std::nullopt;
    plain += static_cast<char>(byte);
    i += 2;
  }
  if (!is_plain(plain)) return std::nullopt;
  return plain;
}

std::optional<Pair> parse_pair(std::string_view text) {
  const std::size_t equals = std::min(text.find('='), text.size());
  auto name = decode(text.substr(0, equals));
  auto value = decode(text.substr(std::min(equals + 1, text.size())));
  if (!name || !value) return std::nullopt;
  return Pair{std::move(*name), std::move(*value)};
}

bool parse_query(std::string_view text, std::vector<Pair>& query, std::string& fault) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('&'), text.size());
    const std::string_view piece = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (piece.empty()) continue;
    auto pair = parse_pair(piece);
    if (!pair) {
      fault =
          "The query holds a broken escape, a control character or bytes that are no UTF-8: write "
          "each such byte as % and two hexadecimal digits of UTF-8";
      return false;
    }
    query.push_back(std::move(*pair));
    if (query.size() > kMostPairs) {
      fault =
          "The query has more than " + std::to_string(kMostPairs) + " parameters: leave some out";
      return false;
    }
  }
  return true;
}

}  // namespace

std::optional<Target> parse_target(std::string_view text, std::string& fault) {
  const std::size_t mark = std::min(text.find('?'), text.size());
  Target target{std::string(text.substr(0, mark)), {}};
  if (target.path.empty() || target.path.front() != '/' || !is_plain(target.path)) {
    fault = "The request names no path: begin it with /";
    return std::nullopt;
  }
  const std::string_view query = text.substr(std::min(mark + 1, text.size()));
  if (!parse_query(query, target.query, fault)) return std::nullopt;
  return target;
}

}  // namespace weir::api
