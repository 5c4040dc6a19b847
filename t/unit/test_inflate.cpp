// Content codings: what is read, what is refused, and where bombs end.
#include "core/http/inflate.h"

#include <zlib.h>

#include "t/unit/suite.h"

namespace {

using weir::Coding;
using weir::inflate_body;
using weir::Limits;
using Status = weir::InflateStatus;

constexpr int kGzip = MAX_WBITS + 16, kZlib = MAX_WBITS, kRaw = -MAX_WBITS;
constexpr std::string_view kText = R"({"event":"app_opened","user_id":"u1"})";

std::string deflated(int window_bits, std::string_view text, int level = 9) {
  z_stream stream{};
  ck_assert_int_eq(deflateInit2(&stream, level, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY),
                   Z_OK);
  std::string out(deflateBound(&stream, text.size()) + 32, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  ck_assert_int_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

// Bytes that do not compress.
std::string noise(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint32_t random = 1;
  for (char& byte : bytes) byte = static_cast<char>((random = random * 1664525 + 1013904223) >> 24);
  return bytes;
}

// Asserts that `body` comes out as `text`.
void assert_inflates(Coding coding, std::string_view body, std::string_view text) {
  std::string out = "before";
  ck_assert(inflate_body(coding, body, Limits(), out) == Status::ok);
  ck_assert(out == text);
}

void assert_fails(Coding coding, std::string_view body, Status status,
                  const Limits& limits = Limits()) {
  std::string out = "before";
  ck_assert(inflate_body(coding, body, limits, out) == status);
  ck_assert(out.empty());
}

struct Form {
  Coding coding;
  int window_bits;
};
constexpr Form kForms[] = {
    {Coding::gzip, kGzip}, {Coding::deflate, kZlib}, {Coding::deflate, kRaw}};

START_TEST(reads_each_form_at_each_level) {
  for (const Form form : kForms) {
    for (int level = 0; level <= 9; ++level) {
      assert_inflates(form.coding, deflated(form.window_bits, kText, level), kText);
    }
  }
}
END_TEST

START_TEST(reads_nothing_when_nothing_was_compressed) {
  for (const Form form : kForms) assert_inflates(form.coding, deflated(form.window_bits, ""), "");
}
END_TEST

START_TEST(reads_any_size) {
  const std::string text = noise(300000);
  for (const std::size_t size : {1U, 4095U, 4096U, 4097U, 8192U, 65536U, 65537U, 300000U}) {
    for (const Form form : kForms) {
      const std::string_view part = std::string_view(text).substr(0, size);
      assert_inflates(form.coding, deflated(form.window_bits, part), part);
    }
  }
}
END_TEST

START_TEST(reads_a_small_window) {
  assert_inflates(Coding::deflate, deflated(9, kText), kText);
  assert_inflates(Coding::deflate, deflated(-9, kText), kText);
  assert_inflates(Coding::gzip, deflated(9 + 16, kText), kText);
}
END_TEST

START_TEST(an_empty_body_is_broken) {
  assert_fails(Coding::gzip, "", Status::broken);
  assert_fails(Coding::deflate, "", Status::broken);
}
END_TEST

START_TEST(a_body_cut_at_any_byte_is_broken) {
  const std::string text = std::string(kText) + noise(9000);
  for (const Form form : kForms) {
    const std::string body = deflated(form.window_bits, text);
    for (std::size_t cut = 0; cut < body.size(); ++cut) {
      assert_fails(form.coding, std::string_view(body).substr(0, cut), Status::broken);
    }
  }
}
END_TEST

START_TEST(a_body_with_something_after_it_is_broken) {
  for (const Form form : kForms) {
    const std::string body = deflated(form.window_bits, kText);
    for (const std::string& more :
         {std::string("x"), std::string("\x1f"), std::string("\x1f\x8b"), std::string(512, '\0'),
          std::string("\r\n"), body + "x", body.substr(0, body.size() - 1)}) {
      assert_fails(form.coding, body + more, Status::broken);
    }
  }
}
END_TEST

START_TEST(gzip_may_have_several_members) {
  const std::string body = deflated(kGzip, "{\"a\":") + deflated(kGzip, "") + deflated(kGzip, "1}");
  assert_inflates(Coding::gzip, body, "{\"a\":1}");
  const std::string large = noise(100000);
  assert_inflates(Coding::gzip, deflated(kGzip, large) + deflated(kGzip, large), large + large);
}
END_TEST

START_TEST(other_codings_have_one_stream) {
  assert_fails(Coding::deflate, deflated(kZlib, kText) + deflated(kZlib, kText), Status::broken);
  assert_fails(Coding::deflate, deflated(kRaw, kText) + deflated(kRaw, kText), Status::broken);
}
END_TEST

START_TEST(one_coding_is_not_taken_for_another) {
  assert_fails(Coding::gzip, deflated(kZlib, kText), Status::broken);
  assert_fails(Coding::gzip, deflated(kRaw, kText), Status::broken);
  assert_fails(Coding::deflate, deflated(kGzip, kText), Status::broken);
  for (const Coding coding : {Coding::gzip, Coding::deflate}) {
    assert_fails(coding, kText, Status::broken);
    assert_fails(coding, noise(5000), Status::broken);
  }
}
END_TEST

START_TEST(a_damaged_checksum_is_noticed) {
  for (const Form form : {kForms[0], kForms[1]}) {
    std::string body = deflated(form.window_bits, kText);
    for (std::size_t back = 1; back <= 4; ++back) {
      std::string damaged = body;
      damaged[damaged.size() - back] ^= 1;
      assert_fails(form.coding, damaged, Status::broken);
    }
  }
}
END_TEST

START_TEST(a_preset_dictionary_is_broken) {
  std::string body = deflated(kZlib, kText);
  body[1] = '\x20';  // FDICT
  body[1] = static_cast<char>(0x20 + (31 - (body[0] * 256 + 0x20) % 31) % 31);
  assert_fails(Coding::deflate, body, Status::broken);
}
END_TEST

START_TEST(a_gzip_header_with_all_its_fields_is_read) {
  z_stream stream{};
  char name[] = "name", comment[] = "comment";
  Bytef extra[] = {1, 2, 3};
  gz_header header{};
  header.name = reinterpret_cast<Bytef*>(name);
  header.comment = reinterpret_cast<Bytef*>(comment);
  header.extra = extra;
  header.extra_len = sizeof extra;
  header.hcrc = 1;
  ck_assert_int_eq(deflateInit2(&stream, 9, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY), Z_OK);
  ck_assert_int_eq(deflateSetHeader(&stream, &header), Z_OK);
  std::string body(1000, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(kText.data()));
  stream.avail_in = static_cast<uInt>(kText.size());
  stream.next_out = reinterpret_cast<Bytef*>(body.data());
  stream.avail_out = static_cast<uInt>(body.size());
  ck_assert_int_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
  body.resize(stream.total_out);
  deflateEnd(&stream);
  assert_inflates(Coding::gzip, body, kText);
}
END_TEST

START_TEST(the_bound_on_size_is_exact) {
  Limits limits;
  limits.inflated = 100000;
  limits.ratio = 1000000;
  std::string out;
  for (const Form form : kForms) {
    for (const std::string& text : {std::string(100001, 'x'), noise(100001)}) {
      const std::string fits = deflated(form.window_bits, text.substr(1));
      ck_assert(inflate_body(form.coding, fits, limits, out) == Status::ok);
      ck_assert_uint_eq(out.size(), 100000);
      assert_fails(form.coding, deflated(form.window_bits, text), Status::too_large, limits);
    }
  }
}
END_TEST

START_TEST(a_bomb_of_size_ends_at_the_bound) {
  Limits limits;
  limits.ratio = 1 << 20;
  const std::string bomb = deflated(kGzip, std::string(std::size_t{64} << 20, '\0'));
  std::string out;
  ck_assert(inflate_body(Coding::gzip, bomb, limits, out) == Status::too_large);
  ck_assert_uint_le(out.capacity(), 2 * (limits.inflated + 1));
}
END_TEST

START_TEST(a_bomb_of_ratio_ends_at_the_ratio) {
  const std::string bomb = deflated(kGzip, std::string(std::size_t{5} << 20, '\0'));
  std::string out;
  ck_assert_uint_lt(bomb.size(), 8000);
  ck_assert(inflate_body(Coding::gzip, bomb, Limits(), out) == Status::too_dense);
  ck_assert_uint_le(out.capacity(), 2 * (100 * bomb.size() + 1));
}
END_TEST

START_TEST(a_bomb_of_many_members_ends_too) {
  std::string body;
  for (int i = 0; i < 40; ++i) body += deflated(kGzip, std::string(100000, '\0'));
  assert_fails(Coding::gzip, body, Status::too_dense);
  Limits limits;
  limits.ratio = 1 << 20;
  limits.inflated = 3900000;
  assert_fails(Coding::gzip, body, Status::too_large, limits);
}
END_TEST

START_TEST(the_ratio_counts_only_above_its_floor) {
  Limits limits;
  limits.ratio = 2;
  for (const Form form : kForms) {
    const std::string most(weir::kRatioFloor, 'x');
    assert_inflates(form.coding, deflated(form.window_bits, most), most);
    std::string out;
    ck_assert(inflate_body(form.coding, deflated(form.window_bits, most), limits, out) ==
              Status::ok);
    assert_fails(form.coding, deflated(form.window_bits, most + "x"), Status::too_dense, limits);
  }
}
END_TEST

START_TEST(the_ratio_is_of_the_whole_body) {
  Limits limits;
  limits.ratio = 2;
  const std::string text = std::string(100000, 'x') + noise(100000);  // 2 to 1, all in all
  std::string out;
  ck_assert(inflate_body(Coding::gzip, deflated(kGzip, text), limits, out) == Status::ok);
  ck_assert(out == text);
}
END_TEST

START_TEST(the_tighter_bound_is_named) {
  const std::string bomb = deflated(kGzip, std::string(std::size_t{1} << 20, '\0'));
  Limits limits;
  limits.inflated = weir::kRatioFloor;
  assert_fails(Coding::gzip, bomb, Status::too_large, limits);
  limits.inflated = 512 << 10;
  assert_fails(Coding::gzip, bomb, Status::too_dense, limits);
}
END_TEST

START_TEST(extreme_bounds_do_not_overflow) {
  Limits limits;
  limits.inflated = limits.ratio = ~std::size_t{0};
  std::string out;
  ck_assert(inflate_body(Coding::gzip, deflated(kGzip, kText), limits, out) == Status::ok);
  std::string even = deflated(kGzip, std::string(weir::kRatioFloor + 1, 'x'));
  if (even.size() % 2 == 1) even = deflated(kGzip, std::string(weir::kRatioFloor + 1, 'x'), 1);
  ck_assert_uint_eq(even.size() % 2, 0);
  limits.ratio = std::size_t{1} << 63;  // times an even size is nothing in 64 bits
  ck_assert(inflate_body(Coding::gzip, even, limits, out) == Status::ok);
  limits.inflated = 0;
  assert_fails(Coding::gzip, deflated(kGzip, kText), Status::too_large, limits);
  ck_assert(inflate_body(Coding::gzip, deflated(kGzip, ""), limits, out) == Status::ok);
  limits = Limits();
  limits.ratio = 0;
  ck_assert(inflate_body(Coding::gzip, deflated(kGzip, kText), limits, out) == Status::ok);
}
END_TEST

START_TEST(identity_is_copied_within_the_bound) {
  assert_inflates(Coding::identity, kText, kText);
  assert_inflates(Coding::identity, "", "");
  Limits limits;
  limits.inflated = kText.size() - 1;
  assert_fails(Coding::identity, kText, Status::too_large, limits);
  limits.inflated = kText.size();
  std::string out;
  ck_assert(inflate_body(Coding::identity, kText, limits, out) == Status::ok);
  assert_fails(Coding::unsupported, kText, Status::broken);
}
END_TEST

START_TEST(content_encodings_are_read_in_any_case) {
  const struct {
    std::string_view header;
    Coding coding;
  } expected[] = {{"gzip", Coding::gzip},
                  {"x-gzip", Coding::gzip},
                  {"GZIP", Coding::gzip},
                  {"X-GZip", Coding::gzip},
                  {" gzip\t", Coding::gzip},
                  {"deflate", Coding::deflate},
                  {"Deflate", Coding::deflate},
                  {"identity", Coding::identity},
                  {"", Coding::identity},
                  {" ", Coding::identity},
                  {"gzip, gzip", Coding::unsupported},
                  {"gzip,", Coding::unsupported},
                  {"identity, gzip", Coding::unsupported},
                  {"br", Coding::unsupported},
                  {"zstd", Coding::unsupported},
                  {"gzipx", Coding::unsupported},
                  {"gzi", Coding::unsupported},
                  {std::string_view("gzip\0", 5), Coding::unsupported}};
  for (const auto& [header, coding] : expected) {
    ck_assert_msg(weir::parse_content_encoding(header) == coding, "'%s'",
                  std::string(header).c_str());
  }
}
END_TEST

START_TEST(gzip_is_known_by_its_first_bytes) {
  ck_assert(weir::looks_like_gzip(deflated(kGzip, kText)));
  ck_assert(weir::looks_like_gzip("\x1f\x8b"));
  for (const std::string_view other : {"", "\x1f", "\x8b\x1f", "{}"}) {
    ck_assert(!weir::looks_like_gzip(other));
  }
  ck_assert(!weir::looks_like_gzip(deflated(kZlib, kText)));
}
END_TEST

const weir_test::Register kRegistered("inflate", {reads_each_form_at_each_level,
                                                  reads_nothing_when_nothing_was_compressed,
                                                  reads_any_size,
                                                  reads_a_small_window,
                                                  an_empty_body_is_broken,
                                                  a_body_cut_at_any_byte_is_broken,
                                                  a_body_with_something_after_it_is_broken,
                                                  gzip_may_have_several_members,
                                                  other_codings_have_one_stream,
                                                  one_coding_is_not_taken_for_another,
                                                  a_damaged_checksum_is_noticed,
                                                  a_preset_dictionary_is_broken,
                                                  a_gzip_header_with_all_its_fields_is_read,
                                                  the_bound_on_size_is_exact,
                                                  a_bomb_of_size_ends_at_the_bound,
                                                  a_bomb_of_ratio_ends_at_the_ratio,
                                                  a_bomb_of_many_members_ends_too,
                                                  the_ratio_counts_only_above_its_floor,
                                                  the_ratio_is_of_the_whole_body,
                                                  the_tighter_bound_is_named,
                                                  extreme_bounds_do_not_overflow,
                                                  identity_is_copied_within_the_bound,
                                                  content_encodings_are_read_in_any_case,
                                                  gzip_is_known_by_its_first_bytes});

}  // namespace
