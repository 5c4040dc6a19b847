// weir-api: serves figures over HTTP on a unix socket. `weir-api --help` tells how.
#include <malloc.h>

#include <cstdlib>
#include <exception>

#include "api/options.h"
#include "api/program.h"
#include "daemon/log.h"

int main(int argc, char** argv) {
  using namespace weir;
  try {
    int exit_code = EXIT_SUCCESS;
    const auto options = api::parse_options(argc, argv, exit_code);
    if (!options) return exit_code;
    setenv("PGCONNECT_TIMEOUT", "5", /*overwrite=*/0);  // libpq's own default is for ever
    if (options->check) return api::check(*options);
    mallopt(M_MMAP_THRESHOLD, 1 << 20);  // a large answer's memory goes back as soon as it is sent
    daemon::start_log(options->log_level);
    return api::run(*options);
  } catch (const std::exception& error) {
    daemon::log_error("weir-api cannot go on", {{"error", error.what()}});
    return EXIT_FAILURE;
  }
}
