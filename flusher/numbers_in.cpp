#include "flusher/numbers_in.h"

#include <algorithm>

#include "core/json/capture.h"

namespace weir::flusher {
namespace {

// Notes the numbers among the members called `names`.
bool find_some(Capture& capture, std::string_view json, const MemberNames& names,
               std::string_view* literals) {
  const Limits any;  // what exceeds them is noted, and does not matter here
  if (capture.read_inner(json, names, any) != CaptureStatus::ok) return false;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const JsonValue& value = capture.events()[0].members[i];
    if (value.type == JsonValue::Type::number) literals[i] = value.raw;
  }
  return true;
}

}  // namespace

WantedNumbers::WantedNumbers(const std::vector<std::string_view>& names) : size_(names.size()) {
  for (std::size_t done = 0; done < names.size(); done += MemberNames::kMost) {
    names_.emplace_back(&names[done], std::min(names.size() - done, MemberNames::kMost));
  }
}

void WantedNumbers::find(std::string_view json, std::vector<std::string_view>& literals) const {
  static Capture capture;
  literals.assign(size_, {});
  std::string_view* at = literals.data();
  for (const MemberNames& names : names_) {
    if (!find_some(capture, json, names, at)) return;
    at += names.size();
  }
}

}  // namespace weir::flusher
