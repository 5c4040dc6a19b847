// A file with a secret, as every program reads it.
#include "files/secret_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "core/redis/secret.h"
#include "t/unit/suite.h"

namespace {

using weir::read_secret_file;

// A folder of its own with a file in it, gone with it.
class Folder {
 public:
  explicit Folder(const std::string& bytes = "open sesame\n", mode_t mode = 0600) {
    ck_assert_ptr_nonnull(mkdtemp(name_));
    std::ofstream(file()) << bytes;
    ck_assert_int_eq(chmod(file().c_str(), mode), 0);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    unlink(file().c_str());
    unlink(other().c_str());
    rmdir(name_);
  }
  std::string name() const { return name_; }
  std::string file() const { return name() + "/secret"; }
  std::string other() const { return name() + "/other"; }

 private:
  char name_[24] = "/tmp/weir-unit-XXXXXX";
};

struct Read {
  std::string fault, secret = "before", warning;
};

Read read(const std::string& path) {
  Read result;
  result.fault = read_secret_file(path, result.secret, result.warning);
  return result;
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

void assert_refused(const std::string& path, const std::string& why) {
  const Read result = read(path);
  ck_assert_msg(holds(result.fault, "the secret file \"" + path + "\" cannot be " + why), "%s",
                result.fault.c_str());
  ck_assert_view_eq(result.secret, "before");
  ck_assert_view_eq(result.warning, "");
  ck_assert(!holds(result.fault, "sesame"));
}

START_TEST(the_first_line_is_the_secret) {
  for (const mode_t mode : {0400U, 0440U, 0600U, 0640U}) {
    const Folder folder("open sesame\r\nmore\n", mode);
    const Read result = read(folder.file());
    ck_assert_view_eq(result.fault, "");
    ck_assert_view_eq(result.secret, "open sesame");
    ck_assert_view_eq(result.warning, "");
  }
}
END_TEST

START_TEST(what_everybody_can_read_is_taken_with_a_warning) {
  for (const mode_t mode : {0404U, 0444U, 0644U, 0666U}) {
    const Folder folder("open sesame\n", mode);
    const Read result = read(folder.file());
    ck_assert_view_eq(result.fault, "");
    ck_assert_view_eq(result.secret, "open sesame");
    ck_assert_view_eq(result.warning, "everybody on this machine can read the secret file \"" +
                                          folder.file() + "\": chmod o-r it");
  }
}
END_TEST

START_TEST(a_link_is_followed_and_its_file_is_looked_at) {
  const Folder folder("open sesame\n", 0444);
  ck_assert_int_eq(symlink(folder.file().c_str(), folder.other().c_str()), 0);
  const Read result = read(folder.other());
  ck_assert_view_eq(result.secret, "open sesame");
  ck_assert(holds(result.warning, folder.other()));
}
END_TEST

START_TEST(a_file_that_is_not_there_is_refused_with_a_remedy) {
  const Folder folder;
  assert_refused(folder.other(), "read (No such file or directory): make one that holds");
  assert_refused(folder.file() + "/below", "read (Not a directory): make one");
}
END_TEST

START_TEST(what_is_no_plain_file_is_refused_and_not_waited_for) {
  const Folder folder;
  assert_refused(folder.name(), "used: it is a folder: name a plain file");
  assert_refused("/dev/zero", "used: it is no plain file: name a plain file");
  ck_assert_int_eq(mkfifo(folder.other().c_str(), 0600), 0);
  assert_refused(folder.other(), "used: it is no plain file: name a plain file");
}
END_TEST

START_TEST(what_holds_no_secret_or_too_much_is_refused_and_not_shown) {
  for (const std::string bytes : {"", "\n", "\nopen sesame\n"})
    assert_refused(Folder(bytes, 0644).file(), "used: it has to hold the secret on its first line");
  const std::string longest(weir::kMostSecretFile, 'x');
  ck_assert_view_eq(read(Folder(longest).file()).secret, longest);
  assert_refused(Folder("open sesame\n" + longest, 0644).file(),
                 "used: it is longer than 4096 bytes");
}
END_TEST

const weir_test::Register kRegistered("secret_file",
                                      {the_first_line_is_the_secret,
                                       what_everybody_can_read_is_taken_with_a_warning,
                                       a_link_is_followed_and_its_file_is_looked_at,
                                       a_file_that_is_not_there_is_refused_with_a_remedy,
                                       what_is_no_plain_file_is_refused_and_not_waited_for,
                                       what_holds_no_secret_or_too_much_is_refused_and_not_shown});

}  // namespace
