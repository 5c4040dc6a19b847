// Type, message and trace, divided by bytes 0xFF: every fingerprint has its form, the same input
// has the same one, line ends do not matter, and no step makes text longer or looks outside it.
#include "core/event/fingerprint.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/event/frame_name.h"
#include "core/event/message_template.h"
#include "core/event/stack_trace.h"
#include "t/fuzz/require.h"

namespace {

std::string_view take_part(std::string_view& text) {
  const auto end = std::min(text.find('\xFF'), text.size());
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

std::string with_crlf(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') out += '\r';
    out += c;
  }
  return out;
}

bool lies_inside(std::string_view part, std::string_view whole) {
  if (part.empty()) return true;
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

void check_frames(const std::vector<weir::StackFrame>& frames, std::string_view trace) {
  REQUIRE(frames.size() <= 512);
  for (const auto& frame : frames) {
    REQUIRE(lies_inside(frame.function, trace) && lies_inside(frame.location, trace));
    REQUIRE(weir::clean_function(frame.function).size() <= frame.function.size());
    REQUIRE(weir::clean_file(frame.location).size() <= frame.location.size());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const std::string_view type = take_part(rest);
  const std::string_view message = take_part(rest);
  const std::string_view trace = rest;

  const std::string fingerprint = weir::fingerprint(type, message, trace);
  REQUIRE(fingerprint.size() == 34 && fingerprint.compare(0, 2, "1-") == 0);
  REQUIRE(fingerprint.find_first_not_of("0123456789abcdef", 2) == fingerprint.npos);
  REQUIRE(weir::fingerprint(type, message, trace) == fingerprint);
  REQUIRE(weir::fingerprint(type, message, with_crlf(trace)) == fingerprint);
  const auto parsed = weir::parse_stack_trace(trace);
  REQUIRE(lies_inside(parsed.cause, trace));
  check_frames(parsed.frames, trace);
  check_frames(parsed.cause_frames, trace);
  REQUIRE(weir::message_template(message).size() <= std::min<std::size_t>(message.size(), 1000));
  weir::clean_function(message);
  weir::clean_file(message);
  return 0;
}
