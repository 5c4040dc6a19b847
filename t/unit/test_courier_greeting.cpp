// The first words on a connection, and what an operator hears of them.
#include "core/redis/greeting.h"

#include "t/unit/courier_fixture.h"

namespace {

using namespace weir_test;
using State = Courier::State;

constexpr std::string_view kMaster = "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n";
constexpr std::string_view kChecks =
    "*1\r\n$4\r\nROLE\r\n"
    "*3\r\n$6\r\nCONFIG\r\n$3\r\nGET\r\n$10\r\nappendonly\r\n"
    "*3\r\n$6\r\nCONFIG\r\n$3\r\nGET\r\n$11\r\nappendfsync\r\n"
    "*3\r\n$6\r\nCONFIG\r\n$3\r\nGET\r\n$16\r\nmaxmemory-policy\r\n"
    "*3\r\n$6\r\nCONFIG\r\n$3\r\nGET\r\n$18\r\nproto-max-bulk-len\r\n"
    "*2\r\n$4\r\nXLEN\r\n$8\r\nweir:{0}\r\n";
constexpr std::string_view kSecret = "open sesame";
constexpr std::string_view kNoPermission =
    "-NOPERM this user has no permissions to run the 'config|get' command\r\n";
const std::string_view kSafeSettings = kSafeGreeting.substr(0, kSafeGreeting.size() - 5);

CourierSettings with_password(std::string_view user = "", std::string_view password = kSecret) {
  CourierSettings settings = weir_test::settings();
  settings.user = user;
  settings.password = password;
  return settings;
}

std::string setting(std::string_view name, std::string_view value) {
  std::string reply;
  weir::append_command(reply, {name, value});
  return reply;
}

std::string greeting_with(std::string_view appendonly, std::string_view appendfsync,
                          std::string_view policy, std::string_view longest = "536870912") {
  return std::string(kMaster) + setting("appendonly", appendonly) +
         setting("appendfsync", appendfsync) + setting("maxmemory-policy", policy) +
         setting("proto-max-bulk-len", longest) + ":0\r\n";
}

// One connection that answers `replies` and ends. True if it got ready.
bool connection(Bench& bench, std::string_view replies) {
  bench.connect();
  bench.written();
  const bool fed = bench.feed(replies);
  const bool ready = bench.courier.state() == State::ready;
  ck_assert(!ready || fed);
  bench.courier.closed();
  return ready;
}

START_TEST(looks_at_the_settings_and_the_stream) {
  Bench bench;
  bench.connect();
  const std::string written = bench.written();
  ck_assert_view_eq(written, kChecks);
}
END_TEST

START_TEST(a_password_goes_first) {
  Bench bench(with_password());
  bench.connect();
  const std::string written = bench.written();
  const std::string expected = "*2\r\n$4\r\nAUTH\r\n$11\r\nopen sesame\r\n" + std::string(kChecks);
  ck_assert_view_eq(written, expected);
  ck_assert(bench.feed("+OK\r\n" + std::string(kSafeGreeting)));
  ck_assert(bench.courier.state() == State::ready);
}
END_TEST

START_TEST(a_user_goes_before_the_password_even_an_empty_one) {
  Bench bench(with_password("edge"));
  bench.connect();
  ck_assert_uint_eq(
      bench.written().find("*3\r\n$4\r\nAUTH\r\n$4\r\nedge\r\n$11\r\nopen sesame\r\n"), 0);
  Bench open(with_password("edge", ""));
  open.connect();
  ck_assert_uint_eq(open.written().find("*3\r\n$4\r\nAUTH\r\n$4\r\nedge\r\n$0\r\n\r\n"), 0);
}
END_TEST

START_TEST(safe_settings_are_not_spoken_of) {
  Bench bench;
  ck_assert(connection(bench, kSafeGreeting));
  ck_assert(bench.log.warnings.empty());
}
END_TEST

START_TEST(the_greeting_may_be_cut_at_every_byte) {
  const std::string replies = "+OK\r\n" + std::string(kSafeGreeting);
  for (std::size_t cut = 0; cut <= replies.size(); ++cut) {
    Bench bench(with_password());
    bench.connect();
    ck_assert(bench.feed(std::string_view(replies).substr(0, cut)));
    ck_assert_int_eq(bench.courier.state() == State::ready, cut == replies.size());
    ck_assert(bench.feed(std::string_view(replies).substr(cut)));
    ck_assert(bench.courier.state() == State::ready);
    ck_assert_int_eq(bench.log.ready_count, 1);
    ck_assert(bench.log.warnings.empty());
  }
}
END_TEST

START_TEST(a_connection_that_ends_in_the_greeting_leaves_nothing_behind) {
  for (std::size_t cut = 0; cut < kSafeGreeting.size(); ++cut) {
    Bench bench;
    bench.connect();
    ck_assert(bench.feed(kSafeGreeting.substr(0, cut)));
    bench.courier.closed();
    ck_assert(bench.courier.state() == State::away);
    ck_assert(bench.courier.output().empty());
    bench.connect();
    const std::string written = bench.written();
    ck_assert_view_eq(written, kChecks);
    ck_assert(bench.feed(kSafeGreeting));
    ck_assert(bench.courier.state() == State::ready);
  }
}
END_TEST

START_TEST(each_unsafe_setting_is_warned_of_with_its_risk_once_per_process) {
  Bench bench;
  for (int i = 0; i < 5; ++i) {
    ck_assert(connection(bench, greeting_with("no", "everysec", "allkeys-lru")));
  }
  ck_assert_uint_eq(bench.log.warnings.size(), 3);
  ck_assert_int_eq(bench.log.ready_count, 5);
  ck_assert_uint_eq(bench.log.count("EVENTS CAN BE LOST: "), 3);
  ck_assert_uint_eq(bench.log.count("stops or crashes"), 1);
  ck_assert_uint_eq(bench.log.count("the last two seconds"), 1);
  ck_assert_uint_eq(bench.log.count("may drop the stream"), 1);
  for (const char* remedy :
       {"set appendonly yes", "set appendfsync always", "set maxmemory-policy noeviction"}) {
    ck_assert_uint_eq(bench.log.count(remedy), 1);
  }
}
END_TEST

START_TEST(a_setting_that_changes_is_warned_of_again) {
  Bench bench;
  connection(bench, greeting_with("yes", "everysec", "noeviction"));
  connection(bench, greeting_with("yes", "no", "noeviction"));
  ck_assert_uint_eq(bench.log.warnings.size(), 2);
  ck_assert_uint_eq(bench.log.count("half a minute"), 1);
  connection(bench, kSafeGreeting);
  connection(bench, greeting_with("yes", "no", "noeviction"));
  ck_assert_uint_eq(bench.log.warnings.size(), 3);
}
END_TEST

START_TEST(a_policy_that_spares_keys_without_expiry_has_its_own_sentence) {
  Bench bench;
  ck_assert(connection(bench, greeting_with("yes", "always", "volatile-ttl")));
  ck_assert_uint_eq(bench.log.warnings.size(), 1);
  ck_assert_uint_eq(bench.log.count("should anything ever set an expiry"), 1);
}
END_TEST

START_TEST(a_redis_that_takes_less_than_the_largest_record_is_warned_of) {
  Bench bench;
  ck_assert(connection(bench, greeting_with("yes", "always", "noeviction", "67108864")));
  ck_assert(bench.log.warnings.empty());
  ck_assert(connection(bench, greeting_with("yes", "always", "noeviction", "67108863")));
  ck_assert(connection(bench, greeting_with("yes", "always", "noeviction", "67108863")));
  ck_assert_uint_eq(bench.log.warnings.size(), 1);
  ck_assert_view_eq(bench.log.warnings[0],
                    "LARGE REQUESTS CAN FAIL: Redis has proto-max-bulk-len 67108863, so that it "
                    "takes no request whose events are larger, and cuts the connection at each; "
                    "set proto-max-bulk-len 512mb");
  for (const char* odd : {"", "x", "-1", "99999999999999999999"}) {
    Bench other;
    ck_assert(connection(other, greeting_with("yes", "always", "noeviction", odd)));
    ck_assert_uint_eq(other.log.count("proto-max-bulk-len"), 1);
  }
}
END_TEST

START_TEST(a_value_that_is_no_word_is_not_repeated) {
  Bench bench;
  ck_assert(connection(bench, greeting_with("yes", "\x1b[31m\n", std::string(40, 'a'))));
  ck_assert_uint_eq(bench.log.count("an unknown value"), 2);
  ck_assert_uint_eq(bench.log.count("\x1b"), 0);
}
END_TEST

START_TEST(a_replica_is_refused_and_said_once) {
  Bench bench;
  const std::string replica =
      "*5\r\n$5\r\nslave\r\n$9\r\n127.0.0.1\r\n:6379\r\n$9\r\nconnected\r\n:14\r\n";
  for (int i = 0; i < 3; ++i) {
    ck_assert(!connection(bench, replica));
    ck_assert(connection(bench, kSafeGreeting));
  }
  ck_assert_uint_eq(bench.log.warnings.size(), 1);
  ck_assert_uint_eq(bench.log.count("this Redis is a replica"), 1);
}
END_TEST

START_TEST(a_master_may_have_hundreds_of_replicas) {
  Bench bench;
  const std::string replica = "*3\r\n$9\r\n127.0.0.1\r\n$4\r\n6380\r\n$1\r\n9\r\n";
  const std::string role = "*3\r\n$6\r\nmaster\r\n:9\r\n*250\r\n" + repeated(replica, 250);
  ck_assert(connection(bench, role + std::string(kSafeGreeting.substr(kMaster.size()))));
}
END_TEST

START_TEST(whoever_may_not_ask_for_the_role_is_served_and_warned_once) {
  Bench bench;
  const auto rest = std::string(kSafeGreeting.substr(kMaster.size()));
  for (int i = 0; i < 3; ++i) {
    ck_assert(connection(bench, "-NOPERM this user has no permissions\r\n" + rest));
  }
  ck_assert_uint_eq(bench.log.warnings.size(), 1);
  ck_assert_uint_eq(bench.log.count("ROLE with NOPERM"), 1);
}
END_TEST

START_TEST(a_user_without_config_is_served_and_warned_of_once) {
  Bench bench;
  for (int i = 0; i < 3; ++i) {
    ck_assert(connection(bench, std::string(kMaster) + repeated(kNoPermission, 4) + ":0\r\n"));
  }
  ck_assert_uint_eq(bench.log.warnings.size(), 1);
  ck_assert_uint_eq(bench.log.count("CONFIG GET with NOPERM"), 1);
  ck_assert_uint_eq(bench.log.count("appendonly yes"), 1);
}
END_TEST

START_TEST(a_server_without_config_or_a_setting_is_served) {
  Bench bench;
  const std::string unknown = std::string(kMaster) + "-ERR unknown command 'CONFIG', with args\r\n";
  ck_assert(!connection(bench, unknown + "*0\r\n*-1\r\n*0\r\n:0\r\n"));
  Bench other;
  ck_assert(connection(other, unknown + repeated("*0\r\n", 3) + ":0\r\n"));
  ck_assert_uint_eq(other.log.count("CONFIG GET with ERR"), 1);
  ck_assert_uint_eq(other.log.count("CONFIG GET with nothing"), 1);
}
END_TEST

START_TEST(loading_is_said_once_and_then_ready) {
  Bench bench;
  const std::string loading =
      std::string(kSafeSettings) + "-LOADING Redis is loading the dataset in memory\r\n";
  for (int i = 0; i < 4; ++i) ck_assert(!connection(bench, loading));
  ck_assert_uint_eq(bench.log.warnings.size(), 1);
  ck_assert_view_eq(bench.log.warnings[0],
                    "Redis refused XLEN with LOADING: it is still reading its data");
  ck_assert(connection(bench, kSafeGreeting));
  ck_assert_int_eq(bench.log.ready_count, 1);
  ck_assert(!connection(bench, loading));
  ck_assert_uint_eq(bench.log.warnings.size(), 2);
}
END_TEST

START_TEST(a_stream_that_cannot_be_looked_at_ends_the_connection) {
  for (const std::string word : {"LOADING", "NOAUTH", "WRONGTYPE", "NOPERM", "MASTERDOWN",
                                 "CLUSTERDOWN", "MOVED", "ERR", "SOMETHING_NEW"}) {
    Bench bench;
    bench.connect();
    ck_assert(!bench.feed(std::string(kSafeSettings) + "-" + word + " 127.0.0.1 and more\r\n"));
    ck_assert(bench.courier.state() == State::away);
    ck_assert(bench.courier.output().empty());
    ck_assert(!bench.courier.deadline());
    ck_assert_uint_eq(bench.log.warnings.size(), 1);
    ck_assert_uint_eq(bench.log.warnings[0].find("Redis refused XLEN with " + word), 0);
    ck_assert_uint_eq(bench.log.count("and more"), 0);
    ck_assert_int_eq(bench.log.ready_count, 0);
  }
}
END_TEST

START_TEST(another_reason_is_said_although_one_was) {
  Bench bench;
  connection(bench, "-NOAUTH Authentication required.\r\n");
  connection(bench, std::string(kSafeSettings) + "-WRONGTYPE Operation against a key\r\n");
  connection(bench, std::string(kSafeSettings) + "-WRONGTYPE Operation against a key\r\n");
  ck_assert_uint_eq(bench.log.warnings.size(), 2);
  ck_assert_uint_eq(bench.log.count("it wants a password"), 1);
  ck_assert_uint_eq(bench.log.count("holds something else"), 1);
}
END_TEST

START_TEST(a_refused_password_ends_the_connection) {
  Bench bench(with_password());
  ck_assert(!connection(
      bench, "-WRONGPASS invalid username-password pair\r\n" + std::string(kSafeGreeting)));
  ck_assert_uint_eq(bench.log.warnings.size(), 1);
  ck_assert_uint_eq(bench.log.count("Redis refused AUTH with WRONGPASS: "), 1);
}
END_TEST

START_TEST(a_server_that_turns_clients_away_is_not_taken_for_one_without_config) {
  Bench full, guarded;
  ck_assert(!connection(full, "-ERR max number of clients reached\r\n"));
  ck_assert_uint_eq(full.log.count("as many clients as its maxclients allows"), 1);
  ck_assert(!connection(guarded, "-DENIED Redis is running in protected mode because\r\n"));
  ck_assert_uint_eq(guarded.log.count("protected mode"), 1);
}
END_TEST

START_TEST(replies_of_the_wrong_kind_end_the_connection) {
  const std::string safe(kSafeSettings), master(kMaster);
  for (const std::string& replies :
       {std::string("+OK\r\n"), std::string(":1\r\n"), std::string("$-1\r\n"),
        std::string("*0\r\n"), master + setting("appendfsync", "always"),
        master + "*1\r\n$10\r\nappendonly\r\n", master + "+OK\r\n", safe + "+OK\r\n",
        safe + "$2\r\n12\r\n", safe + "$-1\r\n", safe + "*1\r\n:1\r\n"}) {
    Bench bench;
    bench.connect();
    ck_assert_msg(!bench.feed(replies), "'%s' passed", replies.c_str());
    ck_assert(bench.courier.state() == State::away);
    ck_assert_uint_eq(bench.log.count("something else than an answer to it"), 1);
  }
  Bench bench(with_password());
  ck_assert(!connection(bench, kSafeGreeting));
  ck_assert_uint_eq(bench.log.count("Redis answered AUTH with something else"), 1);
}
END_TEST

START_TEST(a_redis_that_hangs_in_the_greeting_is_given_up) {
  for (std::size_t cut = 0; cut < kSafeGreeting.size(); cut += 13) {
    Bench bench;
    bench.connect();
    ck_assert(bench.feed(kSafeGreeting.substr(0, cut)));
    FakeCustomer customer;
    ck_assert(bench.submit("r", customer) == Courier::Submitted::away);
    bench.now += 1999ms;
    ck_assert(!bench.courier.expire(bench.now));
    ck_assert(bench.courier.state() == State::greeting);
    bench.now += 1ms;
    ck_assert(bench.courier.expire(bench.now));
    ck_assert(bench.courier.state() == State::away);
    ck_assert_uint_eq(bench.log.count("has not answered the greeting for 2000 ms"), 1);
    ck_assert(customer.untold());
  }
}
END_TEST

START_TEST(hanging_again_and_again_is_said_once) {
  Bench bench;
  for (int i = 0; i < 10; ++i) {
    bench.connect();
    bench.now += 3s;
    ck_assert(bench.courier.expire(bench.now));
    bench.courier.closed();
  }
  ck_assert_uint_eq(bench.log.warnings.size(), 1);
}
END_TEST

START_TEST(no_sentence_holds_the_password) {
  const std::string secret = "SESAME";
  for (const std::string reply :
       {"-ERR unknown command 'AUTH', with args beginning with: 'SESAME' \r\n", "-SESAME\r\n",
        "-XSESAMEX no\r\n", "-SES AME\r\n", "-ERR SESAME\r\n", "+SESAME\r\n", "$6\r\nSESAME\r\n",
        "SESAME\r\n", "*2\r\n$10\r\nappendonly\r\n$6\r\nSESAME\r\n"}) {
    for (const std::string& before :
         {std::string(), std::string("+OK\r\n"), "+OK\r\n" + std::string(kSafeSettings),
          "+OK\r\n" + std::string(kSafeGreeting)}) {
      Bench bench(with_password("edge", secret));
      bench.connect();
      FakeCustomer customer;
      ck_assert(bench.feed(before));
      bench.submit("r", customer);
      if (bench.feed(reply)) ck_assert(bench.courier.state() != State::away);
      bench.courier.closed();
      ck_assert_uint_eq(bench.log.count(secret), 0);
      ck_assert_uint_eq(bench.log.count("SES"), 0);
    }
  }
}
END_TEST

START_TEST(only_words_that_redis_makes_are_repeated) {
  ck_assert_view_eq(weir::error_word("OOM command not allowed", ""), "OOM");
  ck_assert_view_eq(weir::error_word("OOM", ""), "OOM");
  ck_assert_view_eq(weir::error_word("NEW_WORD x", ""), "NEW_WORD");
  for (const std::string_view odd : {"", " OOM", "oom x", "OOM\n", "O\x1bM", "WORD1"}) {
    ck_assert_view_eq(weir::error_word(odd, ""), "an error");
  }
  const std::string longest(32, 'A'), longer(33, 'A');
  ck_assert_view_eq(weir::error_word(longest, ""), longest);
  ck_assert_view_eq(weir::error_word(longer, ""), "an error");
}
END_TEST

const Register kRegistered("courier_greeting",
                           {looks_at_the_settings_and_the_stream,
                            a_password_goes_first,
                            a_user_goes_before_the_password_even_an_empty_one,
                            safe_settings_are_not_spoken_of,
                            the_greeting_may_be_cut_at_every_byte,
                            a_connection_that_ends_in_the_greeting_leaves_nothing_behind,
                            each_unsafe_setting_is_warned_of_with_its_risk_once_per_process,
                            a_setting_that_changes_is_warned_of_again,
                            a_policy_that_spares_keys_without_expiry_has_its_own_sentence,
                            a_redis_that_takes_less_than_the_largest_record_is_warned_of,
                            a_value_that_is_no_word_is_not_repeated,
                            a_replica_is_refused_and_said_once,
                            a_master_may_have_hundreds_of_replicas,
                            whoever_may_not_ask_for_the_role_is_served_and_warned_once,
                            a_user_without_config_is_served_and_warned_of_once,
                            a_server_without_config_or_a_setting_is_served,
                            loading_is_said_once_and_then_ready,
                            a_stream_that_cannot_be_looked_at_ends_the_connection,
                            another_reason_is_said_although_one_was,
                            a_refused_password_ends_the_connection,
                            a_server_that_turns_clients_away_is_not_taken_for_one_without_config,
                            replies_of_the_wrong_kind_end_the_connection,
                            a_redis_that_hangs_in_the_greeting_is_given_up,
                            hanging_again_and_again_is_said_once,
                            no_sentence_holds_the_password,
                            only_words_that_redis_makes_are_repeated});

}  // namespace
