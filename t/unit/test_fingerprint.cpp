#include "core/event/fingerprint.h"

#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/event/frame_name.h"
#include "core/event/message_template.h"
#include "core/event/stack_trace.h"
#include "t/unit/suite.h"

namespace {

using weir::clean_file;
using weir::clean_function;
using weir::fingerprint;
using weir::message_template;
using weir::parse_stack_trace;

std::string of_trace(std::string_view trace) { return fingerprint("Error", "m", trace); }

// What a version 1 trace is made of, for messages that a person can read: "pay in shop.js; …".
std::string frames_of(std::string_view text) {
  std::string out;
  for (const auto& frame : parse_stack_trace(text).frames) {
    out += clean_function(frame.function) + " in " + clean_file(frame.location) + "; ";
  }
  return out;
}

struct Vector {
  std::string name, type, message, stack, expected;
};

bool take(std::string& line, std::string_view prefix) {
  if (line.compare(0, prefix.size(), prefix) != 0) return false;
  line.erase(0, prefix.size());
  return true;
}

std::vector<Vector> golden_vectors() {
  std::vector<Vector> vectors;
  std::ifstream file("t/golden/fingerprint-v1.txt");
  for (std::string line; std::getline(file, line);) {
    if (take(line, "== ")) vectors.push_back({line, {}, {}, {}, {}});
    if (vectors.empty()) continue;
    Vector& last = vectors.back();
    if (take(line, "type: ")) last.type = line;
    if (take(line, "message: ")) last.message = line;
    if (take(line, "fingerprint: ")) last.expected = line;
    if (take(line, "|")) last.stack += (line.empty() ? line : line.substr(1)) + "\n";
  }
  return vectors;
}

}  // namespace

START_TEST(golden_vectors_never_change) {
  const auto vectors = golden_vectors();
  ck_assert_msg(vectors.size() >= 20, "t/golden/fingerprint-v1.txt: run this in the repository");
  for (const Vector& v : vectors) {
    const std::string actual = fingerprint(v.type, v.message, v.stack);
    ck_assert_msg(actual == v.expected, "%s: %s", v.name.c_str(), actual.c_str());
  }
}
END_TEST

START_TEST(golden_vectors_of_different_crashes_differ) {
  std::map<std::string, std::string> seen;
  for (const Vector& v : golden_vectors()) {
    const auto [at, fresh] = seen.emplace(v.expected, v.name);
    const bool is_twin = v.name.find("the same") != std::string::npos;
    ck_assert_msg(fresh != is_twin, "%s and %s", v.name.c_str(), at->second.c_str());
  }
}
END_TEST

START_TEST(is_a_version_and_thirty_two_hexadecimal_digits) {
  for (const std::string& text : {fingerprint("", "", ""), fingerprint("a", "b", "at c (d:1)")}) {
    ck_assert_uint_eq(text.size(), 34);
    ck_assert_view_eq(std::string_view(text).substr(0, 2), "1-");
    ck_assert(text.find_first_not_of("0123456789abcdef", 2) == text.npos);
  }
}
END_TEST

START_TEST(does_not_depend_on_line_column_or_directory) {
  ck_assert_view_eq(of_trace("at pay (/srv/a/shop.js:1:2)\nat main (/srv/a/main.js:3:4)"),
                    of_trace("at pay (C:\\b\\shop.js:77:8)\nat main (C:\\b\\main.js:9:99)"));
  ck_assert_view_eq(of_trace("at pay (shop.js:1:2)"), of_trace("at pay (shop.js:1)"));
}
END_TEST

START_TEST(does_not_depend_on_addresses) {
  ck_assert_view_eq(
      of_trace("#0 0x5581 in pay() /src/shop.cpp:1\n#1 0x99 in main (/bin/shop+0x1)"),
      of_trace("#0 0xffff in pay() /src/shop.cpp:9\n#1 0x11 in main (/bin/shop+0x2)"));
}
END_TEST

START_TEST(does_not_depend_on_line_ends_or_indentation) {
  ck_assert_view_eq(of_trace("  at pay (a.js:1:2)\n  at main (b.js:3:4)\n"),
                    of_trace("\tat pay (a.js:1:2)\r\n\tat main (b.js:3:4)\r\n"));
}
END_TEST

START_TEST(does_not_depend_on_the_message_where_the_function_is_known) {
  ck_assert_view_eq(fingerprint("E", "order 1 failed", "at pay (a.js:1:2)"),
                    fingerprint("E", "no such order", "at pay (a.js:1:2)"));
}
END_TEST

