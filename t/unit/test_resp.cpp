// Commands to bytes, bytes to replies.
#include "core/redis/resp.h"

#include <climits>

#include <string>
#include <vector>

#include "t/unit/suite.h"

namespace {

using weir::Reply;
using weir::ReplyReader;
using Next = ReplyReader::Next;
using Type = Reply::Type;

// Asserts that `bytes` are one whole reply, and gives it.
Reply only_reply(std::string_view bytes) {
  ReplyReader reader;
  reader.give(bytes);
  ck_assert(reader.next() == Next::reply);
  const Reply reply = reader.reply();
  ck_assert(reader.next() == Next::none);
  return reply;
}

void assert_broken(std::string_view bytes, std::string_view why) {
  ReplyReader reader;
  reader.give(bytes);
  while (reader.next() == Next::reply) continue;
  ck_assert(reader.next() == Next::broken);
  ck_assert_msg(reader.error().find(why) != std::string_view::npos, "'%.*s'",
                static_cast<int>(reader.error().size()), reader.error().data());
}

START_TEST(a_command_is_an_array_of_its_words) {
  std::string out = "before";
  weir::append_command(out, {"SET", "", std::string_view("a\r\n\0b", 5)});
  const std::string expected =
      std::string("before*3\r\n$3\r\nSET\r\n$0\r\n\r\n$5\r\na\r\n\0b\r\n", 36);
  ck_assert_view_eq(out, expected);
}
END_TEST

START_TEST(a_bulk_string_adds_no_more_than_its_overhead) {
  for (const std::size_t size : {0U, 9U, 10U, 99999U, 10000000U}) {
    std::string out;
    weir::append_bulk(out, std::string(size, 'x'));
    ck_assert_uint_lt(out.size(), size + weir::kBulkOverhead);
    ck_assert_uint_eq(out.find("$" + std::to_string(size) + "\r\n"), 0);
  }
}
END_TEST

START_TEST(a_length_that_begins_with_0_is_none_whether_all_is_there_or_not) {
  for (const std::size_t first : {0U, 1U, 5U, 12U}) {
    const std::string_view bytes = "$05\r\nhello\r\n";
    ReplyReader reader;
    reader.give(bytes.substr(0, first));
    ck_assert(reader.next() != Next::reply);
    reader.give(bytes.substr(first));
    ck_assert(reader.next() == Next::broken);
  }
}
END_TEST

START_TEST(reads_every_type) {
  Reply reply = only_reply("+OK\r\n");
  ck_assert(reply.type == Type::status && reply.text == "OK");
  reply = only_reply("-ERR no\r\n");
  ck_assert(reply.type == Type::error && reply.text == "ERR no");
  reply = only_reply(":-42\r\n");
  ck_assert(reply.type == Type::integer && reply.integer == -42);
  reply = only_reply(std::string_view("$5\r\na\r\n\0b\r\n", 11));
  ck_assert(reply.type == Type::string && reply.text == std::string_view("a\r\n\0b", 5));
  reply = only_reply("$0\r\n\r\n");
  ck_assert(reply.type == Type::string && reply.text.empty());
  ck_assert(only_reply("$-1\r\n").type == Type::nil);
  ck_assert(only_reply("*-1\r\n").type == Type::nil);
  reply = only_reply("*0\r\n");
  ck_assert(reply.type == Type::array && reply.items.empty());
}
END_TEST

START_TEST(reads_the_ends_of_the_integers) {
  ck_assert(only_reply(":9223372036854775807\r\n").integer == LLONG_MAX);
  ck_assert(only_reply(":-9223372036854775808\r\n").integer == LLONG_MIN);
  assert_broken(":9223372036854775808\r\n", "Bad integer");
  assert_broken(":\r\n", "Bad integer");
  assert_broken(":01\r\n", "Bad integer");
}
END_TEST

START_TEST(an_array_keeps_the_texts_of_its_first_elements_at_any_depth) {
  const Reply reply =
      only_reply("*6\r\n$3\r\none\r\n:2\r\n$-1\r\n*2\r\n+deep\r\n*1\r\n+deeper\r\n+five\r\n*0\r\n");
  ck_assert(reply.type == Type::array);
  const std::vector<std::string> expected = {"one", "", "", "", "deep", "", "deeper", "five"};
  ck_assert(reply.items == expected);
}
END_TEST

START_TEST(replies_do_not_leak_into_each_other) {
  ReplyReader reader;
  reader.give("*2\r\n+a\r\n+b\r\n:7\r\n+text\r\n$-1\r\n*1\r\n+c\r\n");
  ck_assert(reader.next() == Next::reply && reader.reply().items.size() == 2);
  ck_assert(reader.next() == Next::reply && reader.reply().integer == 7);
  ck_assert(reader.reply().items.empty());
  ck_assert(reader.next() == Next::reply && reader.reply().text == "text");
  ck_assert_int_eq(static_cast<int>(reader.reply().integer), 0);
  ck_assert(reader.next() == Next::reply && reader.reply().type == Type::nil);
  ck_assert(reader.reply().text.empty());
  ck_assert(reader.next() == Next::reply && reader.reply().items.size() == 1);
  ck_assert(reader.next() == Next::none);
}
END_TEST

START_TEST(replies_may_be_cut_at_every_two_bytes) {
  const std::string_view bytes =
      "*3\r\n$10\r\nappendonly\r\n*2\r\n:1\r\n$-1\r\n$3\r\nyes\r\n-ERR x\r\n$2\r\n\r\n\r\n:5\r\n";
  for (std::size_t first = 0; first <= bytes.size(); ++first) {
    for (std::size_t second = first; second <= bytes.size(); ++second) {
      ReplyReader reader;
      std::string types;
      for (const auto part :
           {bytes.substr(0, first), bytes.substr(first, second - first), bytes.substr(second)}) {
        reader.give(part);
        while (reader.next() == Next::reply) {
          types += std::to_string(static_cast<int>(reader.reply().type));
          if (reader.reply().type == Type::array) ck_assert(reader.reply().items[4] == "yes");
        }
      }
      ck_assert_view_eq(types, "5431");
    }
  }
}
END_TEST

START_TEST(entry_ids_are_read_however_they_are_cut_and_whatever_stands_between) {
  std::string bytes;
  std::vector<std::string> expected;
  for (int i = 0; i < 50; ++i) {
    expected.push_back("1764140000000-" + std::to_string(i * i));
    weir::append_bulk(bytes, expected.back());
    if (i % 7 != 0) continue;
    bytes += "-ERR no\r\n";
    expected.push_back("ERR no");
  }
  for (std::size_t chunk = 1; chunk <= bytes.size(); ++chunk) {
    ReplyReader reader;
    std::vector<std::string> got;
    for (std::size_t at = 0; at < bytes.size(); at += chunk) {
      const std::string part = bytes.substr(at, chunk);
      reader.give(part);
      while (reader.next() == Next::reply) got.push_back(reader.reply().text);
    }
    ck_assert(got == expected);
  }
}
END_TEST

START_TEST(what_is_read_may_go_away_between_chunks) {
  ReplyReader reader;
  for (const char byte : std::string_view("*2\r\n$4\r\nname\r\n$5\r\nvalue\r\n")) {
    const std::string chunk(1, byte);
    reader.give(chunk);
    if (reader.next() == Next::none) continue;
    ck_assert(reader.reply().items[0] == "name" && reader.reply().items[1] == "value");
    return;
  }
  ck_abort_msg("no reply");
}
END_TEST

START_TEST(long_texts_are_kept_in_part) {
  const std::string text(ReplyReader::kMostText + 1, 'x');
  ck_assert_uint_eq(only_reply("+" + text + "\r\n").text.size(), ReplyReader::kMostText);
  const Reply reply = only_reply("*1\r\n+" + text + "\r\n");
  ck_assert_uint_eq(reply.items[0].size(), ReplyReader::kMostText);
}
END_TEST

START_TEST(an_array_may_have_so_many_elements_and_no_more) {
  std::string elements;
  for (std::size_t i = 0; i < ReplyReader::kMostElements; ++i) elements += ":1\r\n";
  const std::string most = std::to_string(ReplyReader::kMostElements);
  ck_assert_uint_eq(only_reply("*" + most + "\r\n" + elements).items.size(),
                    ReplyReader::kMostItems);
  assert_broken("*" + most + "\r\n*1\r\n", "an array too long");
  assert_broken("*2147483647\r\n", "an array too long");
  // Each reply has the whole number for itself.
  ReplyReader reader;
  const std::string twice =
      "*700\r\n" + elements.substr(0, 2800) + "*700\r\n" + elements.substr(0, 2800);
  reader.give(twice);
  ck_assert(reader.next() == Next::reply && reader.next() == Next::reply);
}
END_TEST

START_TEST(a_line_may_have_so_many_bytes_and_no_more) {
  const std::string text(ReplyReader::kMostPending - 100, 'x');
  ck_assert_uint_eq(only_reply("+" + text + "\r\n").text.size(), ReplyReader::kMostText);
  assert_broken("+" + text + text, "a reply too long");
  assert_broken("$" + std::string(20000, '1'), "a reply too long");
}
END_TEST

START_TEST(a_string_may_have_any_length_and_its_beginning_is_kept) {
  for (const std::size_t length : {16000U, 16384U, 16385U, 20000U, 70000U, 3000000U}) {
    const std::string text = "begin" + std::string(length - 5, '\r');
    const std::string bytes =
        "*2\r\n$3\r\none\r\n$" + std::to_string(length) + "\r\n" + text + "\r\n:7\r\n";
    for (const std::size_t chunk : {1U, 4096U, 65536U, 4000000U}) {
      if (chunk == 1 && length > 100000) continue;
      ReplyReader reader;
      std::string types;
      for (std::size_t at = 0; at < bytes.size(); at += chunk) {
        reader.give(std::string_view(bytes).substr(at, chunk));
        while (reader.next() == Next::reply) {
          types += std::to_string(static_cast<int>(reader.reply().type));
          if (reader.reply().type != Type::array) continue;
          ck_assert(reader.reply().items[1] == text.substr(0, ReplyReader::kMostText));
        }
      }
      ck_assert_view_eq(types, "51");
    }
  }
}
END_TEST

START_TEST(a_string_without_end_takes_no_memory) {
  ReplyReader reader;
  reader.give("$9223372036854775807\r\n");
  ck_assert(reader.next() == Next::none);
  const std::string chunk(1 << 20, 'x');
  int replies = 0;
  for (int i = 0; i < 100; ++i) {
    reader.give(chunk);
    while (reader.next() == Next::reply) ++replies;
  }
  ck_assert_int_eq(replies, 1);
  reader.restart();
  reader.give("+OK\r\n");
  ck_assert(reader.next() == Next::reply && reader.reply().text == "OK");
}
END_TEST

START_TEST(arrays_nest_to_a_depth_of_seven) {
  // Seven below the one at the top, as hiredis counts.
  const auto nested = [](int arrays) {
    std::string bytes;
    for (int i = 0; i < arrays; ++i) bytes += "*1\r\n";
    return bytes + ":1\r\n";
  };
  for (int arrays = 1; arrays <= 8; ++arrays) {
    ck_assert(only_reply(nested(arrays)).type == Type::array);
  }
  assert_broken(nested(9), "depth > 7");
  assert_broken(nested(60), "depth > 7");
}
END_TEST

START_TEST(a_string_that_does_not_end_where_it_should_is_broken) {
  assert_broken("$1\r\nabc\r\n", "longer than announced");
  assert_broken("$3\r\nabcdef", "longer than announced");
  assert_broken("$1\r\na\r\r\n", "longer than announced");
  assert_broken("$15\r\n1764140000000-0\n\r$1\r\na\r\n", "longer than announced");
}
END_TEST

START_TEST(an_error_repeats_no_more_than_a_byte) {
  assert_broken("sesame", "got \"s\" as reply type byte");
  ReplyReader reader;
  reader.give("sesame");
  ck_assert(reader.next() == Next::broken);
  ck_assert(reader.error().find("se") == std::string_view::npos);
}
END_TEST

START_TEST(broken_stays_broken_until_restarted) {
  for (const std::string_view garbage : {"x", "*1025\r\n", "$1\r\nabc\r\n"}) {
    ReplyReader reader;
    reader.give(garbage);
    ck_assert(reader.next() == Next::broken);
    reader.give("+OK\r\n");
    ck_assert(reader.next() == Next::broken);
    reader.restart();
    ck_assert(reader.next() == Next::none);
    reader.give("+OK\r\n");
    ck_assert(reader.next() == Next::reply);
    ck_assert(reader.error().empty());
  }
}
END_TEST

START_TEST(a_restart_forgets_half_a_reply_and_what_was_given) {
  ReplyReader reader;
  reader.give("*2\r\n$10\r\nappend");
  ck_assert(reader.next() == Next::none);
  reader.give("only\r\n+x\r\n");
  reader.restart();
  ck_assert(reader.next() == Next::none);
  reader.give(":1\r\n");
  ck_assert(reader.next() == Next::reply && reader.reply().type == Type::integer);
}
END_TEST

START_TEST(a_large_chunk_is_read_to_its_end) {
  std::string bytes;
  for (int i = 0; i < 100000; ++i) bytes += ":" + std::to_string(i) + "\r\n";
  ReplyReader reader;
  reader.give(bytes);
  for (int i = 0; i < 100000; ++i) {
    ck_assert(reader.next() == Next::reply);
    ck_assert_int_eq(static_cast<int>(reader.reply().integer), i);
  }
  ck_assert(reader.next() == Next::none);
}
END_TEST

const weir_test::Register kRegistered(
    "resp", {a_command_is_an_array_of_its_words,
             a_bulk_string_adds_no_more_than_its_overhead,
             a_length_that_begins_with_0_is_none_whether_all_is_there_or_not,
             reads_every_type,
             reads_the_ends_of_the_integers,
             an_array_keeps_the_texts_of_its_first_elements_at_any_depth,
             replies_do_not_leak_into_each_other,
             replies_may_be_cut_at_every_two_bytes,
             entry_ids_are_read_however_they_are_cut_and_whatever_stands_between,
             what_is_read_may_go_away_between_chunks,
             long_texts_are_kept_in_part,
             an_array_may_have_so_many_elements_and_no_more,
             a_line_may_have_so_many_bytes_and_no_more,
             a_string_may_have_any_length_and_its_beginning_is_kept,
             a_string_without_end_takes_no_memory,
             arrays_nest_to_a_depth_of_seven,
             a_string_that_does_not_end_where_it_should_is_broken,
             an_error_repeats_no_more_than_a_byte,
             broken_stays_broken_until_restarted,
             a_restart_forgets_half_a_reply_and_what_was_given,
             a_large_chunk_is_read_to_its_end});

}  // namespace
