// The folder of a spool, as a configuration is read: what is wrong with it, and what an earlier
// configuration left behind.
//
//   if (auto fault = check_spool_folder("/var/spool/weir"); !fault.empty()) refuse(fault);
#pragma once

#include <string>

namespace weir {

// `path` is absolute, without a slash at its end. Returns an empty string, or a sentence that says
// what is wrong and what would be right. A folder that is not there yet is right, if the one that
// it should lie in is; a folder that others use is not the spool's.
std::string check_spool_folder(const std::string& path);

// For the log once a configuration is taken that spools into `now` and follows one that spooled
// into `before`; either may be empty. Empty: there is nothing to warn of.
std::string left_spool(const std::string& before, const std::string& now);

}  // namespace weir