START_TEST(does_not_depend_on_callers_above_the_fifth_frame) {
  const std::string upper = "at a (x.js:1:1)\nat b (x.js:1:1)\nat c (x.js:1:1)\nat d (x.js:1:1)\n";
  ck_assert_view_eq(of_trace(upper + "at e (x.js:1:1)\nat f (x.js:1:1)"),
                    of_trace(upper + "at e (x.js:1:1)\nat g (y.js:1:1)"));
  ck_assert(of_trace(upper + "at e (x.js:1:1)") != of_trace(upper + "at f (x.js:1:1)"));
}
END_TEST

START_TEST(does_not_depend_on_the_depth_of_a_recursion) {
  const std::string call = "at walk (tree.js:5:3)\n";
  ck_assert_view_eq(of_trace(call + call + call + "at main (a.js:1:1)"),
                    of_trace(call + call + call + call + call + call + "at main (a.js:1:1)"));
}
END_TEST

START_TEST(differs_by_type_function_file_and_cause) {
  const std::string base = fingerprint("E", "", "at pay (shop.js:1:1)");
  ck_assert(base != fingerprint("F", "", "at pay (shop.js:1:1)"));
  ck_assert(base != fingerprint("E", "", "at buy (shop.js:1:1)"));
  ck_assert(base != fingerprint("E", "", "at pay (cart.js:1:1)"));
  ck_assert(base != fingerprint("E", "", "at pay (shop.js:1:1)\nCaused by: x.Refused: no"));
  ck_assert(fingerprint("E", "", "at pay (shop.js:1:1)\nCaused by: x.Refused: no") !=
            fingerprint("E", "", "at pay (shop.js:1:1)\nCaused by: x.TimedOut: no"));
}
END_TEST

START_TEST(differs_by_message_where_the_innermost_function_has_no_name) {
  ck_assert(fingerprint("E", "a is not defined", "") != fingerprint("E", "b is not defined", ""));
  const std::string_view trace = "at https://shop.example/app-3f2a1b9c.js:1:2";
  ck_assert(fingerprint("E", "a is not defined", trace) !=
            fingerprint("E", "b is not defined", trace));
  ck_assert_view_eq(
      fingerprint("E", "a is not defined", trace),
      fingerprint("E", "a is not defined", "at https://x.example/app-77c0ffee.js:3:4"));
}
END_TEST

START_TEST(reads_v8) {
  ck_assert_view_eq(frames_of("TypeError: x\n"
                              "    at Shop.pay [as buy] (webpack-internal:///./src/shop.ts:1:2)\n"
                              "    at async Promise.all (index 0)\n"
                              "    at new Cart (/a (b)/cart.js:1:2)\n"
                              "    at eval (eval at run (/a/x.js:1:2), <anonymous>:1:1)\n"
                              "    at Array.map (<anonymous>)\n"
                              "    at /a/b/c.js:1:2\n"
                              "    at <anonymous>\n"
                              "    at render (address at index.android.bundle:1:2345)"),
                    "Shop.pay in shop.ts; Promise.all in ; new Cart in cart.js; eval in eval; "
                    "Array.map in ;  in c.js;  in ; render in index.android.bundle; ");
}
END_TEST

START_TEST(reads_gecko_and_javascriptcore) {
  ck_assert_view_eq(frames_of("pay@https://cdn.example/npm/@shop/till@1.2.3/till.min.js:1:2\n"
                              "async*onClick@resource://app/a.js:3:4\n"
                              "run@https://shop.example/a.js line 5 > eval:1:1\n"
                              "global code@https://shop.example/b.js:1:1\n"
                              "[native code]\n"
                              "forEach@[native code]\n"
                              "@debugger eval code:1:1"),
                    "pay in till.min.js; onClick in a.js; run in a.js; global code in b.js; "
                    "forEach in ;  in debugger eval code; ");
}
END_TEST

START_TEST(reads_python_from_its_end) {
  ck_assert_view_eq(
      frames_of("Traceback (most recent call last):\n"
                "  File \"/a/low.py\", line 1, in low\n"
                "    at shop (x.js:1:1)\n"
                "ValueError: first\n\n"
                "During handling of the above exception, another exception occurred:\n\n"
                "Traceback (most recent call last):\n"
                "  File \"/a/app.py\", line 1, in <module>\n"
                "    pay()\n"
                "  File \"/a/till.py\", line 2, in pay\n"
                "KeyError: 'x'"),
      "pay in till.py; <module> in app.py; ");
}
END_TEST

