// How far a trace is read. What its frames are is test_fingerprint.cpp's matter.
#include "core/event/stack_trace.h"

#include <string>

#include "core/event/fingerprint.h"
#include "t/unit/suite.h"

namespace {

using weir::parse_stack_trace;

std::string of_trace(std::string_view trace) { return weir::fingerprint("Error", "m", trace); }

std::string v8_frames(const std::string& name, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    text += "    at " + name + std::string(1, static_cast<char>('a' + i % 26)) + " (a.js:1:1)\n";
  }
  return text;
}

bool at_once(const std::vector<weir::StackFrame>&) { return true; }

}  // namespace

START_TEST(reads_no_further_than_to_enough_frames) {
  const std::string text = "Error: x\n" + v8_frames("f", 40);
  const auto trace = parse_stack_trace(text, at_once);
  ck_assert(trace.cut);
  ck_assert_uint_eq(trace.frames.size(), 8);
  ck_assert_view_eq(trace.frames[7].function, "fh");
  ck_assert(!parse_stack_trace(v8_frames("f", 8), at_once).cut);  // nobody asks for the last one
  ck_assert_uint_eq(parse_stack_trace(text).frames.size(), 40);
}
END_TEST

START_TEST(a_frame_that_is_enough_has_its_file) {
  std::string rust;
  for (int i = 0; i < 20; ++i) {
    rust += std::to_string(i) + ": shop::f\n      at /src/" + std::to_string(i) + ".rs:1\n";
  }
  const auto trace = parse_stack_trace(rust, at_once);
  ck_assert_uint_eq(trace.frames.size(), 8);
  ck_assert_view_eq(trace.frames[7].location, "/src/7.rs:1");
}
END_TEST

START_TEST(reads_on_past_enough_frames_where_something_may_follow) {
  const std::string frames = v8_frames("f", 20);
  for (const char* line : {"Caused by: E: x", "[cause]: E: x", "Thread 2 Crashed:",
                           "Traceback (most recent call last):", "File \"a.py\", line 1, in g"}) {
    const std::string text = frames + line + "\n" + v8_frames("g", 20);
    const auto whole = parse_stack_trace(text);
    const auto read = parse_stack_trace(text, at_once);
    ck_assert_msg(!read.cut, "%s", line);
    ck_assert_uint_eq(read.frames.size(), whole.frames.size());
    ck_assert_uint_eq(read.cause_frames.size(), whole.cause_frames.size());
    ck_assert(of_trace(text) != of_trace(frames));
  }
}
END_TEST

static const weir_test::Register kRegistered(
    "stack_trace", {reads_no_further_than_to_enough_frames, a_frame_that_is_enough_has_its_file,
                    reads_on_past_enough_frames_where_something_may_follow});
