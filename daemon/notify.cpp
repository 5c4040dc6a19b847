#include "daemon/notify.h"

#include <systemd/sd-daemon.h>

namespace weir::daemon {

void notify_ready() { sd_notify(0, "READY=1"); }

void notify_stopping() { sd_notify(0, "STOPPING=1"); }

void notify_status(const std::string& status) { sd_notify(0, ("STATUS=" + status).c_str()); }

void notify_alive() { sd_notify(0, "WATCHDOG=1\nEXTEND_TIMEOUT_USEC=30000000"); }

}  // namespace weir::daemon
