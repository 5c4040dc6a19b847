#include "flusher/numbers_in.h"

#include <algorithm>

#include "core/json/capture.h"

namespace weir::flusher {
namespace {

// Finds those of `count` names from `first` on, which a Capture takes at once.
bool find(Capture& capture, std::string_view json, const std::string_view* first, std::size_t count,
          std::string_view* literals) {
  const Limits any;  // what exceeds them is noted, and does not matter here
  if (capture.read_inner(json, MemberNames(first, count), any) != CaptureStatus::ok) return false;
  for (std::size_t i = 0; i < count; ++i) {
    const JsonValue& value = capture.events()[0].members[i];
    if (value.type == JsonValue::Type::number) literals[i] = value.raw;
  }
  return true;
}

}  // namespace

void numbers_in(std::string_view json, const std::vector<std::string_view>& names,
                std::vector<std::string_view>& literals) {
  static Capture capture;
  literals.assign(names.size(), {});
  for (std::size_t done = 0; done < names.size(); done += MemberNames::kMost) {
    const std::size_t count = std::min(names.size() - done, MemberNames::kMost);
    if (!find(capture, json, &names[done], count, &literals[done])) return;
  }
}

}  // namespace weir::flusher
