#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>

#include "api/machine.h"
#include "t/unit/suite.h"

using namespace weir::api;

START_TEST(ticks_are_those_of_all_cores_together) {
  const auto ticks = read_cpu_ticks("cpu  10 20 30 400 5 6 7 8 9 10");
  ck_assert(ticks.has_value());
  ck_assert_uint_eq(ticks->all, 486);
  ck_assert_uint_eq(ticks->idle, 405);
}
END_TEST

START_TEST(a_line_of_another_form_has_no_ticks) {
  for (const char* line : {"", "cpu ", "cpu0 1 2 3 4 5 6 7 8", "cpu  1 2 3 4 5 6 7",
                           "cpu  1 2 x 4 5 6 7 8", "cpu  99999999999999999999 2 3 4 5 6 7 8"}) {
    ck_assert_msg(!read_cpu_ticks(line), "'%s' has", line);
  }
}
END_TEST

START_TEST(a_process_has_the_ticks_of_user_and_system) {
  const auto ticks =
      read_process_ticks("42 (a (b) c) S 7 42 42 0 -1 4194560 1 2 3 4 50 6 7 8 20 0");
  ck_assert(ticks.has_value());
  ck_assert_view_eq(ticks->name, "a (b) c");
  ck_assert_int_eq(ticks->parent, 7);
  ck_assert_uint_eq(ticks->worked, 56);
}
END_TEST

START_TEST(a_process_that_is_gone_has_none) {
  for (const char* text : {"", "42 (a", "42 (a) S 7 42", "42 (a) S 7 1 1 1 1 1 1 1 1 1 x 6"}) {
    ck_assert_msg(!read_process_ticks(text), "'%s' has", text);
  }
}
END_TEST

START_TEST(who_is_at_the_other_end_is_counted_from_the_second_look_on) {
  std::array<int, 2> ends{};
  ck_assert_int_eq(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
  WebServer web;
  web.is(process_at(ends[0]));
  ck_assert_double_eq(web.worked_since_last(), 0);
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  double worked = 0;
  while (worked == 0 && std::chrono::steady_clock::now() < until) worked = web.worked_since_last();
  ck_assert_double_gt(worked, 0);
  ::close(ends[0]);
  ::close(ends[1]);
}
END_TEST

START_TEST(before_anybody_asked_nobody_is_counted) {
  WebServer web;
  ck_assert_double_eq(web.worked_since_last(), 0);
}
END_TEST

START_TEST(a_load_that_the_kernel_does_not_show_is_hidden) {
  Idle shown, hidden("/nowhere");
  ck_assert(!shown.is_hidden() && !hidden.is_hidden());
  shown.since_last();
  ck_assert(!hidden.since_last());
  ck_assert(!shown.is_hidden() && hidden.is_hidden());
}
END_TEST

START_TEST(a_web_server_that_the_kernel_does_not_show_is_hidden) {
  WebServer shown, hidden("/nowhere"), elsewhere;
  ck_assert(!hidden.is_hidden());
  shown.is(::getpid());
  hidden.is(::getpid());
  elsewhere.is(0);
  ck_assert(!shown.is_hidden() && hidden.is_hidden() && elsewhere.is_hidden());
}
END_TEST

START_TEST(a_web_server_that_has_ended_is_not_hidden) {
  const pid_t ended = ::fork();
  if (ended == 0) ::_exit(0);
  ck_assert_int_eq(::waitpid(ended, nullptr, 0), ended);
  WebServer web;
  web.is(ended);
  ck_assert(!web.is_hidden());
}
END_TEST

static const weir_test::Register kRegistered(
    "api_machine",
    {ticks_are_those_of_all_cores_together, a_line_of_another_form_has_no_ticks,
     a_process_has_the_ticks_of_user_and_system, a_process_that_is_gone_has_none,
     who_is_at_the_other_end_is_counted_from_the_second_look_on,
     before_anybody_asked_nobody_is_counted, a_load_that_the_kernel_does_not_show_is_hidden,
     a_web_server_that_the_kernel_does_not_show_is_hidden,
     a_web_server_that_has_ended_is_not_hidden});
