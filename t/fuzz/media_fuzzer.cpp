// Any Content-Type and Content-Encoding: letters' case never matters, and only what is documented
// is taken.
#include <cctype>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/http/inflate.h"
#include "core/http/media.h"
#include "t/fuzz/require.h"

namespace {

std::string with_case(std::string_view text, int (*change)(int)) {
  std::string changed(text);
  for (char& c : changed) c = static_cast<char>(change(static_cast<unsigned char>(c)));
  return changed;
}

// ASCII alone: the C locale's functions are asked byte by byte.
std::string lower(std::string_view text) { return with_case(text, std::tolower); }

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

void check_media(std::string_view header) {
  const bool taken = weir::takes_media_type(header);
  REQUIRE(weir::takes_media_type(lower(header)) == taken);
  REQUIRE(weir::takes_media_type(with_case(header, std::toupper)) == taken);
  const std::string type = lower(trimmed(header.substr(0, header.find(';'))));
  const bool known = type.empty() || type == "application/json" || type == "text/plain";
  REQUIRE(known || !taken);
  if (header.find(';') == header.npos) REQUIRE(taken == known);
  // Parameters that Weir does not know change nothing, a charset that it does not take does.
  const std::string more(header);
  REQUIRE(weir::takes_media_type(more + ";boundary=x") == taken);
  REQUIRE(!weir::takes_media_type(more + ";charset=utf-16"));
}

void check_coding(std::string_view header) {
  const weir::Coding coding = weir::parse_content_encoding(header);
  REQUIRE(weir::parse_content_encoding(lower(header)) == coding);
  REQUIRE(weir::parse_content_encoding(with_case(header, std::toupper)) == coding);
  if (coding == weir::Coding::unsupported) return;
  const std::string word = lower(trimmed(header));
  REQUIRE(word.empty() || word == "identity" || word == "gzip" || word == "x-gzip" ||
          word == "deflate");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view header(reinterpret_cast<const char*>(data), size);
  check_media(header);
  check_coding(header);
  return 0;
}
