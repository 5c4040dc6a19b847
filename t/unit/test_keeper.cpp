// Where records go: Redis, else the spool, else nowhere.
#include "core/keep/keeper.h"

#include <string>
#include <vector>

#include "t/unit/suite.h"

using weir::Courier;
using weir::Customer;
using weir::Keeper;
using weir::Outcome;
using weir::SpoolCustomer;

namespace {

// A Redis that takes what it is told to take, and answers when the test says so.
class FakeRedis : public weir::RedisPort {
 public:
  Courier::Submitted submit(std::string_view record, Customer& customer,
                            weir::Terms) noexcept override {
    if (answer != Courier::Submitted::taken) return answer;
    records.emplace_back(record);
    customers.push_back(&customer);
    return answer;
  }

  bool takes() const noexcept override { return answer == Courier::Submitted::taken; }

  // What became of the oldest record that was taken.
  void settle(Outcome outcome) {
    Customer* const customer = customers.front();
    const std::string record = records.front();
    customers.erase(customers.begin());
    records.erase(records.begin());
    customer->settled(outcome, outcome == Outcome::acknowledged ? std::string_view() : record);
  }

  Courier::Submitted answer = Courier::Submitted::taken;
  std::vector<std::string> records;
  std::vector<Customer*> customers;
};

class FakeSpool : public weir::SpoolWriter {
 public:
  bool submit(std::string_view record, SpoolCustomer& customer,
              std::uint8_t replicas) noexcept override {
    if (!takes) return false;
    records.emplace_back(record);
    wanted.push_back(replicas);
    customers.push_back(&customer);
    return true;
  }
  weir::SpoolStatus status() const noexcept override { return {}; }

  void sync(bool kept) {
    const std::vector<SpoolCustomer*> batch = std::move(customers);
    customers.clear();
    for (SpoolCustomer* customer : batch) customer->synced(kept);
  }

  bool takes = true;
  std::vector<std::string> records;
  std::vector<unsigned> wanted;
  std::vector<SpoolCustomer*> customers;
};

struct Client : weir::KeepCustomer {
  void kept(bool kept) noexcept override { (kept ? yes : no) += 1; }
  bool untold() const { return yes + no == 0; }

  Keeper::Ticket ticket;
  int yes = 0, no = 0;
};

// A drained record's owner.
struct Drain : Customer {
  void settled(Outcome outcome, std::string_view) noexcept override { outcomes.push_back(outcome); }
  std::vector<Outcome> outcomes;
};

struct Bench {
  bool keep(Client& client, std::uint8_t replicas = 0) {
    return keeper.keep("record", replicas, client, client.ticket);
  }

