// weirctl, the operator's command.
#include <csignal>
#include <iostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "ctl/command.h"

namespace weir::ctl {

std::vector<AddCommand>& commands() {
  static std::vector<AddCommand> registered;
  return registered;
}

void warn(std::string_view sentence) {
  std::cout << std::flush;
  std::cerr << "weirctl: " << sentence << "\n";
}

int fail(std::string_view sentence) {
  warn(sentence);
  return kFailed;
}

namespace {

const std::string kVersion = std::string("weirctl ") + WEIR_VERSION + ", for version " +
                             std::to_string(WEIR_SCHEMA_VERSION) + " of the schema";

// CLI11 asks for a subcommand where one was given that it does not know, and does not name it.
std::string failure_of(const CLI::App* app, const CLI::Error& error) {
  std::string said = error.what();
  const std::vector<std::string> unknown = app->remaining(true);
  if (error.get_name() == "RequiredError" && !unknown.empty())
    said = "There is no subcommand " + unknown.front();
  return said + "\nRun with --help for more information.\n";
}

int run(int argc, char** argv) {
  CLI::App app("Looks after Weir's database, and into its spools.", "weirctl");
  app.require_subcommand(1);
  app.failure_message(failure_of);
  app.set_version_flag("--version", kVersion, "Print the version, and that of the schema");
  int status = kDone;
  for (const AddCommand add : commands()) add(app, status);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kDone : kMisused;
  }
  return status;
}

}  // namespace
}  // namespace weir::ctl

int main(int argc, char** argv) {
  // Whoever reads our output may go away early ("weirctl … | head"); the work still has to be
  // ended.
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
  try {
    return weir::ctl::run(argc, argv);
  } catch (const std::exception& error) {
    return weir::ctl::fail(error.what());
  }
}
