#include <cstdlib>

#include "pg/conninfo.h"
#include "t/unit/suite.h"

using weir::pg::is_local;

namespace {

void forget_environment() {
  for (const char* name : {"PGHOST", "PGHOSTADDR", "PGSERVICE"}) unsetenv(name);
}

}  // namespace

START_TEST(a_socket_or_a_loopback_address_is_of_this_machine) {
  forget_environment();
  for (const char* conninfo :
       {"", "weir", "dbname=weir", "host=/run/postgresql dbname=weir", "host=localhost",
        "host=127.0.0.1", "host=::1", "hostaddr=127.0.0.2 host=db.example.com",
        "host=/a,localhost,127.0.0.1", "postgresql:///weir", "postgresql://localhost/weir"}) {
    ck_assert_msg(is_local(conninfo), "'%s' is not local", conninfo);
  }
}
END_TEST

START_TEST(any_other_host_is_not) {
  forget_environment();
  for (const char* conninfo :
       {"host=db.example.com", "hostaddr=10.0.0.1 host=localhost", "host=/a,db.example.com",
        "postgresql://db.example.com/weir", "service=weir", "host='"}) {
    ck_assert_msg(!is_local(conninfo), "'%s' is local", conninfo);
  }
}
END_TEST

START_TEST(the_environment_counts_where_nothing_is_given) {
  forget_environment();
  setenv("PGHOST", "db.example.com", 1);
  ck_assert(!is_local("dbname=weir"));
  ck_assert(is_local("host=localhost"));
  setenv("PGHOSTADDR", "10.0.0.1", 1);
  ck_assert(!is_local("host=localhost"));
  forget_environment();
}
END_TEST

const weir_test::Register kRegistered("conninfo",
                                      {a_socket_or_a_loopback_address_is_of_this_machine,
                                       any_other_host_is_not,
                                       the_environment_counts_where_nothing_is_given});
