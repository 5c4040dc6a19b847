#include "spool/contents.h"

#include "t/unit/spool_fixture.h"

using namespace spool_test;

namespace {

START_TEST(what_the_spool_makes_is_no_stranger) {
  TempDirectory directory;
  ck_assert_view_eq(foreign_file(directory.path), "");
  for (const char* name : {"lock", "0000000000000001-1.spool", "0000000000000001-1.spool.bad"}) {
    directory.write(name, "x");
    ck_assert_view_eq(foreign_file(directory.path), "");
  }
  // A file system of the spool's own has one.
  std::filesystem::create_directory(directory.path + "/lost+found");
  ck_assert_view_eq(foreign_file(directory.path), "");
}
END_TEST

START_TEST(any_other_file_is_a_stranger) {
  for (const char* name : {"passwd", "a.bad", "x.spool.bad.bad", ".spool", "lock2"}) {
    TempDirectory directory;
    directory.write(name, "x");
    ck_assert_view_eq(foreign_file(directory.path), name);
  }
  ck_assert_view_eq(foreign_file("/nonexistent/folder"), "");
}
END_TEST

START_TEST(only_segments_are_segments) {
  TempDirectory directory;
  directory.write("lock", "");
  directory.write("0000000000000001-1.spool.bad", "x");
  ck_assert(!holds_segments(directory.path));
  directory.write("0000000000000001-1.spool", "x");
  ck_assert(holds_segments(directory.path));
  ck_assert(!holds_segments("/nonexistent/folder"));
}
END_TEST

const weir_test::Register kRegistered("spool_contents",
                                      {what_the_spool_makes_is_no_stranger,
                                       any_other_file_is_a_stranger, only_segments_are_segments});

}  // namespace
