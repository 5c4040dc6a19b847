// Errands from many threads to one, and the threads that run beside a server's.
#include "threads/errands.h"

#include <poll.h>
#include <pthread.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "t/unit/suite.h"
#include "threads/disk_thread.h"

using weir::Bell;
using weir::DiskThread;
using weir::Edge;
using weir::Errand;
using weir::Errands;
using weir::HelperThread;

namespace {

using namespace std::chrono_literals;

// Nothing here looks at the edge.
Edge& no_edge() {
  alignas(8) static char place[8];
  return reinterpret_cast<Edge&>(place);
}

class Note final : public Errand {
 public:
  explicit Note(std::vector<const Note*>& order) : order_(order) {}
  bool was_refused = false;

 private:
  void run(Edge&) noexcept override {
    order_.push_back(this);
    done();
  }
  void refuse() noexcept override {
    was_refused = true;
    done();
  }

  std::vector<const Note*>& order_;
};

bool rang(Bell& bell) {
  pollfd wanted{bell.fd(), POLLIN, 0};
  return poll(&wanted, 1, 0) == 1;
}

START_TEST(they_are_run_in_the_order_in_which_they_came) {
  Bell bell;
  Errands errands(10);
  std::vector<const Note*> order;
  Note first(order), second(order), third(order);
  for (Note* note : {&first, &second, &third}) ck_assert(errands.hand_in(*note, bell));
  errands.run_all(no_edge());
  ck_assert(order == std::vector<const Note*>({&first, &second, &third}));
  first.wait();
  third.wait();
}
END_TEST

START_TEST(what_comes_together_rings_once) {
  Bell bell;
  Errands errands(10);
  std::vector<const Note*> order;
  Note first(order), second(order), third(order);
  ck_assert(errands.hand_in(first, bell));
  ck_assert(rang(bell));
  bell.heard();
  ck_assert(errands.hand_in(second, bell));
  ck_assert(!rang(bell));
  errands.run_all(no_edge());
  ck_assert(errands.hand_in(third, bell));
  ck_assert(rang(bell));
  errands.run_all(no_edge());
}
END_TEST

START_TEST(nobody_rings_for_a_thread_that_looks_by_itself) {
  Bell bell;
  Errands errands(10);
  std::vector<const Note*> order;
  Note first(order), second(order), third(order);
  ck_assert(!errands.want_bell(false));
  ck_assert(errands.hand_in(first, bell));
  ck_assert(!rang(bell));
  ck_assert(errands.want_bell(true));  // somebody came who did not ring
  errands.run_all(no_edge());
  ck_assert(!errands.want_bell(true));
  ck_assert(errands.hand_in(second, bell));
  ck_assert(rang(bell));
  errands.close();
  ck_assert(!errands.want_bell(true));
  ck_assert(!errands.hand_in(third, bell));
}
END_TEST

START_TEST(past_the_bound_none_is_taken) {
  Bell bell;
  Errands errands(2);
  std::vector<const Note*> order;
  Note first(order), second(order), third(order);
  ck_assert(errands.hand_in(first, bell) && errands.hand_in(second, bell));
  ck_assert(!errands.hand_in(third, bell));
  errands.run_all(no_edge());
  ck_assert(errands.hand_in(third, bell));
  errands.run_all(no_edge());
  ck_assert_uint_eq(order.size(), 3);
}
END_TEST

START_TEST(a_closed_list_refuses_what_is_there_and_takes_no_more) {
  Bell bell;
  Errands errands(10);
  std::vector<const Note*> order;
  Note first(order), second(order);
  ck_assert(errands.hand_in(first, bell));
  errands.close();
  first.wait();
  ck_assert(first.was_refused);
  ck_assert(!errands.hand_in(second, bell));
  errands.run_all(no_edge());
  errands.close();
  ck_assert(order.empty() && !second.was_refused);
}
END_TEST

START_TEST(many_threads_hand_in_and_each_is_woken) {
  constexpr int kThreads = 8, kEach = 2000;
  Bell bell;
  Errands errands(kThreads);
  std::atomic<int> left{kThreads};
  std::vector<const Note*> order;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < kEach; ++n) {
        Note note(order);
        ck_assert(errands.hand_in(note, bell));
        note.wait();
      }
      --left;
      bell.ring();
    });
  }
  while (left > 0) {
    pollfd wanted{bell.fd(), POLLIN, 0};
    ck_assert_int_ge(poll(&wanted, 1, 60'000), 1);
    bell.heard();
    errands.run_all(no_edge());
  }
  for (auto& thread : threads) thread.join();
  ck_assert_uint_eq(order.size(), kThreads * kEach);
}
END_TEST

START_TEST(no_signal_reaches_a_helper_thread) {
  HelperThread thread;
  sigset_t mask;
  sigemptyset(&mask);
  ck_assert(thread.start([&] { pthread_sigmask(SIG_SETMASK, nullptr, &mask); }));
  ck_assert(thread.join_within(60s));
  for (const int signal : {SIGTERM, SIGHUP, SIGUSR1, SIGWINCH, SIGINT}) {
    ck_assert_int_eq(sigismember(&mask, signal), 1);
  }
  sigset_t own;
  pthread_sigmask(SIG_SETMASK, nullptr, &own);
  ck_assert_int_eq(sigismember(&own, SIGUSR1), 0);
}
END_TEST

START_TEST(a_thread_that_ends_is_joined_however_often_one_asks) {
  HelperThread idle, thread;
  ck_assert(idle.join_within(0ms));
  ck_assert(thread.start([] {}));
  ck_assert(thread.join_within(60s));
  ck_assert(thread.join_within(0ms));
}
END_TEST

// Nobody joins it later, so nothing may be kept of it for that.
START_TEST(a_thread_that_takes_too_long_is_detached) {
  static auto* const thread = new HelperThread;  // which outlives the test
  static std::atomic<bool> go{false};
  static std::promise<int> state;
  ck_assert(thread->start([] {
    while (!go) std::this_thread::yield();
    pthread_attr_t attributes;
    pthread_getattr_np(pthread_self(), &attributes);
    int detached = -1;
    pthread_attr_getdetachstate(&attributes, &detached);
    pthread_attr_destroy(&attributes);
    state.set_value(detached);
  }));
  ck_assert(!thread->join_within(10ms));
  go = true;
  ck_assert_int_eq(state.get_future().get(), PTHREAD_CREATE_DETACHED);
}
END_TEST

struct Work final : weir::Job {
  explicit Work(std::vector<Work*>& the_order) : order(the_order) {}
  void gather() noexcept override { ++gathered; }
  void work() noexcept override { worked_on = std::this_thread::get_id(); }
  void done() noexcept override {
    order.push_back(this);
    if (again != nullptr) ck_assert(again->start(*this));
    again = nullptr;
  }
  void refused() noexcept override {}
  std::vector<Work*>& order;
  DiskThread* again = nullptr;
  std::thread::id worked_on;
  int gathered = 0;
};

void deliver_until(DiskThread& disk, Bell& bell, const std::vector<Work*>& order,
                   std::size_t size) {
  while (order.size() < size) {
    disk.hand_over();
    pollfd wanted{bell.fd(), POLLIN, 0};
    ck_assert_int_ge(poll(&wanted, 1, 60'000), 1);
    bell.heard();
    disk.deliver();
  }
}

START_TEST(a_job_is_worked_elsewhere_and_done_here) {
  Bell bell;
  DiskThread disk(bell);
  std::vector<Work*> order;
  Work first(order), second(order);
  second.again = &disk;
  ck_assert(disk.start(first) && disk.start(second));
  ck_assert_uint_eq(disk.running(), 2);
  ck_assert_int_eq(first.gathered, 0);
  deliver_until(disk, bell, order, 3);
  ck_assert(order == std::vector<Work*>({&first, &second, &second}));
  ck_assert(first.worked_on != std::this_thread::get_id());
  ck_assert(first.gathered == 1 && second.gathered == 2);
  ck_assert_uint_eq(disk.running(), 0);
  ck_assert(disk.stop_within(60s));
}
END_TEST

START_TEST(a_job_that_nobody_handed_over_is_dropped_when_the_disk_stops) {
  Bell bell;
  DiskThread disk(bell);
  std::vector<Work*> order;
  Work job(order);
  ck_assert(disk.start(job));
  ck_assert(disk.stop_within(60s));
  ck_assert(job.gathered == 0 && job.worked_on == std::thread::id());
}
END_TEST

START_TEST(a_disk_thread_that_had_nothing_to_do_stops_at_once) {
  Bell bell;
  DiskThread disk(bell);
  ck_assert(disk.stop_within(0ms));
}
END_TEST

const weir_test::Register kRegistered(
    "errands",
    {they_are_run_in_the_order_in_which_they_came, what_comes_together_rings_once,
     nobody_rings_for_a_thread_that_looks_by_itself, past_the_bound_none_is_taken,
     a_closed_list_refuses_what_is_there_and_takes_no_more, many_threads_hand_in_and_each_is_woken,
     no_signal_reaches_a_helper_thread, a_thread_that_ends_is_joined_however_often_one_asks,
     a_thread_that_takes_too_long_is_detached, a_job_is_worked_elsewhere_and_done_here,
     a_job_that_nobody_handed_over_is_dropped_when_the_disk_stops,
     a_disk_thread_that_had_nothing_to_do_stops_at_once});

}  // namespace
