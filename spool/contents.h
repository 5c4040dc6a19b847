// What lies in a folder that a configuration names for the spool, told without touching it. Blocks
// for as long as the disk does: for the reading of a configuration, not for requests.
//
//   if (auto stranger = foreign_file("/tmp"); !stranger.empty()) refuse(stranger);
#pragma once

#include <string>

namespace weir {

// The name of a file in `directory` that the spool did not make; empty if there is none, or if the
// directory cannot be read.
std::string foreign_file(const std::string& directory);

// There are segments in it.
bool holds_segments(const std::string& directory);

}  // namespace weir
