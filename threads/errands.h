// What threads that serve requests want of the one thread that has the edge: each hands in an
// errand that lies on its own stack, and sleeps until that is done.
//
//   class Keep final : public Errand { void run(Edge& edge) noexcept override { …; done(); } … };
//
//   Keep errand(record);                                   // on a request's thread
//   if (errands.hand_in(errand, bell)) errand.wait(); else answer_503();
//
//   bell.heard(); errands.run_all(edge);                   // on the edge's thread
//
// Many threads hand in while one runs, without a lock: a request's thread can be stopped for good
// in the middle (prefork's SIGTERM), and must not take with it what the other thread needs. The
// bell is rung only by who finds the list empty, and only where the other thread does not say that
// it will look soon anyway: what comes together costs one wake-up, or none.
//
// Bound: `most` errands that nobody has run yet; past it, and once it is closed, hand_in() is
// false.
#pragma once

#include <semaphore.h>

#include <atomic>
#include <cstddef>

#include "threads/bell.h"

namespace weir {

class Edge;

class Errand {
 public:
  Errand(const Errand&) = delete;
  Errand& operator=(const Errand&) = delete;

  // Until done(). It always comes, for an errand that was handed in.
  void wait() noexcept;

 protected:
  Errand() noexcept { sem_init(&done_, 0, 0); }
  ~Errand() { sem_destroy(&done_); }

  // It is done, now or later: on the edge's thread, once. The errand may be gone on return.
  void done() noexcept { sem_post(&done_); }

 private:
  friend class Errands;

  // On the edge's thread: does it, and leads to done(). refuse(): the edge is gone.
  virtual void run(Edge& edge) noexcept = 0;
  virtual void refuse() noexcept = 0;

  sem_t done_;
  Errand* next_ = nullptr;
};

class Errands {
 public:
  explicit Errands(std::size_t most) : most_(most) {}
  Errands(const Errands&) = delete;
  Errands& operator=(const Errands&) = delete;

  [[nodiscard]] bool hand_in(Errand& errand, Bell& bell) noexcept;

  // Of the edge's thread, before it sleeps: whether it wants to be woken. True: it has to look at
  // once, for somebody came who did not ring.
  [[nodiscard]] bool want_bell(bool wanted) noexcept;

  // Runs all that are there, in the order in which they came.
  void run_all(Edge& edge) noexcept;

  // Refuses those that are there; no more are taken.
  void close() noexcept;

 private:
  // What last_ is once the list is closed: no errand lies there.
  Errand* closed() { return reinterpret_cast<Errand*>(this); }
  Errand* take(Errand* instead) noexcept;

  std::atomic<Errand*> last_{nullptr};  // handed in last, each before the one that its next_ names
  std::atomic<std::size_t> waiting_{0};
  std::atomic<bool> wants_bell_{true};
  const std::size_t most_;
};

}  // namespace weir
