#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "api/proof.h"
#include "core/redis/secret.h"
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
  std::string secret = "before";
  const std::string said = read_proof(path, secret);
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
    std::string secret;
    ck_assert_view_eq(read_proof(File(kLine + after).path(), secret), "");
    ck_assert_view_eq(secret, kLine);
  }
}
END_TEST

START_TEST(a_file_that_is_not_there_is_refused_with_the_reason) {
  const std::string said = refusal("/tmp/weir-proof-that-is-not-there");
  ck_assert(holds(said, "/tmp/weir-proof-that-is-not-there cannot be read (No such file"));
  ck_assert(holds(said, "openssl rand -hex 32"));
  ck_assert(holds(refusal("/tmp"), "/tmp"));  // a folder holds no line
}
END_TEST

START_TEST(a_file_that_everybody_can_read_is_refused) {
  for (const mode_t mode : {0404U, 0444U, 0644U}) {
    ck_assert(holds(refusal(File(kLine, mode).path()), "can be read by everybody"));
  }
  std::string secret;
  for (const mode_t mode : {0400U, 0440U, 0640U}) {
    ck_assert_view_eq(read_proof(File(kLine, mode).path(), secret), "");
  }
}
END_TEST

START_TEST(an_empty_file_a_short_line_and_a_long_file_are_refused_and_not_shown) {
  ck_assert(holds(refusal(File("").path()), "which is empty"));
  ck_assert(holds(refusal(File("\n0123456789abcdef\n").path()), "which is empty"));
  const std::string said = refusal(File("0123456789abcde\n").path());
  ck_assert(holds(said, "is too short") && !holds(said, "0123456789abcde"));
  ck_assert(holds(refusal(File(std::string(weir::kMostSecretFile + 1, 'x')).path()), "is longer"));
  std::string secret;
  ck_assert_view_eq(read_proof(File(std::string(weir::kMostSecretFile, 'x')).path(), secret), "");
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
    "api_proof",
    {the_first_line_of_its_file_is_the_proof, a_file_that_is_not_there_is_refused_with_the_reason,
     a_file_that_everybody_can_read_is_refused,
     an_empty_file_a_short_line_and_a_long_file_are_refused_and_not_shown,
     a_proof_is_asked_for_where_there_is_one});
