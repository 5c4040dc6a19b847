#include "core/event/fingerprint.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <utility>
#include <vector>

#include "core/event/frame_name.h"
#include "core/event/message_template.h"
#include "core/event/scan.h"
#include "core/event/stack_trace.h"

namespace weir {
namespace {

constexpr std::string_view kVersion = "1-";
constexpr std::size_t kHashBytes = 16;

// Enough to tell two crashes apart, few enough that another caller further up makes no new one.
constexpr std::size_t kFrames = 5;

struct Name {
  std::string function;
  std::string file;

  bool operator==(const Name& other) const {
    return function == other.function && file == other.file;
  }
};

// Functions that raise whatever crash there is, or start whatever program: their frames tell
// nothing apart, and another libc has others. By the beginning of their names, …
constexpr std::string_view kCommonStarts[] = {"std::panicking::",
                                              "core::panicking::",
                                              "std::sys_common::backtrace::",
                                              "std::rt::",
                                              "__rustc::",
                                              "rust_begin_unwind",
                                              "__rust_start_panic",
                                              "rust_panic",
                                              "std::terminate",
                                              "__cxxabiv",
                                              "_Unwind_",
                                              "runtime.",
                                              "jdk.internal.reflect.",
                                              "sun.reflect.",
                                              "java.lang.reflect.",
                                              "__libc_start_"};

// … and by their whole names.
constexpr std::string_view kCommonNames[] = {
    "abort",
    "raise",
    "gsignal",
    "pthread_kill",
    "__pthread_kill",
    "__pthread_kill_implementation",
    "__pthread_kill_internal",
    "__assert_fail",
    "__assert_rtn",
    "__assert_fail_base",
    "__libc_message",
    "malloc_printerr",
    "__cxa_throw",
    "__cxa_rethrow",
    "objc_exception_throw",
    "__exceptionPreprocess",
    "panic",
    "__stack_chk_fail",
    "core::option::unwrap_failed",
    "core::option::expect_failed",
    "core::result::unwrap_failed",
    "_start",
    "start_thread",
    "_pthread_start",
    "thread_start",
    "start_wqthread",
    "clone3",
};

bool is_common(std::string_view function) {
  scan::take(function, "__GI_");  // glibc's own name for its function
  if (function.empty()) return false;
  for (const std::string_view name : kCommonNames) {
    if (function == name) return true;
  }
  for (const std::string_view start : kCommonStarts) {
    if (function.front() == start.front() && scan::starts_with(function, start)) return true;
  }
  return false;
}

// Node's own machinery around a program, which moves from release to release.
bool is_node_internal(std::string_view location) {
  return scan::starts_with(location, "node:internal/") || scan::starts_with(location, "internal/");
}

// The names of the first frames that fit, each run of equal ones once.
template <typename Fits>
std::vector<Name> upper_names(const std::vector<StackFrame>& frames, Fits fits) {
  std::vector<Name> names;
  names.reserve(kFrames);
  for (const StackFrame& frame : frames) {
    Name name{clean_function(frame.function), clean_file(frame.location)};
    if (name.function.empty() && name.file.empty()) continue;
    if (!fits(frame, name) || (!names.empty() && names.back() == name)) continue;
    names.push_back(std::move(name));
    if (names.size() == kFrames) break;
  }
  return names;
}

bool is_telling(const StackFrame& frame, const Name& name) {
  return !is_common(name.function) && !is_node_internal(frame.location);
}

std::vector<Name> telling_names(const std::vector<StackFrame>& frames) {
  auto names = upper_names(frames, is_telling);
  if (!names.empty()) return names;
  return upper_names(frames, [](const StackFrame&, const Name&) { return true; });
}

void append_frames(std::string& identity, const std::vector<Name>& names) {
  for (const Name& name : names) {
    identity.append("frame ").append(name.function).append(" in ").append(name.file) += '\n';
  }
}

// Fetched once, since looking it up costs as much as hashing; never freed, since a web server may
// unload this code while others still hash.
const EVP_MD* sha256() {
  static const EVP_MD* const digest = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return digest;
}

std::string hash(std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  unsigned char digest[SHA256_DIGEST_LENGTH];
  if (EVP_Digest(text.data(), text.size(), digest, nullptr, sha256(), nullptr) != 1) {
    throw std::runtime_error("libcrypto has no SHA-256");
  }
  std::string out(kVersion);
  for (std::size_t i = 0; i < kHashBytes; ++i) {
    out += kHex[digest[i] >> 4];
    out += kHex[digest[i] & 15];
  }
  return out;
}

}  // namespace

std::string fingerprint(std::string_view crash_type, std::string_view error_message,
                        std::string_view stack_trace) {
  std::vector<Name> names;
  const StackTrace trace = parse_stack_trace(stack_trace, [&names](const auto& frames) {
    names = upper_names(frames, is_telling);
    return names.size() == kFrames;
  });
  const bool has_names = trace.cut && trace.cause_frames.empty();
  if (!has_names) names = telling_names(trace.frames);
  std::string identity = "type " + message_template(crash_type) + '\n';
  append_frames(identity, names);
  if (!trace.cause.empty() || !trace.cause_frames.empty()) {
    identity += "cause " + message_template(trace.cause) + '\n';
    append_frames(identity, telling_names(trace.cause_frames));
  }
  // A file alone does not tell where in it the crash was: a bundle holds a whole program.
  if (names.empty() || names.front().function.empty()) {
    identity += "message " + message_template(error_message) + '\n';
  }
  return hash(identity);
}

}  // namespace weir
