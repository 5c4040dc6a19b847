// Where a record goes: to Redis, or else into the spool, or else nowhere. The one place that knows
// this rule, for every server.
//
//   Keeper keeper({&redis, nullptr, &spool});
//   if (!keeper.keep(record, 0, customer, ticket)) answer(503);   // else customer.kept() follows
//   keeper.forget(ticket);                                         // whoever asked has gone
//
//                 taken               acknowledged
//   keep() ──► Redis ──────────────────────────────────► kept(true)
//      │         │ refused, late, timed out, lost           ▲
//      │ away,   ▼                 synced                   │
//      └─full► spool ───────────────────────────────────────┘
//                │ no spool, full, failing
//                └──────────────────────► keep() returns false, or kept(false)
//
// A record whose answer from Redis did not come in time may end up in both: storing is idempotent
// by event_id. What the spool holds comes back through offer(), once Redis takes records again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "core/redis/port.h"
#include "core/spool/drain_sink.h"
#include "core/spool/writer.h"

namespace weir {

// Someone who wants a record kept.
class KeepCustomer {
 public:
  // Exactly once for each keep() that returned true, unless forget() came first; never from inside
  // keep(). False: neither Redis nor the spool has it for certain.
  virtual void kept(bool kept) noexcept = 0;

 protected:
  ~KeepCustomer() = default;
};

class Keeper final : public DrainSink {
 public:
  struct Places {
    RedisPort* redis = nullptr;
    RedisPort* replicated = nullptr;  // for records that want replicas; null: nobody asks for them
    SpoolWriter* spool = nullptr;     // null: there is none
  };

  // Which keep() it was, for forget().
  class Ticket {
   public:
    Ticket() = default;

   private:
    friend class Keeper;
    struct Entry* entry_ = nullptr;
  };

  explicit Keeper(const Places& places);
  ~Keeper();
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  // Takes a record that `replicas` replicas of Redis have to hold before it counts as kept there.
  // False: it cannot be kept now, and `customer` is told nothing.
  [[nodiscard]] bool keep(std::string_view record, std::uint8_t replicas, KeepCustomer& customer,
                          Ticket& ticket) noexcept;

  // The customer, which was not told yet, is gone. Its record stays on its way.
  void forget(Ticket& ticket) noexcept;

  // A record of the spool's, on its way back to Redis alone.
  bool offer(std::string_view record, std::uint8_t replicas, Customer& customer) noexcept override;

  // The spool may drain: Redis takes records.
  bool may_drain() const noexcept { return places_.redis != nullptr && places_.redis->takes(); }

  // Customers that wait.
  std::size_t waiting() const { return waiting_; }

 private:
  friend struct Entry;

  RedisPort* port_for(std::uint8_t replicas) const;
  Entry* take_entry();
  void give_back(Entry& entry) noexcept;
  bool to_spool(std::string_view record, Entry& entry) noexcept;
  void settle(Entry& entry, bool kept) noexcept;

  Places places_;
  // As many as ever waited at once, which the courier's and the spool's bounds limit.
  std::vector<std::unique_ptr<Entry>> entries_;
  Entry* free_ = nullptr;
  std::size_t waiting_ = 0;
};

}  // namespace weir
