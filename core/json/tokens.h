// Where the tokens of a JSON text begin: each of {}[],: and the first byte of each string, number
// and literal. This is all that Weir has simdjson do, its "stage 1": 64 bytes at a time, with the
// instructions that the processor turns out to have. docs/decisions/0016-tokens-by-simdjson.md says
// why this part, and why no other.
//
//   TokenIndex index;                              // one a worker, reused
//   if (index.find(body)) for (const std::uint32_t* at = index.begin(); at != index.end(); ++at) …
//
// Behind the last token stands body.size(), so that a token ends before at[1] in any case. Between
// the end of a token and the next one lies nothing but white space: the last byte of a string is
// the last quote before the next token.
//
// No byte behind the body is read, whatever the processor: the vector code copies the last part of
// a body into a block of its own; the code without vectors looks behind a body only where that ends
// within a character of UTF-8, and such a one it is not given.
//
// The index takes 4 bytes for each byte of the largest body. Those for a body over kOrdinary are
// given back by forget(), or by the next find() in a body of less than half the size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace simdjson::internal {
class dom_parser_implementation;
}

namespace weir {

class TokenIndex {
 public:
  static constexpr std::size_t kOrdinary = 64 << 10;  // bytes of a body

  TokenIndex();
  ~TokenIndex();
  TokenIndex(const TokenIndex&) = delete;
  TokenIndex& operator=(const TokenIndex&) = delete;

  // False where the body, at most 4 GiB, is empty or white space, is not UTF-8, or has a string
  // that does not end or holds a raw control character. find_tokens_slowly() then tells more.
  // Throws std::bad_alloc.
  bool find(std::string_view body);

  const std::uint32_t* begin() const { return begin_; }
  const std::uint32_t* end() const { return end_; }

  void forget() noexcept;

  // Bytes that the index takes, whether a body needed them or not.
  std::size_t memory() const { return capacity_ * sizeof(std::uint32_t); }

 private:
  void resize(std::size_t capacity);

  std::unique_ptr<simdjson::internal::dom_parser_implementation> parser_;
  std::size_t capacity_ = 0;  // of parser_, in bytes of a body
  const std::uint32_t* begin_ = nullptr;
  const std::uint32_t* end_ = nullptr;
};

// What TokenIndex finds, byte by byte, and of any body: up to its first broken string.
struct SlowTokens {
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  std::vector<std::uint32_t> places;  // the last one is body.size()
  std::uint32_t broken = kNone;       // where a string begins that breaks off,
  std::size_t broken_at = 0;          // at a raw control character or at the end of the body
};

SlowTokens find_tokens_slowly(std::string_view body);

}  // namespace weir
