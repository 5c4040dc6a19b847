#include "core/event/frame_name.h"

#include <algorithm>
#include <cstddef>

#include "core/event/scan.h"

namespace weir {
namespace {

using scan::contains;
using scan::drop_line_number;
using scan::ends_with;
using scan::find_either;
using scan::find_last;
using scan::find_last_either;
using scan::is_hex;
using scan::is_letter;
using scan::is_lower;
using scan::is_upper;
using scan::is_word;
using scan::opening_parenthesis;
using scan::starts_with;
using scan::take;
using scan::take_while;
using scan::trim;

// Runtimes' words for a function without a name.
constexpr std::string_view kUnknown[] = {
    "<anonymous>", "anonymous", "(anonymous)", "(anonymous function)", "<unknown>", "<redacted>",
    "?",           "??",        "???",
};

// What GCC and LLVM append to the copies that they make of a function, and a number or nothing.
constexpr std::string_view kCopies[] = {".isra.",     ".part.", ".constprop.",
                                        ".lto_priv.", ".llvm.", ".cold"};

bool has_digit(std::string_view text) {
  for (const char c : text) {
    if (is_digit(c)) return true;
  }
  return false;
}

std::string_view without_copy_marks(std::string_view function) {
  function = function.substr(0, function.find(" [clone "));
  const bool ends_in_mark = ends_with(function, ".") || ends_with(function, ".cold");
  if (!ends_in_mark && !has_digit(function)) return function;
  for (const std::string_view mark : kCopies) {
    const auto at = function.find(mark);
    if (at == function.npos) continue;
    const auto after = at + mark.size();
    if (after == function.size() || is_digit(function[after])) function = function.substr(0, at);
  }
  return function;
}

// "::h0123456789abcdef", which Rust appends to a symbol.
std::string_view without_symbol_hash(std::string_view function) {
  constexpr std::size_t kLength = 19;
  if (function.size() <= kLength) return function;
  const std::string_view tail = function.substr(function.size() - kLength);
  const bool is_hash =
      starts_with(tail, "::h") && std::all_of(tail.begin() + 3, tail.end(), is_hex);
  return is_hash ? function.substr(0, function.size() - kLength) : function;
}

// Overloads count as one function; gdb and Go print the arguments' values there.
std::string_view without_arguments(std::string_view function) {
  if (const auto result = function.find(") -> "); result != function.npos) {  // Swift
    function = function.substr(0, result + 1);
  }
  while (ends_with(function, " const") || ends_with(function, " &")) {
    function = function.substr(0, function.rfind(' '));
  }
  if (!ends_with(function, ")")) return function;
  const auto open = opening_parenthesis(function);
  if (open == function.npos || open == 0) return function;
  const std::string_view name = trim(function.substr(0, open));
  return ends_with(name, "operator") ? function : name;
}

// Copies `name` without addresses and without the numbers that compilers give to what has no name:
// "lambda$pay$0", "Shop$1", "closure #2", "<Pay>b__0_1". A number that belongs to a word stays
// ("utf8", "step_2"), unless it is longer than a person would make it.
std::string without_counters(std::string_view name) {
  constexpr std::size_t kLongestByHand = 3;
  if (!has_digit(name)) return std::string(name);
  std::string out;
  while (!name.empty()) {
    const bool in_word = !out.empty() && is_word(out.back()) && !ends_with(out, "__");
    if (!in_word && starts_with(name, "0x")) {
      name.remove_prefix(2);
      take_while(name, is_hex);
    } else if (is_digit(name.front())) {
      const std::string_view digits = take_while(name, is_digit);
      if (in_word && digits.size() <= kLongestByHand) out += digits;
    } else {
      out += name.front();
      name.remove_prefix(1);
    }
  }
  return out;
}

// Is this the eight characters, or sixteen and more, that a bundler puts into a file's name?
// Letters of either case and digits at random: a digit stands before a letter, as in few words, or
// there are more capitals than in most names of that length.
bool is_bundle_hash(std::string_view part) {
  if (part.size() != 8 && part.size() < 16) return false;
  const auto digit = std::find_if(part.begin(), part.end(), is_digit);
  if (std::any_of(digit, part.end(), is_letter)) return true;
  return part.size() == 8 && std::count_if(part.begin(), part.end(), is_upper) >= 3;
}

// A commit's or a content's hash in hexadecimal; with a digit in it, since "facade" is a word.
bool is_hex_hash(std::string_view part) {
  return part.size() >= 6 && std::all_of(part.begin(), part.end(), is_hex) && has_digit(part);
}

bool is_version(std::string_view part) {
  take(part, "v");
  return !part.empty() && std::all_of(part.begin(), part.end(), is_digit);
}

// A name's first part is seldom a hash, so that there only a long hexadecimal one counts.
bool is_volatile(std::string_view part) {
  if (part.front() != '.' && part.front() != '-') {
    return is_version(part) || (is_hex_hash(part) && part.size() >= 8);
  }
  part.remove_prefix(1);
  return is_version(part) || is_hex_hash(part) || is_bundle_hash(part);
}

// Vite's hashes may hold '-' and '_' themselves: "index-C_2k-9aZ".
std::string_view without_dashed_hash(std::string_view stem) {
  constexpr std::size_t kLength = 8;
  if (stem.size() <= kLength + 1) return stem;
  const auto start = stem.size() - kLength;
  const char before = stem[start - 1];
  const std::string_view tail = stem.substr(start);
  const bool dashed = find_either(tail, '-', '_') != tail.npos;
  if ((before != '-' && before != '.') || !dashed || !is_bundle_hash(tail)) return stem;
  return stem.substr(0, start - 1);
}

// Most files' names are of small letters; a version or a hash is not.
bool is_plain(std::string_view name) {
  if (name.empty() || !is_lower(name.front())) return false;
  for (const char c : name) {
    if (is_digit(c) || is_upper(c)) return false;
  }
  return true;
}

// Leaves out the parts between points and dashes that are versions or hashes.
std::string without_volatile_parts(std::string_view name) {
  if (is_plain(name)) return std::string(name);
  const auto dot = name.rfind('.');
  const std::string_view extension = dot == name.npos ? std::string_view() : name.substr(dot);
  std::string_view stem = without_dashed_hash(name.substr(0, name.size() - extension.size()));
  std::string out;
  while (!stem.empty()) {
    const auto end = find_either(stem, '.', '-', 1);
    const std::string_view part = stem.substr(0, end);
    if (!is_volatile(part)) out += part;
    stem.remove_prefix(part.size());
  }
  if (!out.empty() && (out.front() == '.' || out.front() == '-')) out.erase(0, 1);
  if (!extension.empty() && !is_volatile(extension)) out += extension;
  return out;
}

}  // namespace

std::string clean_function(std::string_view function) {
  function = trim(function);
  function = without_symbol_hash(without_arguments(without_copy_marks(function)));
  for (const std::string_view unknown : kUnknown) {
    if (function == unknown) return {};
  }
  return without_counters(function);
}

std::string clean_file(std::string_view location) {
  if (location.empty()) return {};
  location = trim(location);
  if (contains(location, " > ")) {  // Gecko's "shop.js line 3 > eval:1:1"
    location = location.substr(0, location.find(" line "));
  }
  if (const auto line = find_last(location, ":line "); line != location.npos) {  // .NET
    location = location.substr(0, line);
  }
  while (drop_line_number(location)) continue;
  location = location.substr(0, location.find('?'));
  location = location.substr(0, location.find('#'));
  if (const auto slash = find_last_either(location, '/', '\\'); slash != location.npos) {
    location.remove_prefix(slash + 1);
  }
  location = location.substr(0, location.find("+0x"));
  return without_volatile_parts(location);
}

}  // namespace weir
