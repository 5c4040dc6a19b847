// What systemd is told (sd_notify(3)); nothing happens where systemd did not start the flusher.
#pragma once

#include <string>

namespace weir::flusher {

void notify_ready();
void notify_stopping();
void notify_status(const std::string& status);

// The flusher is no case for a restart (health.h): resets the watchdog, and until READY=1 the time
// that starting may take.
void notify_alive();

}  // namespace weir::flusher