START_TEST(reads_java) {
  ck_assert_view_eq(
      frames_of("\tat app//com.example.Shop.pay(Shop.java:1) ~[shop.jar:1.0]\n"
                "\tat com.example.Shop$1.run(Unknown Source)\n"
                "\tat java.base@17.0.1/java.lang.Thread.run(Thread.java:833)\n"
                "\t... 23 more"),
      "com.example.Shop.pay in ; com.example.Shop$.run in ; java.lang.Thread.run in ; ");
}
END_TEST

START_TEST(reads_dotnet_and_mono) {
  ck_assert_view_eq(frames_of("   at Shop.Pay(String a) in /src/Shop.cs:line 3\n"
                              "   at Shop.<>c.<Pay>b__0_1(Int32 x)\n"
                              "   at Shop.Run (System.String a) [0x00012] in <0123456789abcdef>:0"),
                    "Shop.Pay in Shop.cs; Shop.<>c.<Pay>b___ in ; Shop.Run in ; ");
}
END_TEST

START_TEST(reads_sanitizers_and_gdb) {
  ck_assert_view_eq(frames_of("#0 0x1 in f() at shop.cpp:12\n"
                              "#1 0x2 in std::vector<int, std::allocator<int> >::at(unsigned long) "
                              "/usr/include/c++/12/bits/stl_vector.h:1\n"
                              "#2  0x3 in Shop::pay (this=0x0, path=\"/a/b\") at shop.cpp:3\n"
                              "#3  raise () from /lib/libc.so.6\n"
                              "#4 0x4 (/usr/bin/shop+0x4a5)\n"
                              "#5  main ()\n"
                              "#6 0x5 in operator new(unsigned long) (/lib/libasan.so.8+0x1)"),
                    "f in shop.cpp; std::vector<int, std::allocator<int> >::at in stl_vector.h; "
                    "Shop::pay in shop.cpp; raise in libc.so;  in shop; main in ; "
                    "operator new in libasan.so; ");
}
END_TEST

START_TEST(reads_apple_without_symbols) {
  ck_assert_view_eq(frames_of("Thread 0 Crashed:\n"
                              "0   Google Chrome Helper  0x000000010d6d3a1c 0x10d6b8000 + 113180\n"
                              "1   dyld  0x00007fff2039a92e start + 10\n"
                              "2   Shop  0x00007fff2039a92e main (main.swift:10)"),
                    " in Google Chrome Helper; start in dyld; main in Shop; ");
}
END_TEST

START_TEST(leaves_out_frames_that_every_crash_shares) {
  ck_assert_view_eq(
      of_trace("#0 0x1 in raise (libc.so.6+0x1)\n#1 0x1 in abort (libc.so.6+0x1)\n"
               "#2 0x1 in pay() /src/shop.cpp:1\n#3 0x1 in __libc_start_main (l+0x1)\n"
               "#4 0x1 in _start (/bin/shop+0x1)"),
      of_trace("#0 0x1 in pay() /src/shop.cpp:1"));
  ck_assert(of_trace("#0 0x1 in raise (l+0x1)") != of_trace("#0 0x1 in abort (l+0x1)"));
}
END_TEST

START_TEST(reads_other_runtimes_by_file_and_line) {
  ck_assert_view_eq(frames_of("stack traceback:\n\t[C]: in ?\n"
                              "\tshop.lua:12: in function 'pay'\n"
                              "\tlib/cart.ex:7: Cart.check_out/2"),
                    "pay in shop.lua; Cart.check_out/ in cart.ex; ");
}
END_TEST

START_TEST(takes_directories_with_spaces) {
  ck_assert_view_eq(frames_of("#0 0x1 in pay(int) /Users/anna b/Application Support/shop.cpp:1:2\n"
                              "#1 0x2 in buy() C:\\Program Files\\shop\\cart.cpp:3"),
                    "pay in shop.cpp; buy in cart.cpp; ");
}
END_TEST

START_TEST(knows_where_an_error_began) {
  const std::string outer = "x.ShopException: no\n\tat x.Shop.pay(Shop.java:1)\n";
  const std::string refused =
      "Caused by: x.Refused: 4\n\tat x.Net.open(Net.java:1)\n\t... 2 more\n";
  const std::string elsewhere = "Caused by: x.Refused: 4\n\tat x.Disk.open(Disk.java:1)\n";
  ck_assert(of_trace(outer) != of_trace(outer + refused));
  ck_assert(of_trace(outer + elsewhere) != of_trace(outer + refused));
  ck_assert_view_eq(of_trace(outer + elsewhere + refused), of_trace(outer + refused));

  const std::string low =
      "Traceback (most recent call last):\n  File \"a.py\", line 1, in low\nE: 1\n";
  const std::string other =
      "Traceback (most recent call last):\n  File \"b.py\", line 1, in low\nE: 1\n";
  const std::string led_to =
      "\nThe above exception was the direct cause of the following exception:\n\n";
  const std::string high =
      "Traceback (most recent call last):\n  File \"c.py\", line 1, in high\nF\n";
  ck_assert(of_trace(high) != of_trace(low + led_to + high));
  ck_assert(of_trace(other + led_to + high) != of_trace(low + led_to + high));
  ck_assert_view_eq(of_trace(low + led_to + other + led_to + high), of_trace(low + led_to + high));
}
END_TEST

