// Where Redis is, with names looked up and the password read.
#include "edge/redis_target.h"

#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "t/unit/suite.h"

using weir::RedisTarget;

namespace {

struct Read {
  RedisTarget target;
  std::string fault, warning;
};

Read read(const std::vector<std::string_view>& words, const std::string& folder = "/nowhere") {
  Read result;
  result.fault = weir::read_redis_target(words, folder, result.target, result.warning);
  return result;
}

// A file of its own in a folder of its own.
class SecretFile {
 public:
  SecretFile(const char* text, mode_t mode) {
    char name[] = "/tmp/weir-unit-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(name));
    folder = name;
    std::FILE* file = std::fopen((folder + "/secret").c_str(), "w");
    std::fputs(text, file);
    std::fclose(file);
    chmod((folder + "/secret").c_str(), mode);
  }
  ~SecretFile() {
    unlink((folder + "/secret").c_str());
    rmdir(folder.c_str());
  }
  std::string folder;
};

START_TEST(a_socket_and_an_address_become_what_connect_wants) {
  const auto result = read({"unix:/run/redis.sock", "127.0.0.1:7000", "[::1]:7001"});
  ck_assert_view_eq(result.fault, "");
  ck_assert_view_eq(result.target.name, "unix:/run/redis.sock, 127.0.0.1:7000, [::1]:7001");
  ck_assert_uint_eq(result.target.addresses.size(), 3);
  sockaddr_un path{};
  std::memcpy(&path, &result.target.addresses[0].sockaddr, sizeof path);
  ck_assert_view_eq(path.sun_path, "/run/redis.sock");
  ck_assert_uint_eq(result.target.addresses[0].length, sizeof path);
  sockaddr_in four{};
  std::memcpy(&four, &result.target.addresses[1].sockaddr, sizeof four);
  ck_assert(four.sin_family == AF_INET && ntohs(four.sin_port) == 7000);
  ck_assert(result.target.addresses[2].sockaddr.ss_family == AF_INET6);
  ck_assert_view_eq(result.target.addresses[2].name, "[::1]:7001");
}
END_TEST

START_TEST(a_name_that_nobody_knows_is_refused_with_a_remedy) {
  const auto result = read({"no-such-host.invalid:6379"});
  ck_assert(result.fault.find("it cannot use \"no-such-host.invalid\"") == 0);
  ck_assert(result.fault.find("give a name that this machine can look up") != std::string::npos);
}
END_TEST

START_TEST(a_relative_password_file_lies_in_the_configurations_folder) {
  const SecretFile file("open sesame\nmore\n", 0600);
  const auto result = read({"h.invalid:1", "password_file=secret"}, file.folder);
  ck_assert(result.fault.find("it cannot use") == 0);  // so the file was read
  const auto local = read({"unix:/r", "password_file=secret"}, file.folder);
  ck_assert_view_eq(local.fault, "");
  ck_assert_view_eq(local.target.courier.password, "open sesame");
  ck_assert_view_eq(local.warning, "");
}
END_TEST

START_TEST(a_password_that_everybody_can_read_is_warned_of) {
  const SecretFile file("open sesame\n", 0644);
  const auto result = read({"unix:/r", "password_file=" + file.folder + "/secret"});
  ck_assert_view_eq(result.fault, "");
  ck_assert(result.warning.find("chmod o-r it") != std::string::npos);
  ck_assert(result.warning.find("sesame") == std::string::npos);
}
END_TEST

START_TEST(a_password_file_that_is_not_there_is_refused_with_a_remedy) {
  ck_assert(read({"unix:/r", "password_file=missing"})
                .fault.find("the secret file \"/nowhere/missing\" cannot be read") == 0);
}
END_TEST

const weir_test::Register kRegistered("redis_target",
                                      {a_socket_and_an_address_become_what_connect_wants,
                                       a_name_that_nobody_knows_is_refused_with_a_remedy,
                                       a_relative_password_file_lies_in_the_configurations_folder,
                                       a_password_that_everybody_can_read_is_warned_of,
                                       a_password_file_that_is_not_there_is_refused_with_a_remedy});

}  // namespace
