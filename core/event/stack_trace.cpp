#include "core/event/stack_trace.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include "core/event/scan.h"

namespace weir {
namespace {

using scan::contains;
using scan::drop_line_number;
using scan::ends_with;
using scan::find_either;
using scan::find_last;
using scan::is_hex;
using scan::is_letter;
using scan::is_word;
using scan::opening_parenthesis;
using scan::starts_with;
using scan::take;
using scan::take_while;
using scan::trim;

using MaybeFrame = std::optional<StackFrame>;

// The innermost frames are kept, at least so many, however deep the recursion was.
constexpr std::size_t kMostFrames = 256;

// With fewer than these, nobody is asked whether they are enough.
constexpr std::size_t kFewestFrames = 8;

bool is_location(std::string_view text) {
  return find_either(text, '/', '\\') != text.npos || drop_line_number(text);
}

// Takes "0x7fff5c2a " away from the front.
bool take_address(std::string_view& text) {
  std::string_view rest = text;
  if (!take(rest, "0x") || take_while(rest, is_hex).empty()) return false;
  text = trim(rest);
  return true;
}

// What V8 writes between parentheses where a frame's code came from.
std::string_view v8_location(std::string_view inside) {
  take(inside, "address at ");  // Hermes
  if (starts_with(inside, "eval at ")) return inside.substr(0, 4);
  return is_location(inside) ? inside : std::string_view();
}

// "java.base/java.lang.Thread.run" has its module in front. (What follows the slash of a hidden
// class, "Main$$Lambda/0x…", is its address.)
std::string_view without_module(std::string_view function) {
  const auto slash = function.rfind('/');
  if (slash == function.npos || starts_with(function.substr(slash + 1), "0x")) return function;
  return function.substr(slash + 1);
}

// V8:   at async Shop.pay [as buy] (file:///app/shop.js:12:7)
//       at /app/shop.js:12:7
// Java: at com.example.Shop.pay(Shop.java:12)
// .NET: at Example.Shop.Pay(String card) in C:\src\Shop.cs:line 12
MaybeFrame at_frame(std::string_view line) {
  if (!take(line, "at ")) return std::nullopt;
  take(line, "async ");
  if (ends_with(line, "]")) line = line.substr(0, line.rfind(')') + 1);  // Logback's "~[shop.jar]"
  if (const auto offset = line.find(") [0x"); offset != line.npos) {     // Mono's
    line = line.substr(0, offset + 1);
  }
  if (const auto in = find_last(line, ") in "); in != line.npos) {
    return StackFrame{line.substr(0, in + 1), line.substr(in + 5)};
  }
  if (!ends_with(line, ")")) {
    if (line == "<anonymous>") return StackFrame{};
    return is_location(line) ? MaybeFrame(StackFrame{{}, line}) : std::nullopt;
  }
  const auto open = opening_parenthesis(line);
  if (open == line.npos) return std::nullopt;
  const std::string_view before = line.substr(0, open);
  const std::string_view inside = line.substr(open + 1, line.size() - open - 2);
  if (!before.empty() && before.back() != ' ') return StackFrame{without_module(before), {}};
  const std::string_view function = before.substr(0, before.find(" [as "));
  return StackFrame{trim(function), v8_location(inside)};
}

// Android: pc 000000000004793e  /system/lib64/libc.so (abort+160)
StackFrame program_counter_frame(std::string_view rest) {
  take_while(rest, is_hex);
  rest = trim(rest);
  const auto open = ends_with(rest, ")") ? opening_parenthesis(rest) : rest.npos;
  if (open == rest.npos) return {{}, rest};
  const std::string_view function = rest.substr(open + 1, rest.size() - open - 2);
  return {function.substr(0, function.rfind('+')), trim(rest.substr(0, open))};
}

// PHP: /app/shop.php(12): Shop->pay('card')
MaybeFrame php_frame(std::string_view rest) {
  if (take(rest, "[internal function]: ")) return StackFrame{rest, {}};
  const auto colon = rest.find("): ");
  if (colon == rest.npos) return std::nullopt;
  const auto open = opening_parenthesis(rest.substr(0, colon + 1));
  if (open == rest.npos || open == 0) return std::nullopt;
  const std::string_view number = rest.substr(open + 1, colon - open - 1);
  if (!std::all_of(number.begin(), number.end(), is_digit)) return std::nullopt;
  return StackFrame{rest.substr(colon + 3), rest.substr(0, open)};
}

// Where a space is followed by an absolute path, which may hold spaces itself; npos if none is.
std::size_t absolute_path_in(std::string_view text) {
  const auto drive = text.find(":\\");
  if (drive != text.npos && drive >= 2 && text[drive - 2] == ' ') return drive - 2;
  return text.find(" /");
}

// ASan:  Shop::pay(int) /src/shop.cpp:12:7
//        Shop::pay(int) (/usr/bin/shop+0x4793e)
// gdb:   Shop::pay (this=0x0, card=4) at /src/shop.cpp:12
//        raise () from /lib/libc.so.6
// Dart:  Shop.pay (package:shop/shop.dart:12:7)
MaybeFrame native_frame(std::string_view rest, bool is_sure) {
  for (const std::string_view word : {" at ", " from "}) {
    const auto at = find_last(rest, word);
    if (at != rest.npos) return StackFrame{rest.substr(0, at), rest.substr(at + word.size())};
  }
  if (ends_with(rest, ")")) {
    const auto open = opening_parenthesis(rest);
    if (open == rest.npos || (open > 0 && rest[open - 1] != ' ')) return StackFrame{rest, {}};
    const std::string_view inside = rest.substr(open + 1, rest.size() - open - 2);
    if (!is_location(inside) || contains(inside, "=")) return StackFrame{rest, {}};
    return StackFrame{trim(rest.substr(0, open)), inside};
  }
  const auto space = std::min(absolute_path_in(rest), rest.rfind(' '));
  if (space == rest.npos) return StackFrame{rest, {}};
  if (is_location(rest.substr(space + 1))) {
    return StackFrame{rest.substr(0, space), rest.substr(space + 1)};
  }
  return is_sure ? MaybeFrame(StackFrame{rest, {}}) : std::nullopt;  // "#12 is taken"
}

// "#3  0x00005581 in …", the sanitizers', gdb's, Dart's, PHP's and Android's way of counting.
MaybeFrame counted_frame(std::string_view line) {
  if (!take(line, "#") || take_while(line, is_digit).empty()) return std::nullopt;
  if (line.empty() || !is_space(line.front())) return std::nullopt;
  line = trim(line);
  line = trim(line.substr(0, line.find(" (BuildId: ")));
  if (take(line, "pc ")) return program_counter_frame(line);
  const bool has_address = take_address(line);
  if (has_address) take(line, "in ");
  if (const auto frame = php_frame(line)) return frame;
  return native_frame(line, has_address);
}

// Apple: 3   Shop Helper   0x000000010a2b3c4d -[Shop pay:] + 42 (Shop.m:12)
MaybeFrame apple_frame(std::string_view line) {
  if (take_while(line, is_digit).empty() || line.empty() || !is_space(line.front())) {
    return std::nullopt;
  }
  const auto address = std::min(line.find(" 0x"), line.find("\t0x"));  // Apple writes a tab
  if (address == line.npos) return std::nullopt;
  const std::string_view module = trim(line.substr(0, address));
  std::string_view symbol = line.substr(address + 1);
  if (module.empty() || !take_address(symbol)) return std::nullopt;
  if (starts_with(symbol, "0x")) return StackFrame{{}, module};  // not symbolicated
  if (ends_with(symbol, ")")) {                                  // "pay() (Shop.swift:12)"
    const auto open = find_last(symbol, " (");
    if (open != symbol.npos && contains(symbol.substr(open), ":")) symbol = symbol.substr(0, open);
  }
  return StackFrame{symbol.substr(0, find_last(symbol, " + ")), module};
}

// Rust:    4: shop::pay::h0123456789abcdef
//             at /src/shop.rs:12:7
MaybeFrame rust_frame(std::string_view line) {
  if (take_while(line, is_digit).empty() || !take(line, ": ")) return std::nullopt;
  line = trim(line);
  if (take_address(line)) take(line, "- ");
  if (!contains(line, "::") && !std::all_of(line.begin(), line.end(), is_word)) {
    return std::nullopt;
  }
  return StackFrame{line, {}};
}

// Gecko and JavaScriptCore: pay@https://example.com/shop.js:12:7
MaybeFrame at_sign_frame(std::string_view line) {
  const auto at = line.find('@');
  if (at == line.npos) return std::nullopt;
  std::string_view function = line.substr(0, at);
  std::string_view location = line.substr(at + 1);
  if (const auto star = function.rfind('*'); star != function.npos) {
    function.remove_prefix(star + 1);  // "promise callback*pay"
  }
  const bool has_spaces = function.find(' ') != function.npos;
  if (has_spaces && !ends_with(function, " code")) return std::nullopt;  // "global code"
  if (location == "[native code]") return StackFrame{function, {}};
  std::string_view rest = location;
  return drop_line_number(rest) ? MaybeFrame(StackFrame{function, location}) : std::nullopt;
}

// Python: File "/app/shop.py", line 12, in pay
constexpr std::string_view kPythonFrame = "File \"";
MaybeFrame python_frame(std::string_view line) {
  take_while(line, [](char c) { return c == '|' || c == ' '; });  // of an exception group
  if (!take(line, kPythonFrame)) return std::nullopt;
  const auto quote = line.find("\", line ");
  if (quote == line.npos) return std::nullopt;
  const auto in = line.find(", in ", quote);
  const std::string_view function = in == line.npos ? std::string_view() : line.substr(in + 5);
  return StackFrame{function, line.substr(0, quote)};
}

// Go: main.(*Shop).Pay(0xc000012345)
//         /src/shop.go:12 +0x1d
MaybeFrame go_frame(std::string_view line, std::string_view line_before) {
  const std::string_view location = line.substr(0, line.find(" +0x"));
  std::string_view file = location;
  if (!drop_line_number(file) || !ends_with(file, ".go")) return std::nullopt;
  take(line_before, "created by ");
  return StackFrame{line_before.substr(0, line_before.find(" in goroutine ")), location};
}

// Where a line number begins in "shop.rb:12:in", right behind the colon; npos if none does.
std::size_t line_number_in(std::string_view word) {
  for (std::size_t i = 1; i + 1 < word.size(); ++i) {
    if (word[i] == ':' && is_digit(word[i + 1])) return i + 1;
  }
  return word.npos;
}

bool has_extension(std::string_view file) {
  const auto dot = file.rfind('.');
  return dot != file.npos && dot + 1 < file.size() && is_letter(file[dot + 1]);
}

// "`pay': undefined method" is pay, and so is "function 'pay'".
std::string_view unquoted(std::string_view text) {
  const auto open = find_either(text, '`', '\'');
  if (open == text.npos) return text;
  const auto close = text.find('\'', open + 1);
  return close == text.npos ? text : text.substr(open + 1, close - open - 1);
}

// Any other runtime that names "file.ext:12" in a line: Ruby, Lua, Elixir, … The function is what
// the line says after it, or else before it.
MaybeFrame plain_frame(std::string_view line) {
  std::string_view rest = line;
  while (!rest.empty()) {
    const std::string_view word = take_while(rest, [](char c) { return !is_space(c); });
    take_while(rest, is_space);
    const auto number = line_number_in(word);
    if (number == word.npos || !has_extension(word.substr(0, number - 1))) continue;
    const auto at = static_cast<std::size_t>(word.data() - line.data());
    std::string_view after = line.substr(at + number);
    take_while(after, [](char c) { return is_digit(c) || c == ':' || is_space(c); });
    take(after, "in ");
    const std::string_view function = after.empty() ? trim(line.substr(0, at)) : unquoted(after);
    return StackFrame{function, word.substr(0, number - 1)};
  }
  return std::nullopt;
}

// What stands in front of a traceback of Python's, and between that of a cause and that of the
// error it led to; and in front of a cause that Java or Node print.
constexpr std::string_view kTraceback = "Traceback (most recent call last)";
constexpr std::string_view kIsCause = "was the direct cause of the following exception";
constexpr std::string_view kCausedBy = "Caused by: ";
constexpr std::string_view kCause = "[cause]: ";

// "Thread 3 Crashed:: Dispatch queue: com.apple.main-thread"
constexpr std::string_view kThread = "Thread ";
bool opens_crashed_thread(std::string_view line) {
  return starts_with(line, kThread) && contains(line, " Crashed");
}

// Whether a line of `text` could begin something else than what was read, or be a frame of
// Python's.
bool may_lead_back(std::string_view text) {
  for (const auto word : {kTraceback, kIsCause, kCausedBy, kCause, kThread, kPythonFrame}) {
    if (contains(text, word)) return true;
  }
  return false;
}

// A line after which the frames belong to something else.
bool ends_frames(std::string_view line) {
  if (line.empty() || starts_with(line, "Suppressed: ") || starts_with(line, "goroutine ")) {
    return true;
  }
  return starts_with(line, "Thread ") && line.size() > 7 && is_digit(line[7]);
}

// Takes the first line off `text`, and the white space around it away.
std::string_view take_line(std::string_view& text) {
  const auto end = std::min(text.find('\n'), text.size());
  const std::string_view line = trim(text.substr(0, end));
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

//            a frame            blank line, next thread
//   before ──────────▶ inside ─────────────────────────▶ after
//     ▲                 │                                │
//     └─────────────────┴─ a crashed thread, a traceback,┘
//                          "Caused by:" (of the cause then)
//
// Inside, with enough frames, it is also over at once if nothing in the rest of the text could lead
// back, and no frame there is Python's, whose order is the other one.
class TraceReader {
 public:
  TraceReader(std::string_view text, const Enough& enough) : rest_(text), enough_(enough) {}
  TraceReader(const TraceReader&) = delete;  // frames_ points into it
  TraceReader& operator=(const TraceReader&) = delete;

  StackTrace read() {
    std::string_view before;
    while (!rest_.empty() && !trace_.cut) {
      const std::string_view here = take_line(rest_);
      line(here, before);
      before = here;
    }
    return finish();
  }

 private:
  void line(std::string_view line, std::string_view before) {
    if (opens_crashed_thread(line) || contains(line, kTraceback)) return start_again();
    if (take(line, kCausedBy) || take(line, kCause)) return start_cause(line);
    if (contains(line, kIsCause)) return keep_as_cause();
    if (ended_) return;
    if (!frames_->empty() && ends_frames(line)) {
      ended_ = true;
      return;
    }
    if (const auto frame = frame_in(line, before)) add(*frame);
  }

  StackTrace finish() {
    // Python prints the innermost call last.
    if (is_python_) {
      std::reverse(trace_.frames.begin(), trace_.frames.end());
      std::reverse(trace_.cause_frames.begin(), trace_.cause_frames.end());
    }
    return std::move(trace_);
  }

  void start_again() { start(trace_.frames); }

  void start(std::vector<StackFrame>& frames) {
    frames_ = &frames;
    frames_->clear();
    awaits_file_ = false;
    ended_ = false;
  }

  // Java and Node print the cause after the error; the last one is where it all began.
  void start_cause(std::string_view line) {
    trace_.cause = line.substr(0, find_either(line, ':', ' '));
    start(trace_.cause_frames);
  }

  // Python prints the cause before the error; the first one is where it all began.
  void keep_as_cause() {
    if (trace_.cause_frames.empty()) trace_.cause_frames = std::move(trace_.frames);
    start_again();
  }

  MaybeFrame frame_in(std::string_view line, std::string_view before) {
    if (const auto frame = python_frame(line)) {
      is_python_ = true;
      return frame;
    }
    if (is_python_) return std::nullopt;  // a line of the program's source
    const auto rust = rust_frame(line);
    if (!rust && awaits_file_ && complete(line)) return std::nullopt;
    awaits_file_ = rust.has_value();
    if (rust) return rust;
    if (const auto frame = go_frame(line, before)) return frame;
    for (const auto parse : {at_frame, counted_frame, apple_frame, at_sign_frame}) {
      if (const auto frame = parse(line)) return frame;
    }
    return std::nullopt;
  }

  // Rust's "at /src/shop.rs:12:7" belongs to the frame above it.
  bool complete(std::string_view line) {
    awaits_file_ = false;
    if (!take(line, "at ")) return false;
    frames_->back().location = line;
    return true;
  }

  // Another frame begins, so those before are whole. Asking at 8, 16, 32, … costs less than the
  // frames did.
  bool is_enough() {
    const std::size_t count = frames_->size();
    const bool is_time = count >= kFewestFrames && (count & (count - 1)) == 0;
    if (!is_time || is_python_ || looked_ahead_ || !enough_ || !enough_(*frames_)) return false;
    looked_ahead_ = true;  // once, however often reading starts again
    return !may_lead_back(rest_);
  }

  void add(const StackFrame& frame) {
    trace_.cut = is_enough();
    if (trace_.cut) return;
    frames_->push_back(frame);
    if (frames_->size() < 2 * kMostFrames) return;
    if (is_python_) {  // whose innermost calls are still to come
      frames_->erase(frames_->begin(), frames_->begin() + kMostFrames);
    } else {
      ended_ = true;
    }
  }

  std::string_view rest_;  // behind the line that is being read
  const Enough& enough_;
  StackTrace trace_;
  std::vector<StackFrame>* frames_ = &trace_.frames;  // those that are being read
  bool is_python_ = false;
  bool awaits_file_ = false;  // the frame before was Rust's, whose file is on the next line
  bool looked_ahead_ = false;
  bool ended_ = false;
};

}  // namespace

StackTrace parse_stack_trace(std::string_view text, const Enough& enough) {
  StackTrace trace = TraceReader(text, enough).read();
  if (!trace.frames.empty()) return trace;
  while (!text.empty() && trace.frames.size() < kMostFrames) {
    if (const auto frame = plain_frame(take_line(text))) trace.frames.push_back(*frame);
  }
  return trace;
}

}  // namespace weir
