// A daemon's log: one line an event, on standard error, as
//   time=2026-11-21T08:30:00.123Z level=info msg=stored rows=812 duplicates=0
// Never a row's contents, never a secret.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "daemon/logfmt.h"

namespace weir::daemon {

// `level` is debug, info, warn or error.
void start_log(const std::string& level);

void log_debug(std::string_view message, std::initializer_list<LogField> fields = {});
void log_info(std::string_view message, std::initializer_list<LogField> fields = {});
void log_warn(std::string_view message, std::initializer_list<LogField> fields = {});
void log_error(std::string_view message, std::initializer_list<LogField> fields = {});

}  // namespace weir::daemon
