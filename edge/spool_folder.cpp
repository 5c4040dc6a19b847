#include "edge/spool_folder.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/config/words.h"
#include "spool/contents.h"

namespace weir {
namespace {

std::string check_parent(const std::string& path) {
  const std::string parent = path.substr(0, std::max<std::size_t>(path.rfind('/'), 1));
  struct stat status;
  if (stat(parent.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) return {};
  return "the folder " + quoted(parent) + " that it should lie in is not there: make it";
}

}  // namespace

std::string check_spool_folder(const std::string& path) {
  struct stat status;
  if (stat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return check_parent(path);
    return quoted(path) + " cannot be looked at (" + std::strerror(errno) + ")";
  }
  if (!S_ISDIR(status.st_mode)) return quoted(path) + " is no folder: name one of the spool's own";
  const std::string stranger = foreign_file(path);
  if (stranger.empty()) return {};
  return quoted(path) + " holds " + quoted(stranger) +
         ", which is not Weir's: give the spool a folder of its own";
}

std::string left_spool(const std::string& before, const std::string& now) {
  if (before.empty() || before == now || !holds_segments(before)) return {};
  return "weir: nobody empties the spool folder " + before +
         " any more, which still holds records: move its files into the spool's new folder";
}

}  // namespace weir
