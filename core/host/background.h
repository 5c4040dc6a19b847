// Work that must not be done on a server's event loop, such as waiting for a disk: the one way in
// which shared code asks a server for another thread. nginx has a thread pool for it, Apache gets a
// thread of its own for each child.
//
//   class Sync final : public Job {
//     void work() noexcept override { result_ = fdatasync(fd_); }   // elsewhere
//     void done() noexcept override { tell_customers(result_); }    // back on the loop
//   };
//   if (!background.start(sync)) …                                  // no thread: try again later
//
// Between gather() and done() a job belongs to the other thread: whoever started it touches nothing
// that work() touches, and keeps it alive. A job may be started again from inside its done().
//
//   start() ── the server's turn goes on, more comes for the job ── gather() ─┬─ work() ── done()
//                                           no thread for a long time        └─ refused()
#pragma once

namespace weir {

class Job {
 public:
  // Runs on the thread that called start(), right before the other one gets the job: takes all that
  // has come for it by then. A server calls it when it has nothing else to do, or as it starts.
  virtual void gather() noexcept {}

  // Runs on another thread, with no other call to the same job at the same time.
  virtual void work() noexcept = 0;

  // Runs on the thread that called start(), after work() has returned. It is not called at all when
  // the process ends first.
  virtual void done() noexcept = 0;

  // Instead of work() and done(): the threads have been busy with others' work for so long that a
  // client may not wait any more. Runs on the thread that called start(); the job may be started
  // again.
  virtual void refused() noexcept = 0;

 protected:
  ~Job() = default;
};

class Background {
 public:
  // False: no thread is to be had, and nothing of the job will be called.
  [[nodiscard]] virtual bool start(Job& job) noexcept = 0;

 protected:
  ~Background() = default;
};

}  // namespace weir
