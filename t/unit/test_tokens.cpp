#include "core/json/tokens.h"

#include <simdjson.h>

#include <memory>
#include <new>
#include <string>
#include <vector>

#include "core/json/names.h"
#include "t/unit/suite.h"

using weir::find_tokens_slowly;
using weir::MemberNames;
using weir::SlowTokens;
using weir::TokenIndex;

// Whether those who ask for memory politely, as simdjson does, are told that there is none.
static bool no_memory = false;

void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  if (no_memory) return nullptr;
  try {
    return ::operator new[](size);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

namespace {

using Places = std::vector<std::uint32_t>;

// A body of its own allocation, so that AddressSanitizer and valgrind see who reads behind it.
struct Body {
  explicit Body(const std::string& text) : size(text.size()), bytes(new char[size]) {
    text.copy(bytes.get(), size);
  }
  std::string_view view() const { return {bytes.get(), size}; }

  std::size_t size;
  std::unique_ptr<char[]> bytes;
};

Places slow(const std::string& text) { return find_tokens_slowly(text).places; }

void same(TokenIndex& index, const std::string& text) {
  const Body body(text);
  ck_assert_msg(index.find(body.view()), "%.80s", text.c_str());
  const Places found(index.begin(), index.end() + 1);
  ck_assert_msg(found == slow(text), "%.80s", text.c_str());
}

void refuses(TokenIndex& index, const std::string& text) {
  const Body body(text);
  ck_assert_msg(!index.find(body.view()), "%.80s", text.c_str());
}

// Runs `check` once with each of simdjson's implementations that this processor can run.
template <typename Check>
void with_each_implementation(Check check) {
  const auto* usual =
      static_cast<const simdjson::implementation*>(simdjson::get_active_implementation());
  for (const auto* implementation : simdjson::get_available_implementations()) {
    if (!implementation->supported_by_runtime_system()) continue;
    simdjson::get_active_implementation() = implementation;
    TokenIndex index;
    check(index);
  }
  simdjson::get_active_implementation() = usual;
}

}  // namespace

START_TEST(each_token_is_found_where_it_begins) {
  ck_assert(slow(R"({"a" : [1,"b\"",true] })") ==
            (Places{0, 1, 5, 7, 8, 9, 10, 15, 16, 20, 22, 23}));
  ck_assert(slow(R"( "a"1 tru"e")") == (Places{1, 4, 6, 9, 12}));
  ck_assert(slow(" \t\r\n") == Places{4});
  ck_assert(slow("") == Places{0});
}
END_TEST

START_TEST(every_implementation_finds_the_same_at_every_place_of_its_blocks) {
  with_each_implementation([](TokenIndex& index) {
    for (std::size_t before = 0; before < 140; ++before) {
      const std::string text(before, ' ');
      same(index, text + R"({"a\\\"b" : [-1.5e3 ,"\\", {}, null],"":"ñ😀"})");
      same(index, text + R"(["")" + text + ",[" + text + "]]" + text);
      same(index, "\"" + text + "\\\\\"");
    }
  });
}
END_TEST

START_TEST(every_implementation_refuses_what_no_string_holds) {
  with_each_implementation([](TokenIndex& index) {
    for (std::size_t before = 1; before < 140; ++before) {
      const std::string text(before, 'a');
      refuses(index, "[\"" + text);
      refuses(index, "[\"" + text + "\\\"]");
      refuses(index, "[\"" + text + "\n\"]");
      refuses(index, "[\"" + text + "\xC3\"]");
      refuses(index, "[\"" + text + "\xF0\x9F\x98");
      refuses(index, "[\"" + text + "\xED\xA0\x80\"]");
    }
  });
}
END_TEST

START_TEST(what_is_empty_has_no_tokens) {
  with_each_implementation([](TokenIndex& index) {
    refuses(index, "");
    refuses(index, " \n");
    refuses(index, std::string(200, ' '));
  });
}
END_TEST

START_TEST(a_broken_string_is_told_with_its_place) {
  const SlowTokens cut = find_tokens_slowly("[1,\"ab");
  ck_assert_uint_eq(cut.broken, 3);
  ck_assert_uint_eq(cut.broken_at, 6);
  const SlowTokens escaped = find_tokens_slowly("\"ab\\");
  ck_assert_uint_eq(escaped.broken, 0);
  ck_assert_uint_eq(escaped.broken_at, 4);
  const SlowTokens control = find_tokens_slowly("[\"a\tb\"]");
  ck_assert_uint_eq(control.broken, 1);
  ck_assert_uint_eq(control.broken_at, 3);
  ck_assert_uint_eq(find_tokens_slowly("[\"a\"]").broken, SlowTokens::kNone);
}
END_TEST

START_TEST(an_index_grows_with_a_large_body_and_gives_that_back) {
  const auto ones = [](std::size_t count) {
    std::string text = "[";
    for (std::size_t i = 0; i < count; ++i) text += "1,";
    return text + "1]";
  };
  const std::size_t ordinary = 4 * TokenIndex::kOrdinary;
  TokenIndex index;
  same(index, ones(30'000));
  ck_assert_uint_eq(index.memory(), ordinary);
  same(index, ones(40'000));
  same(index, ones(2'000'000));
  ck_assert_uint_ge(index.memory(), 4 * 4'000'000);
  same(index, ones(10));
  ck_assert_uint_eq(index.memory(), ordinary);
  same(index, ones(500'000));
  index.forget();
  ck_assert_uint_eq(index.memory(), ordinary);
  same(index, ones(100));
}
END_TEST

START_TEST(an_index_that_once_found_no_memory_works_again) {
  TokenIndex index;
  const std::string large(1'000'000, ' ');
  no_memory = true;
  bool thrown = false;
  try {
    index.find(large + "[]");
  } catch (const std::bad_alloc&) {
    thrown = true;
  }
  no_memory = false;
  ck_assert(thrown);
  same(index, "[1,2]");
  same(index, large + "[1,2]");
}
END_TEST

START_TEST(names_are_found_and_others_are_not) {
  const MemberNames names{"a", "b", "aa", "ab", "ba", "event", "evnet", "user_id"};
  for (std::size_t i = 0; i < names.size(); ++i) ck_assert_uint_eq(names.find(names[i]), i);
  for (const auto* other : {"", "c", "bb", "eevnt", "user_ie", "user_i", "event "}) {
    ck_assert_uint_eq(names.find(other), MemberNames::kNone);
  }
  const MemberNames nameless{"", "a"};
  ck_assert_uint_eq(nameless.find(""), 0);
  ck_assert_uint_eq(nameless.find("a"), 1);
}
END_TEST

static const weir_test::Register kRegistered(
    "tokens",
    {each_token_is_found_where_it_begins,
     every_implementation_finds_the_same_at_every_place_of_its_blocks,
     every_implementation_refuses_what_no_string_holds, what_is_empty_has_no_tokens,
     a_broken_string_is_told_with_its_place, an_index_grows_with_a_large_body_and_gives_that_back,
     an_index_that_once_found_no_memory_works_again, names_are_found_and_others_are_not});
