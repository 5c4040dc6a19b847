// Where Redis listens, as a configuration names it.
#include "core/redis/address.h"

#include "t/unit/suite.h"

namespace {

using weir::parse_redis_address;
using weir::RedisAddress;

void assert_tcp(std::string_view text, std::string_view host, int port) {
  RedisAddress address;
  const std::string error = parse_redis_address(text, address);
  ck_assert_view_eq(error, "");
  ck_assert(!address.is_unix());
  ck_assert_view_eq(address.host, host);
  ck_assert_int_eq(address.port, port);
}

// Asserts that `text` is refused with a sentence that holds `why`, and that nothing was changed.
void assert_refused(std::string_view text, std::string_view why) {
  RedisAddress address{"/before", "before", 1};
  const std::string error = parse_redis_address(text, address);
  ck_assert_msg(error.find(why) != std::string::npos, "'%s' for '%s'", error.c_str(),
                std::string(text).c_str());
  ck_assert_view_eq(address.path, "/before");
  ck_assert_view_eq(address.host, "before");
  ck_assert_int_eq(address.port, 1);
}

START_TEST(a_unix_socket_is_its_path) {
  RedisAddress address{"", "host", 1};
  ck_assert(parse_redis_address("unix:/run/redis/redis server.sock", address).empty());
  ck_assert(address.is_unix());
  ck_assert_view_eq(address.path, "/run/redis/redis server.sock");
  ck_assert(address.host.empty());
  ck_assert_int_eq(address.port, 0);
}
END_TEST

START_TEST(tcp_is_host_and_port) {
  assert_tcp("localhost:6379", "localhost", 6379);
  assert_tcp("127.0.0.1:1", "127.0.0.1", 1);
  assert_tcp("redis-1.internal_net.example:65535", "redis-1.internal_net.example", 65535);
}
END_TEST

START_TEST(tcp_takes_the_place_of_a_socket) {
  RedisAddress address{"/before", "", 0};
  ck_assert(parse_redis_address("h:2", address).empty());
  ck_assert(!address.is_unix());
}
END_TEST

START_TEST(ipv6_stands_in_brackets) {
  assert_tcp("[::1]:6379", "::1", 6379);
  assert_tcp("[2001:DB8::a]:1", "2001:DB8::a", 1);
  assert_tcp("[::ffff:10.0.0.1]:1", "::ffff:10.0.0.1", 1);
  assert_tcp("[fe80::1%eth0]:6379", "fe80::1%eth0", 6379);
  assert_refused("::1:6379", "in brackets, as in [::1]:6379");
  assert_refused("2001:db8::a", "in brackets");
  assert_refused("[::1]", "the port is missing");
  for (const std::string_view text :
       {"[localhost]:1", "[1.2.3.4]:1", "[::g]:1", "[:]:1", "[fe80::1%]:1", "[::1%a b]:1"}) {
    assert_refused(text, "not an IPv6 address");
  }
  assert_refused("[]:1", "neither a name nor an address");
  assert_refused("[::1:6379", "in brackets");
}
END_TEST

START_TEST(a_path_is_absolute_and_fits_into_a_socket_address) {
  assert_refused("unix:", "begin with a slash");
  assert_refused("unix:redis.sock", "begin with a slash");
  assert_refused("/run/redis.sock", "unix:/path");
  assert_refused("unix:/run/a\nb", "control character");
  assert_refused(std::string_view("unix:/a\0b", 9), "control character");
  RedisAddress address;
  const std::string longest(weir::kMaxSocketPath - 1, 'x');
  ck_assert(parse_redis_address("unix:/" + longest, address).empty());
  assert_refused("unix:/x" + longest, "longer than the 107 bytes");
}
END_TEST

START_TEST(a_port_is_a_whole_number_in_range) {
  for (const std::string_view text : {"h:", "h:0", "h:65536", "h:99999999999", "h:-1", "h:+1",
                                      "h: 1", "h:1 ", "h:0x10", "h:1.0", "h:redis"}) {
    assert_refused(text, "whole number from 1 to 65535");
  }
  assert_refused("localhost", "the port is missing");
  assert_refused("", "the port is missing");
}
END_TEST

START_TEST(a_host_is_a_name_or_an_address) {
  assert_refused(":6379", "the host is missing");
  for (const std::string_view text : {"a b:1", "user@h:1", "h/0:1", "h\xc3\xa9:1", "*:1"}) {
    assert_refused(text, "neither a name nor an address");
  }
  assert_tcp(std::string(weir::kMaxHostName, 'h') + ":1", std::string(weir::kMaxHostName, 'h'), 1);
  assert_refused(std::string(weir::kMaxHostName + 1, 'h') + ":1", "neither a name");
}
END_TEST

START_TEST(a_url_is_recognised) {
  assert_refused("redis://localhost:6379", "this is a URL");
  assert_refused("rediss://:secret@localhost", "this is a URL");
}
END_TEST

const weir_test::Register kRegistered("address",
                                      {a_unix_socket_is_its_path, tcp_is_host_and_port,
                                       tcp_takes_the_place_of_a_socket, ipv6_stands_in_brackets,
                                       a_path_is_absolute_and_fits_into_a_socket_address,
                                       a_port_is_a_whole_number_in_range,
                                       a_host_is_a_name_or_an_address, a_url_is_recognised});

}  // namespace
