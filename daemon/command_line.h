// The command line of a program that runs for long, and the file with the same options that
// --config names. The program adds its own; what is wrong is said on the terminal.
//
//   CLI::App app("What it is for.", "weir-api");
//   daemon::begin_options(app, "weir-api 1.0.0, …", "What follows the options in --help.");
//   daemon::add_number(app, "--queue", options.queue, "requests that may wait", 1, 10'000);
//   daemon::add_log_level(app, options.log_level);
//   if (!daemon::parse(app, argc, argv, exit_code)) return std::nullopt;
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

#include "daemon/exit_status.h"

namespace weir::daemon {

// Of a line in the file that is no option, CLI11 says only that it could not be parsed.
inline std::string failure_of(const CLI::App* /*app*/, const CLI::Error& error) {
  constexpr std::string_view kUnknown = "INI was not able to parse ";
  std::string said = error.what();
  if (said.rfind(kUnknown, 0) == 0) {
    said = "the file of --config has \"" + said.substr(kUnknown.size()) +
           "\", which is no option that can stand there";
  }
  return said + "\nRun with --help for more information.\n";
}

// An option that is given twice counts as it was given last, and so over the file.
inline void begin_options(CLI::App& app, const std::string& version, const char* footer) {
  app.footer(footer);
  app.failure_message(failure_of);
  app.set_config("--config", "", "file with these options")->type_name("FILE")->configurable(false);
  app.set_version_flag("--version", version, "print the version, and that of the schema")
      ->configurable(false);
  app.allow_config_extras(CLI::config_extras_mode::error);
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

template <typename Value>
void add_number(CLI::App& app, const char* name, Value& value, const char* about, int least,
                int most) {
  app.add_option(
         name, value,
         std::string(about) + "; from " + std::to_string(least) + " to " + std::to_string(most))
      ->type_name("NUMBER")
      ->capture_default_str()
      ->check(CLI::Range(least, most).description(""));
}

// Bytes, as 8m or 64k. `usual` is how --help writes what `value` has.
inline void add_size(CLI::App& app, const char* name, std::size_t& value, const char* usual,
                     const char* about, std::size_t least, std::size_t most) {
  app.add_option(name, value, about)
      ->type_name("SIZE")
      ->default_str(usual)
      ->transform(CLI::AsSizeValue(false).description(""))
      ->check(CLI::Range(least, most).description(""));
}

inline void add_log_level(CLI::App& app, std::string& level) {
  app.add_option("--log-level", level, "debug, info, warn or error")
      ->type_name("LEVEL")
      ->capture_default_str()
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}).description(""));
}

// False: everything has been said on the terminal (help, version or what is wrong), and `exit_code`
// is what to leave with.
inline bool parse(CLI::App& app, int argc, const char* const* argv, int& exit_code) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    exit_code = app.exit(error) == 0 ? 0 : kWrongUsage;
    return false;
  }
  return true;
}

}  // namespace weir::daemon