  FakeRedis redis, replicated;
  FakeSpool spool;
  Keeper keeper{{&redis, &replicated, &spool}};
};

struct BenchWithoutSpool {
  FakeRedis redis;
  Keeper keeper{{&redis, nullptr, nullptr}};
};

START_TEST(a_record_that_redis_acknowledges_is_kept_and_spares_the_spool) {
  Bench bench;
  Client client;
  ck_assert(bench.keep(client));
  ck_assert(client.untold());
  ck_assert_uint_eq(bench.keeper.waiting(), 1);
  bench.redis.settle(Outcome::acknowledged);
  ck_assert(client.yes == 1 && client.no == 0);
  ck_assert_uint_eq(bench.keeper.waiting(), 0);
  ck_assert(bench.spool.records.empty());
}
END_TEST

START_TEST(whatever_else_redis_says_the_record_goes_into_the_spool) {
  for (const auto outcome : {Outcome::refused, Outcome::late, Outcome::timed_out, Outcome::lost}) {
    Bench bench;
    Client client;
    ck_assert(bench.keep(client));
    bench.redis.settle(outcome);
    ck_assert(client.untold());
    ck_assert_view_eq(bench.spool.records.at(0), "record");
    bench.spool.sync(true);
    ck_assert(client.yes == 1 && client.no == 0);
  }
}
END_TEST

START_TEST(a_redis_that_takes_nothing_leaves_the_record_to_the_spool) {
  for (const auto answer : {Courier::Submitted::away, Courier::Submitted::full}) {
    Bench bench;
    bench.redis.answer = answer;
    Client client;
    ck_assert(bench.keep(client));
    ck_assert(client.untold());
    bench.spool.sync(true);
    ck_assert(client.yes == 1 && client.no == 0);
  }
}
END_TEST

START_TEST(a_sync_that_fails_is_no_record_kept) {
  Bench bench;
  bench.redis.answer = Courier::Submitted::away;
  Client client;
  ck_assert(bench.keep(client));
  bench.spool.sync(false);
  ck_assert(client.yes == 0 && client.no == 1);
}
END_TEST

START_TEST(with_redis_away_and_no_spool_nothing_is_taken) {
  BenchWithoutSpool bench;
  bench.redis.answer = Courier::Submitted::away;
  Client client;
  ck_assert(!bench.keeper.keep("record", 0, client, client.ticket));
  ck_assert_uint_eq(bench.keeper.waiting(), 0);
  ck_assert(client.untold());
}
END_TEST

START_TEST(without_a_spool_a_refused_record_is_not_kept) {
  BenchWithoutSpool bench;
  Client client;
  ck_assert(bench.keeper.keep("record", 0, client, client.ticket));
  bench.redis.settle(Outcome::refused);
  ck_assert(client.yes == 0 && client.no == 1);
}
END_TEST

START_TEST(a_spool_that_is_full_refuses_at_once_and_after_redis_did) {
  Bench bench;
  bench.spool.takes = false;
  Client late, early;
  ck_assert(bench.keep(late));
  bench.redis.settle(Outcome::late);
  ck_assert(late.no == 1);
  bench.redis.answer = Courier::Submitted::full;
  ck_assert(!bench.keep(early));
  ck_assert(early.untold());
}
END_TEST

START_TEST(a_client_that_went_away_is_told_nothing_and_its_record_goes_its_way) {
  Bench bench;
  Client client;
  ck_assert(bench.keep(client));
  bench.keeper.forget(client.ticket);
  bench.redis.settle(Outcome::lost);
  ck_assert_view_eq(bench.spool.records.at(0), "record");
  bench.spool.sync(true);
  ck_assert(client.untold());
  ck_assert_uint_eq(bench.keeper.waiting(), 0);
}
END_TEST

START_TEST(a_record_that_wants_replicas_goes_the_way_that_waits_for_them) {
  Bench bench;
  Client client;
  ck_assert(bench.keep(client, 2));
  ck_assert(bench.redis.records.empty());
  bench.replicated.settle(Outcome::refused);
  ck_assert_uint_eq(bench.spool.wanted.at(0), 2);
}
END_TEST

START_TEST(a_drained_record_goes_to_redis_or_waits_but_never_back_into_the_spool) {
  Bench bench;
  Drain drain;
  ck_assert(bench.keeper.offer("old", 0, drain));
  bench.redis.settle(Outcome::refused);
  ck_assert(drain.outcomes == std::vector<Outcome>{Outcome::refused});
  bench.redis.answer = Courier::Submitted::away;
  ck_assert(!bench.keeper.offer("old", 0, drain));
  ck_assert(bench.spool.records.empty());
  ck_assert(bench.keeper.offer("old", 1, drain));
  ck_assert_uint_eq(bench.replicated.records.size(), 1);
}
END_TEST

START_TEST(places_for_waiting_records_are_used_again) {
  Bench bench;
  std::vector<Client> clients(3);
  for (int round = 0; round < 1000; ++round) {
    for (Client& client : clients) ck_assert(bench.keep(client));
    for (std::size_t i = 0; i < clients.size(); ++i) bench.redis.settle(Outcome::acknowledged);
  }
  for (const Client& client : clients) ck_assert_int_eq(client.yes, 1000);
}
END_TEST

const weir_test::Register kRegistered(
    "keeper",
    {a_record_that_redis_acknowledges_is_kept_and_spares_the_spool,
     whatever_else_redis_says_the_record_goes_into_the_spool,
     a_redis_that_takes_nothing_leaves_the_record_to_the_spool, a_sync_that_fails_is_no_record_kept,
     with_redis_away_and_no_spool_nothing_is_taken, without_a_spool_a_refused_record_is_not_kept,
     a_spool_that_is_full_refuses_at_once_and_after_redis_did,
     a_client_that_went_away_is_told_nothing_and_its_record_goes_its_way,
     a_record_that_wants_replicas_goes_the_way_that_waits_for_them,
     a_drained_record_goes_to_redis_or_waits_but_never_back_into_the_spool,
     places_for_waiting_records_are_used_again});

}  // namespace
