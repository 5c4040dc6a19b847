// Fault points: places at which a test can kill or stop a program, to see what holds when it dies
// in just that moment. Only builds for tests have them (-DWEIR_FAULT_POINTS, `make faults`);
// elsewhere the macro is nothing.
//
//   commit(); WEIR_FAULT_POINT(after_commit); trim();
//
// A test names a folder in the environment, WEIR_FAULTS=/tmp/x, and arms a point by a file in it:
//
//   /tmp/x/after_commit.kill    whoever gets there first is killed as by kill -9
//   /tmp/x/after_commit.stop    … is stopped as by kill -STOP; CONT lets it go on
//   /tmp/x/after_commit.hold    … waits there, the other threads go on; until its file is removed
//
// The file is renamed to after_commit.killed, .stopped or .held at that moment, so it works once,
// for one of several processes (an nginx worker that comes after goes on), it tells the test
// that the point was reached, and it can be armed while the program runs. The program's user has to
// be able to write in the folder; nginx hands the variable on to its workers with `env
// WEIR_FAULTS;`.
#pragma once

#ifdef WEIR_FAULT_POINTS

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace weir::fault {

inline bool disarm(const std::string& path, const char* armed, const char* done) {
  return std::rename((path + armed).c_str(), (path + done).c_str()) == 0;
}

inline void reach(const char* name) {
  const char* folder = std::getenv("WEIR_FAULTS");
  if (folder == nullptr) return;
  const std::string path = std::string(folder) + '/' + name;
  if (disarm(path, ".kill", ".killed")) static_cast<void>(std::raise(SIGKILL));
  if (disarm(path, ".stop", ".stopped")) static_cast<void>(std::raise(SIGSTOP));
  if (!disarm(path, ".hold", ".held")) return;
  while (access((path + ".held").c_str(), F_OK) == 0) usleep(1000);
}

}  // namespace weir::fault

#define WEIR_FAULT_POINT(name) ::weir::fault::reach(#name)

#else

#define WEIR_FAULT_POINT(name) static_cast<void>(0)

#endif
