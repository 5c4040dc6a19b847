#include "ctl/terminal.h"

#include <array>
#include <ctime>

#include "core/json/text.h"

namespace weir::ctl {
namespace {

void append_hex(std::string& out, std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  for (const char letter : bytes) {
    const auto byte = static_cast<unsigned char>(letter);
    ((out += "\\x") += kDigits[byte >> 4]) += kDigits[byte & 15];
  }
}

std::size_t length_by_first(unsigned char first) {
  if (first < 0x80) return 1;
  if (first < 0xE0) return 2;
  return first < 0xF0 ? 3 : 4;
}

// U+0080 to U+009F; U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069: marks and turns of
// direction.
bool speaks_to_the_terminal(std::string_view character) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(character[i]); };
  if (character.size() == 1) return byte(0) < 0x20 || byte(0) == 0x7F;
  if (character.size() == 2) return byte(0) == 0xC2 && byte(1) < 0xA0;
  if (character.size() != 3 || byte(0) != 0xE2) return false;
  if (byte(1) == 0x80)
    return byte(2) == 0x8E || byte(2) == 0x8F || (byte(2) >= 0xAA && byte(2) <= 0xAE);
  return byte(1) == 0x81 && byte(2) >= 0xA6 && byte(2) <= 0xA9;
}

// The bytes of the first character of `text`, or its first byte where that begins none.
std::string_view first_character(std::string_view text) {
  const std::string_view character =
      text.substr(0, length_by_first(static_cast<unsigned char>(text.front())));
  return character.size() > 1 && find_bad_text(character) ? text.substr(0, 1) : character;
}

}  // namespace

std::string terminal_text(std::string_view text, std::size_t most) {
  std::string out;
  std::string_view rest = text.substr(0, most);
  while (!rest.empty()) {
    const std::string_view character = first_character(rest);
    const bool is_odd = character.size() == 1 && static_cast<unsigned char>(character[0]) >= 0x80;
    if (is_odd || speaks_to_the_terminal(character)) {
      append_hex(out, character);
    } else {
      (out += character) += character == "\\" ? "\\" : "";
    }
    rest.remove_prefix(character.size());
  }
  return text.size() > most ? out + "…" : out;
}

std::string format_time(std::int64_t micros) {
  constexpr std::int64_t kSecond = 1'000'000;
  const std::int64_t fraction = (micros % kSecond + kSecond) % kSecond;
  const auto seconds = static_cast<std::time_t>((micros - fraction) / kSecond);
  std::tm parts{};
  std::array<char, 64> text{};
  if (gmtime_r(&seconds, &parts) == nullptr) return std::to_string(micros);
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::string digits = std::to_string(kSecond + fraction);
  digits.front() = '.';
  return std::string(text.data(), size) + digits + "Z";
}

}  // namespace weir::ctl
