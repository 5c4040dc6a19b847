// What systemd is told (sd_notify(3)); nothing happens where systemd did not start it.
#pragma once

#include <string>

namespace weir::daemon {

void notify_ready();
void notify_stopping();
void notify_status(const std::string& status);

// It is no case for a restart: resets the watchdog, and until READY=1 the time
// that starting may take.
void notify_alive();

}  // namespace weir::daemon
