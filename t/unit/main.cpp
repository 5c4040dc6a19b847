// Runs every suite that registered itself. CK_RUN_SUITE=name runs one, CK_FORK=no suits debuggers
// and valgrind.
#include <check.h>

#include <cstdlib>

#include "t/unit/suite.h"

namespace weir_test {

std::vector<Suite*>& suites() {
  static std::vector<Suite*> all;
  return all;
}

}  // namespace weir_test

int main() {
  SRunner* runner = srunner_create(nullptr);
  for (Suite* suite : weir_test::suites()) srunner_add_suite(runner, suite);
  srunner_run_all(runner, CK_ENV);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
