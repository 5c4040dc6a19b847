// weir-flusher: moves events from a Redis stream to PostgreSQL. `weir-flusher --help` tells how.
#include <cstdlib>
#include <exception>

#include "flusher/flusher.h"
#include "flusher/log.h"
#include "flusher/options.h"
#include "flusher/stop.h"

int main(int argc, char** argv) {
  using namespace weir::flusher;
  try {
    int exit_code = EXIT_SUCCESS;
    const auto options = parse_options(argc, argv, exit_code);
    if (!options) return exit_code;
    catch_stop_signals();
    setenv("PGCONNECT_TIMEOUT", "5", /*overwrite=*/0);  // libpq's own default is for ever
    start_log(options->log_level);
    return Flusher(*options).run();
  } catch (const std::exception& error) {
    log_error("weir-flusher cannot go on", {{"error", error.what()}});
    return EXIT_FAILURE;
  }
}
