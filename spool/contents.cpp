#include "spool/contents.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "core/spool/name.h"
#include "spool/files.h"

namespace weir {
namespace {

std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  Files files;
  if (files.list(directory, names) < 0) names.clear();
  return names;
}

bool is_ours(std::string_view name) {
  if (name == "." || name == ".." || name == kSpoolLock) return true;
  if (name == "lost+found") return true;  // where the folder is a file system of its own
  return is_segment_name(name) || is_set_aside_name(name);
}

}  // namespace

std::string foreign_file(const std::string& directory) {
  const auto names = names_in(directory);
  const auto found = std::find_if_not(names.begin(), names.end(), is_ours);
  return found == names.end() ? std::string() : *found;
}

bool holds_segments(const std::string& directory) {
  const auto names = names_in(directory);
  return std::any_of(names.begin(), names.end(), is_segment_name);
}

}  // namespace weir
