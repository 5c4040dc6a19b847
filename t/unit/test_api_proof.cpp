#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "api/proof.h"
#include "t/unit/suite.h"

namespace {

using namespace weir::api;

// A file of its own, gone with it.
class File {
 public:
  explicit File(const std::string& bytes, mode_t mode = 0400) {
    const int made = mkstemp(path_);
    ck_assert_int_ge(made, 0);
    ck_assert_int_eq(write(made, bytes.data(), bytes.size()), static_cast<int>(bytes.size()));
    ck_assert_int_eq(fchmod(made, mode), 0);
    close(made);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { unlink(path_); }
  std::string path() const { return path_; }

 private:
  char path_[32] = "/tmp/weir-proof-XXXXXX";
};

// What is said of a file; `secret` stays as it was.
std::string refusal(const std::string& path) {
  std::string secret = "before", warning;
  const std::string said = read_proof(path, secret, warning);
  ck_assert_view_eq(secret, "before");
  return said;
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

constexpr const char* kLine = "0123456789abcdef";

}  // namespace

START_TEST(the_first_line_of_its_file_is_the_proof) {
  for (const std::string after : {"", "\n", "\r\n", "\nmore\n"}) {
    std::string secret, warning;
    ck_assert_view_eq(read_proof(File(kLine + after).path(), secret, warning), "");
    ck_assert_view_eq(secret, kLine);
  }
}
END_TEST

START_TEST(a_file_that_is_none_is_refused_with_what_it_has_to_hold) {
  const std::string said = refusal("/tmp/weir-proof-that-is-not-there");
  ck_assert(holds(said, "\"/tmp/weir-proof-that-is-not-there\" cannot be read (No such file"));
  ck_assert(holds(said, "openssl rand -hex 32"));
  ck_assert(holds(refusal("/tmp"), "it is a folder"));
}
END_TEST

START_TEST(a_file_that_everybody_can_read_is_warned_of) {
  std::string secret, warning;
  ck_assert_view_eq(read_proof(File(kLine, 0640).path(), secret, warning), "");
  ck_assert_view_eq(warning, "");
  ck_assert_view_eq(read_proof(File(kLine, 0444).path(), secret, warning), "");
  ck_assert_view_eq(secret, kLine);
  ck_assert(holds(warning, "chmod o-r it"));
}
END_TEST

START_TEST(a_short_line_is_refused_and_not_shown) {
  ck_assert(holds(refusal(File("").path()), "which is empty"));
  const std::string said = refusal(File("0123456789abcde\n").path());
  ck_assert(holds(said, "is too short") && !holds(said, "0123456789abcde"));
}
END_TEST

START_TEST(a_proof_is_asked_for_where_there_is_one) {
  ck_assert(is_proof("", {}) && is_proof("", {"x"}));
  ck_assert(is_proof("0123456789abcdef", {"0123456789abcdef"}));
  for (const char* wrong : {"", "0123456789abcdeF", "0123456789abcdef0", "0123456789abcde"}) {
    ck_assert(!is_proof("0123456789abcdef", {wrong}));
  }
  ck_assert(!is_proof("0123456789abcdef", {}));
  ck_assert(!is_proof("0123456789abcdef", {"0123456789abcdef", "0123456789abcdef"}));
}
END_TEST

static const weir_test::Register kRegistered(
    "api_proof", {the_first_line_of_its_file_is_the_proof,
                  a_file_that_is_none_is_refused_with_what_it_has_to_hold,
                  a_file_that_everybody_can_read_is_warned_of,
                  a_short_line_is_refused_and_not_shown, a_proof_is_asked_for_where_there_is_one});
