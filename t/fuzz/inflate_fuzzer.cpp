// Any body in any coding, within any bounds: `out` keeps them, fails empty, and what comes out is
// the same as what zlib makes of the body in one go.
#include <fuzzer/FuzzedDataProvider.h>
#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/http/inflate.h"

namespace {

using weir::Coding;
using weir::InflateStatus;

void require(bool condition) {
  if (!condition) std::abort();
}

// One stream, all at once, into all the room that the bounds allow. False where zlib does not take
// exactly all of the body.
bool inflate_at_once(int window_bits, const std::string& body, std::string& out) {
  z_stream stream{};
  require(inflateInit2(&stream, window_bits) == Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
  stream.avail_in = static_cast<uInt>(body.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const bool whole = inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.avail_in == 0;
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return whole;
}

void compare(Coding coding, const std::string& body, const std::string& out) {
  const std::vector<int> forms = coding == Coding::gzip ? std::vector<int>{MAX_WBITS + 16}
                                                        : std::vector<int>{MAX_WBITS, -MAX_WBITS};
  for (const int form : forms) {
    std::string expected(out.size() + 1, '\0');
    if (inflate_at_once(form, body, expected) && expected == out) return;
  }
  // Several members are the one thing that zlib does not do at once.
  require(coding == Coding::gzip && body.find("\x1f\x8b", 2) != std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider input(data, size);
  const Coding coding = input.PickValueInArray(
      {Coding::gzip, Coding::deflate, Coding::identity, Coding::unsupported});
  weir::Limits limits;
  limits.inflated = input.ConsumeIntegralInRange<std::size_t>(0, 1 << 18);
  limits.ratio = input.ConsumeIntegralInRange<std::size_t>(0, 200);
  const std::string body = input.ConsumeRemainingBytesAsString();
  weir::parse_content_encoding(body);

  std::string out = "before";
  const InflateStatus status = weir::inflate_body(coding, body, limits, out);
  require(out.size() <= limits.inflated);
  require(status == InflateStatus::ok || out.empty());
  const bool compressed = coding == Coding::gzip || coding == Coding::deflate;
  if (compressed) {
    require(out.size() <= std::max(weir::kRatioFloor, limits.ratio * body.size()));
    if (status == InflateStatus::ok) compare(coding, body, out);
  }
  return 0;
}
