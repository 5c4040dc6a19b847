// Signals are for a program's own thread: threads that are started while one of these lives block
// them all.
//
//   const SignalsBlocked blocked;
//   thread_ = std::thread(…);
#pragma once

#include <csignal>

namespace weir::daemon {

class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace weir::daemon