START_TEST(takes_only_the_crashed_thread_and_the_first_goroutine) {
  ck_assert_view_eq(frames_of("Thread 0:\n0  a  0x1 f + 1\n\nThread 1 Crashed:\n0  b  0x2 g + 2\n"
                              "Thread 2:\n0  c  0x3 h + 3"),
                    "g in b; ");
  ck_assert_view_eq(frames_of("goroutine 1 [running]:\nmain.f()\n\t/s/a.go:1 +0x1\n\n"
                              "goroutine 2 [select]:\nmain.g()\n\t/s/b.go:2 +0x2"),
                    "main.f in a.go; ");
}
END_TEST

START_TEST(finds_no_frames_in_prose) {
  for (const std::string_view text :
       {"", "\n\n", "at last", "at least one error", "mail bob@example.com", "#1", "#12 is taken",
        "3: what happened", "12 monkeys", "look at me (please", "12:30:45 restarted", "))((", "@",
        "at (", "at )", "File \"x", "#1 ", "0x", "1 0x"}) {
    ck_assert_view_eq(frames_of(text), "");
  }
}
END_TEST

START_TEST(keeps_the_innermost_frames_of_an_endless_recursion) {
  std::string python = "Traceback (most recent call last):\n";
  std::string node = "RangeError: x\n    at innermost (a.js:1:1)\n";
  for (int i = 0; i < 5000; ++i) {
    python += "  File \"a.py\", line 1, in f" + std::string(i % 2 ? "oo" : "ee") + "\n";
    node += "    at f" + std::string(i % 2 ? "oo" : "ee") + " (a.js:1:1)\n";
  }
  python += "  File \"a.py\", line 1, in innermost\n";
  for (const std::string& text : {python, node}) {
    const auto frames = parse_stack_trace(text).frames;
    ck_assert_uint_ge(frames.size(), 256);
    ck_assert_uint_le(frames.size(), 512);
    ck_assert_view_eq(frames.front().function, "innermost");
  }
}
END_TEST

START_TEST(cleans_functions) {
  const std::map<std::string_view, std::string_view> expected = {
      {"Shop::pay(int, char*) const", "Shop::pay"},
      {"Shop::operator()(int)", "Shop::operator()"},
      {"operator() (this=0x0)", "operator()"},
      {"operator()", "operator()"},
      {"(anonymous namespace)::pay(int)", "(anonymous namespace)::pay"},
      {"pay(int) [clone .isra.0]", "pay"},
      {"pay.constprop.12", "pay"},
      {"a.coldStart", "a.coldStart"},
      {"shop::pay::h0123456789abcdef", "shop::pay"},
      {"main.(*Shop).Pay(0xc000012345)", "main.(*Shop).Pay"},
      {"Cart.checkOut(card: Int) -> String", "Cart.checkOut"},
      {"lambda$pay$12", "lambda$pay$"},
      {"com.example.Shop$$Lambda/0x00007f3a5c0b3d09.run", "com.example.Shop$$Lambda/.run"},
      {"GeneratedMethodAccessor1234.invoke", "GeneratedMethodAccessor.invoke"},
      {"utf8_decode", "utf8_decode"},
      {"sha256", "sha256"},
      {"step_2", "step_2"},
      {"-[Shop pay:]", "-[Shop pay:]"},
      {"<anonymous>", ""},
      {"??", ""},
      {"()", "()"},
  };
  for (const auto& [name, wanted] : expected) ck_assert_view_eq(clean_function(name), wanted);
}
END_TEST

