// What a connection string of libpq says, together with the PG* environment variables. Nothing is
// connected to.
#pragma once

#include <string>

namespace weir::pg {

// What is wrong with `conninfo`, in libpq's words; empty if it can be tried.
std::string conninfo_fault(const std::string& conninfo);

// Whether every server that it names is on this machine, by a socket's path, by the name localhost
// or by a loopback address. False too where something is wrong with it, or it leaves all to a
// service.
bool is_local(const std::string& conninfo);

}  // namespace weir::pg
