// A dead letter as a person reads it: what it is, why it is there, and each row's columns.
//
//   print_letter(std::cout, letter);
#pragma once

#include <iosfwd>

#include "ctl/dead_letters.h"

namespace weir::ctl {

// `letter` has its payload. Nothing of it can speak to the terminal (terminal_text). A payload that
// is no record is shown in hexadecimal, its first kMostDump bytes.
constexpr std::size_t kMostDump = 512;
void print_letter(std::ostream& out, const DeadLetter& letter);

}  // namespace weir::ctl
