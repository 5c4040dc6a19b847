#include "core/json/tokens.h"

#include <simdjson.h>

#include <algorithm>
#include <new>

#include "core/json/ascii.h"

namespace weir {
namespace {

bool is_ascii(char c) { return static_cast<signed char>(c) >= 0; }

bool is_mark(char c) {
  return c == '{' || c == '}' || c == '[' || c == ']' || c == ',' || c == ':';
}

// Behind the string that begins at `start`; or where it breaks off, which it notes.
std::size_t skip_string(std::string_view body, std::size_t start, SlowTokens& tokens) {
  std::size_t at = start + 1;
  while (at < body.size() && static_cast<unsigned char>(body[at]) >= 0x20) {
    if (body[at] == '"') return at + 1;
    at += body[at] == '\\' ? 2 : 1;
  }
  tokens.broken = static_cast<std::uint32_t>(start);
  tokens.broken_at = std::min(at, body.size());
  return body.size();
}

// Behind the mark, number, literal or what else begins at `start`.
std::size_t skip_other(std::string_view body, std::size_t start) {
  if (is_mark(body[start])) return start + 1;
  const auto ends = [](char c) { return is_space(c) || is_mark(c) || c == '"'; };
  const auto* end = std::find_if(body.begin() + start, body.end(), ends);
  return static_cast<std::size_t>(end - body.begin());
}

}  // namespace

TokenIndex::TokenIndex() {
  const auto error = simdjson::get_active_implementation()->create_dom_parser_implementation(
      kOrdinary, 0, parser_);
  if (error == simdjson::MEMALLOC) throw std::bad_alloc();
  if (error != simdjson::SUCCESS) parser_.reset();  // it knows no such processor: all goes slowly
  capacity_ = kOrdinary;
}

TokenIndex::~TokenIndex() = default;

void TokenIndex::resize(std::size_t capacity) {
  capacity_ = 0;  // what it has while this fails: the next find() tries again
  if (parser_->set_capacity(capacity) != simdjson::SUCCESS) throw std::bad_alloc();
  capacity_ = capacity;
}

void TokenIndex::forget() noexcept {
  if (capacity_ <= kOrdinary) return;
  try {
    resize(kOrdinary);
  } catch (const std::bad_alloc&) {  // it has none, which the next find() sees
  }
}

bool TokenIndex::find(std::string_view body) {
  // JSON ends in ASCII. What does not, the code without vectors would look behind.
  if (parser_ == nullptr || body.empty() || !is_ascii(body.back())) return false;
  const std::size_t needed = std::max(body.size(), kOrdinary);
  if (needed > capacity_ || needed < capacity_ / 2) resize(needed);
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(body.data());
  const auto error = parser_->stage1(bytes, body.size(), simdjson::stage1_mode::regular);
  begin_ = parser_->structural_indexes.get();
  end_ = begin_ + parser_->n_structural_indexes;
  return error == simdjson::SUCCESS;
}

SlowTokens find_tokens_slowly(std::string_view body) {
  SlowTokens tokens;
  for (std::size_t at = 0; at < body.size();) {
    if (is_space(body[at])) {
      ++at;
      continue;
    }
    tokens.places.push_back(static_cast<std::uint32_t>(at));
    at = body[at] == '"' ? skip_string(body, at, tokens) : skip_other(body, at);
  }
  tokens.places.push_back(static_cast<std::uint32_t>(body.size()));
  return tokens;
}

}  // namespace weir
