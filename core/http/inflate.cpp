#include "core/http/inflate.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <new>

#include "core/http/blanks.h"

namespace weir {
namespace {

constexpr std::size_t kFirstRoom = 4096;
constexpr std::size_t kMostAtOnce = 1 << 30;  // zlib counts in 32 bits

// What inflateInit2() takes for each form.
constexpr int kZlib = MAX_WBITS;
constexpr int kRaw = -MAX_WBITS;
constexpr int kGzip = MAX_WBITS + 16;

// RFC 1950 section 2.2: method 8, a window of at most 32 KiB, and a check that divides by 31. A
// bare stream that looks like this would begin with a stored block whose padding is not zero: no
// known encoder writes that.
bool has_zlib_header(std::string_view body) {
  if (body.size() < 2) return false;
  const auto cmf = static_cast<unsigned char>(body[0]);
  const auto flg = static_cast<unsigned char>(body[1]);
  return (cmf & 0x0f) == 8 && (cmf >> 4) <= 7 && (cmf * 256 + flg) % 31 == 0;
}

std::size_t saturating_product(std::size_t a, std::size_t b) {
  const std::size_t most = std::numeric_limits<std::size_t>::max();
  return b != 0 && a > most / b ? most : a * b;
}

// The names of a Content-Encoding are matched without regard to case (RFC 9110 section 8.4.1).
bool same_word(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(), [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
  });
}

// zlib's inflate() from one buffer into one that grows.
class Inflater {
 public:
  Inflater(int window_bits, std::string_view body) : members_(window_bits == kGzip), rest_(body) {
    if (inflateInit2(&stream_, window_bits) != Z_OK) throw std::bad_alloc();
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  enum class End { whole, broken, full };

  // Puts everything into `out`; full if that is more than `most` bytes.
  End run(std::string& out, std::size_t most) {
    const End end = drain(out, most);
    out.resize(end == End::whole ? produced_ : 0);
    return end;
  }

 private:
  End drain(std::string& out, std::size_t most) {
    for (;;) {
      if (produced_ == out.size()) make_room(out, most);
      const int result = step(out);
      if (result == Z_MEM_ERROR) throw std::bad_alloc();
      if (produced_ > most) return End::full;
      if (result == Z_STREAM_END) {
        if (rest_.empty()) return End::whole;
        if (!next_member()) return End::broken;
      } else if (result != Z_OK && result != Z_BUF_ERROR) {
        return End::broken;
      } else if (rest_.empty() && produced_ < out.size()) {
        return End::broken;  // zlib has room and wants more: cut short
      }
    }
  }

  // One byte more than may be there, since only that tells a body of exactly `most` bytes from a
  // longer one.
  void make_room(std::string& out, std::size_t most) {
    out.resize(std::min(most + 1, std::max(kFirstRoom, out.size() * 2)));
  }

  int step(std::string& out) {
    const auto in = static_cast<uInt>(std::min(rest_.size(), kMostAtOnce));
    const auto room = static_cast<uInt>(std::min(out.size() - produced_, kMostAtOnce));
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(rest_.data()));
    stream_.avail_in = in;
    stream_.next_out = reinterpret_cast<Bytef*>(out.data() + produced_);
    stream_.avail_out = room;
    // Z_FINISH spares zlib its window where everything fits at once.
    const int result = inflate(&stream_, in == rest_.size() ? Z_FINISH : Z_NO_FLUSH);
    rest_.remove_prefix(in - stream_.avail_in);
    produced_ += room - stream_.avail_out;
    return result;
  }

  // What follows has to begin with gzip's magic number again, which inflate() looks for.
  bool next_member() { return members_ && inflateReset(&stream_) == Z_OK; }

  z_stream stream_{};
  bool members_;
  std::string_view rest_;
  std::size_t produced_ = 0;
};

InflateStatus copy(std::string_view body, const Limits& limits, std::string& out) {
  if (body.size() > limits.inflated) return InflateStatus::too_large;
  out.assign(body);
  return InflateStatus::ok;
}

}  // namespace

Coding parse_content_encoding(std::string_view header) {
  if (header.empty()) return Coding::identity;
  const std::string_view word = trim(header);
  if (word.empty() || same_word(word, "identity")) return Coding::identity;
  if (same_word(word, "gzip") || same_word(word, "x-gzip")) return Coding::gzip;
  if (same_word(word, "deflate")) return Coding::deflate;
  return Coding::unsupported;
}

bool looks_like_gzip(std::string_view body) { return body.substr(0, 2) == "\x1f\x8b"; }

InflateStatus inflate_body(Coding coding, std::string_view body, const Limits& limits,
                           std::string& out) {
  out.clear();
  if (coding == Coding::identity) return copy(body, limits, out);
  if (coding == Coding::unsupported) return InflateStatus::broken;

  const std::size_t dense = std::max(kRatioFloor, saturating_product(limits.ratio, body.size()));
  const std::size_t most = std::min({dense, limits.inflated, out.max_size() - 1});
  const int form = coding == Coding::gzip ? kGzip : has_zlib_header(body) ? kZlib : kRaw;
  switch (Inflater(form, body).run(out, most)) {
    case Inflater::End::whole:
      return InflateStatus::ok;
    case Inflater::End::full:
      return dense < limits.inflated ? InflateStatus::too_dense : InflateStatus::too_large;
    case Inflater::End::broken:
      break;
  }
  return InflateStatus::broken;
}

}  // namespace weir