START_TEST(cleans_files) {
  const std::map<std::string_view, std::string_view> expected = {
      {"/srv/shop.py", "shop.py"},
      {"C:\\src\\Shop.cs:line 12", "Shop.cs"},
      {"https://shop.example/a/main.3f2a1b9c.chunk.js?v=1#x:12:7", "main.chunk.js"},
      {"index-BX3kd92a.js", "index.js"},
      {"index-C_2k-9aZ.js", "index.js"},
      {"index-DxKqLmNp.js", "index.js"},
      {"chunk-WUOVZQEA.js", "chunk.js"},
      {"chunk-5EWUOVZQ.js", "chunk.js"},
      {"main-app-3f4a5b6c7d8e9f01.js", "main-app.js"},
      {"user-profile.js", "user-profile.js"},
      {"react-bootstrap.js", "react-bootstrap.js"},
      {"my-MyWidget.js", "my-MyWidget.js"},
      {"jquery-3.6.0.min.js", "jquery.min.js"},
      {"2.3f2a1b9c.chunk.js", "chunk.js"},
      {"libc.so.6", "libc.so"},
      {"libc-2.31.so", "libc.so"},
      {"/usr/bin/shop+0x4a5", "shop"},
      {"step_1.py", "step_1.py"},
      {"0001_initial.py", "0001_initial.py"},
      {"facade.js", "facade.js"},
      {"AppKitUI", "AppKitUI"},
      {"<frozen importlib._bootstrap>", "<frozen importlib._bootstrap>"},
      {"https://shop.example/:1:2", ""},
      {"", ""},
      {".", "."},
      {"-", ""},
  };
  for (const auto& [name, wanted] : expected) ck_assert_view_eq(clean_file(name), wanted);
}
END_TEST

START_TEST(takes_out_of_messages_what_changes) {
  const std::map<std::string_view, std::string_view> expected = {
      {"User 'bob' (id 4711) not found at /home/bob/x.db", "User \"\" (id #) not found at #"},
      {"can't open \"a b\" and can't close `c'", "can't open \"\" and can't close \"\""},
      {"“a” ‘b’ «c»", "\"\" \"\" \"\""},
      {"it's 5 o'clock", "it's # o'clock"},
      {"took 1.5s, not -2", "took #s, not #"},
      {"connect ECONNREFUSED 127.0.0.1:5432", "connect ECONNREFUSED #"},
      {"at 2026-11-21T08:30:00Z", "at #Z"},
      {"E1001: x", "E#: x"},
      {"key 3f2a1b9c-0d4e-4f5a-8b6c-7d8e9f0a1b2c gone", "key # gone"},
      {"commit 3f2a1b9 by usr_2k3jd92la", "commit # by #"},
      {"facade deadbeef", "facade deadbeef"},
      {"GET https://x.example/a?b=c: 500", "GET # #"},
      {"mail to anna.b@example.com failed", "mail to # failed"},
      {"path=/a/b, C:\\x\\y", "path=#, #"},
      {"and/or", "and/or"},
      {"a\tb\n second line", "a b"},
      {"  ", ""},
      {"ошибка 5", "ошибка #"},
      {"unclosed 'quote", "unclosed 'quote"},
  };
  for (const auto& [message, wanted] : expected) {
    ck_assert_view_eq(message_template(message), wanted);
  }
}
END_TEST

START_TEST(a_long_message_counts_by_its_first_thousand_bytes) {
  const std::string start(1000, 'a');
  ck_assert_view_eq(message_template(start + "b"), start);
  ck_assert_view_eq(fingerprint("E", start + "b", ""), fingerprint("E", start + "c", ""));
}
END_TEST

static const weir_test::Register kRegistered(
    "fingerprint", {golden_vectors_never_change,
                    golden_vectors_of_different_crashes_differ,
                    is_a_version_and_thirty_two_hexadecimal_digits,
                    does_not_depend_on_line_column_or_directory,
                    does_not_depend_on_addresses,
                    does_not_depend_on_line_ends_or_indentation,
                    does_not_depend_on_the_message_where_the_function_is_known,
                    does_not_depend_on_callers_above_the_fifth_frame,
                    does_not_depend_on_the_depth_of_a_recursion,
                    differs_by_type_function_file_and_cause,
                    differs_by_message_where_the_innermost_function_has_no_name,
                    reads_v8,
                    reads_gecko_and_javascriptcore,
                    reads_python_from_its_end,
                    reads_java,
                    reads_dotnet_and_mono,
                    reads_sanitizers_and_gdb,
                    reads_apple_without_symbols,
                    leaves_out_frames_that_every_crash_shares,
                    reads_other_runtimes_by_file_and_line,
                    takes_directories_with_spaces,
                    knows_where_an_error_began,
                    takes_only_the_crashed_thread_and_the_first_goroutine,
                    finds_no_frames_in_prose,
                    keeps_the_innermost_frames_of_an_endless_recursion,
                    cleans_functions,
                    cleans_files,
                    takes_out_of_messages_what_changes,
                    a_long_message_counts_by_its_first_thousand_bytes});
