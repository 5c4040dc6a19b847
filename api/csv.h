// Lines of CSV (RFC 4180), which spreadsheets and psql read: CRLF, quotes where they are needed,
// NULL empty.
//
//   append_names(out, row);      // the first line
//   append_values(out, row);
//
// A text that a spreadsheet would take for a formula (it begins with =, +, -, @, a tab or a line's
// end, and is no number) gets a ' in front, as OWASP advises: tenants' users choose such texts.
#pragma once

#include <string>
#include <vector>

#include "api/database.h"

namespace weir::api {

void append_line(std::string& out, const std::vector<std::string>& fields);

void append_names(std::string& out, const Row& row);
void append_values(std::string& out, const Row& row);

}  // namespace weir::api
