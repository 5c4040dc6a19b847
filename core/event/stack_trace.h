// Finds the frames in a stack trace, whatever runtime printed it. docs/fingerprint.md lists the
// forms that are known.
//
//   for (const StackFrame& frame : parse_stack_trace(text).frames) …
#pragma once

#include <functional>
#include <string_view>
#include <vector>

namespace weir {

// Slices of the trace, as they stand there: with arguments, directories, lines and addresses.
struct StackFrame {
  std::string_view function;  // empty: the runtime did not know
  std::string_view location;  // a file, URL or module; empty likewise
};

struct StackTrace {
  std::vector<StackFrame> frames;        // the innermost call first
  std::string_view cause;                // the type that the last "Caused by:" names, if one does
  std::vector<StackFrame> cause_frames;  // where the error began that led to this one
  bool cut = false;  // further frames were left out, `enough` being content with the last list
};

// Whether these frames, the innermost first, are all that is wanted of an error.
using Enough = std::function<bool(const std::vector<StackFrame>& frames)>;

// Reads the frames of the reported error: of several threads the crashed or else the first one, of
// several chained tracebacks the one that ended the program. Text that is no frame is passed over.
// `enough` is asked now and then; after a yes, reading may end, and `cut` is set.
StackTrace parse_stack_trace(std::string_view text, const Enough& enough = nullptr);

}  // namespace weir
