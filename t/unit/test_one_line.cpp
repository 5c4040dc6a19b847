#include "pg/one_line.h"
#include "t/unit/suite.h"

using weir::pg::one_line;

START_TEST(several_lines_and_their_margins_become_one_sentence) {
  ck_assert_view_eq(one_line("ERROR:  no such column\nLINE 1: SELECT a\n\t       ^\n"),
                    "ERROR: no such column LINE 1: SELECT a ^");
  ck_assert_view_eq(one_line("  the server closed  "), "the server closed");
  ck_assert_view_eq(one_line(" \n\t"), "");
}
END_TEST

START_TEST(where_libpq_says_nothing_there_is_nothing) {
  ck_assert_view_eq(one_line(static_cast<const char*>(nullptr)), "");
}
END_TEST

static const weir_test::Register kRegistered("one_line",
                                             {several_lines_and_their_margins_become_one_sentence,
                                              where_libpq_says_nothing_there_is_nothing});
