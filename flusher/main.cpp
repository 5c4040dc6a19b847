// weir-flusher: moves events from a Redis stream to PostgreSQL. `weir-flusher --help` tells how.
#include <malloc.h>

#include <chrono>
#include <cstdlib>
#include <exception>
#include <string>

#include "daemon/exit_status.h"
#include "daemon/log.h"
#include "flusher/exposer.h"
#include "flusher/flusher.h"
#include "flusher/options.h"
#include "flusher/stop.h"

namespace {

// A batch's memory is given back and asked for again many times a second: the system need not hear
// of each.
void keep_memory() {
  mallopt(M_MMAP_THRESHOLD, 4 << 20);
  mallopt(M_TRIM_THRESHOLD, 8 << 20);
}

}  // namespace

int main(int argc, char** argv) {
  using namespace weir;
  using namespace weir::flusher;
  try {
    int exit_code = EXIT_SUCCESS;
    const auto options = parse_options(argc, argv, exit_code);
    if (!options) return exit_code;
    keep_memory();
    catch_stop_signals();
    setenv("PGCONNECT_TIMEOUT", "5", /*overwrite=*/0);  // libpq's own default is for ever
    daemon::start_log(options->log_level);
    Flusher flusher(*options);
    // What waits for more is no standstill.
    const std::chrono::seconds limit{options->stalled_seconds + options->linger_ms / 1000};
    Exposer exposer(flusher.board(), limit);
    if (!options->metrics.empty()) {
      std::string error;
      if (!exposer.start(options->metrics, error)) {
        daemon::log_error(error);
        return daemon::kWrongUsage;
      }
      daemon::log_info("serving /metrics and /health", {{"address", exposer.address()}});
    }
    return flusher.run();
  } catch (const std::exception& error) {
    daemon::log_error("weir-flusher cannot go on", {{"error", error.what()}});
    return EXIT_FAILURE;
  }
}
