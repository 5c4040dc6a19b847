// A subcommand of weirctl is one file that registers itself; main.cpp knows none of them by name.
//
//   void add_migrate(CLI::App& app, int& status) {
//     CLI::App* command = app.add_subcommand("migrate", "…");
//     command->callback([&status] { status = migrate(); });
//   }
//   const Register kRegistered(add_migrate);
#pragma once

#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace weir::ctl {

// Adds a subcommand to `app`, whose callback leaves the exit status of the program in `status`.
using AddCommand = void (*)(CLI::App& app, int& status);

std::vector<AddCommand>& commands();

struct Register {
  explicit Register(AddCommand add) { commands().push_back(add); }
};

// Exit statuses of every subcommand.
constexpr int kDone = 0;
constexpr int kFailed = 1;
constexpr int kMisused = 2;

// Prints "weirctl: SENTENCE" to standard error.
void warn(std::string_view sentence);

// The same, and returns kFailed.
int fail(std::string_view sentence);

}  // namespace weir::ctl
