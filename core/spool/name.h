// The names of the spool's files. Segments sort by the time at which they were begun.
//
//   segment_name(1795249800250000, 4711)   // "1795249800250000-4711.spool"
//   is_segment_name(name)                  // also of one that an operator renamed
//   bad_name(name)                         // "1795249800250000-4711.spool.bad"
//   refused_name(name)                     // "1795249800250000-4711.long.spool.refused"
//   is_set_aside_name(name)                // either of these
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/event/timestamp.h"

namespace weir {

constexpr std::string_view kSpoolLock = "lock";

std::string segment_name(Timestamp created, std::uint32_t writer);

// Letters, digits, '.', '_' and '-', up to 200 of them, with ".spool" at the end: nothing that a
// log or a shell would trip over.
bool is_segment_name(std::string_view name);

// Of the file with a segment's damaged bytes, and of the one with records that Redis is never going
// to take, which is a segment but for its name. Without ".refused" that is never the name of the
// segment itself: it is there before that one is removed, and an operator may be quick to rename
// it.
std::string bad_name(std::string_view segment);
std::string refused_name(std::string_view segment);
bool is_set_aside_name(std::string_view name);

}  // namespace weir
