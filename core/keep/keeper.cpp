#include "core/keep/keeper.h"

#include <new>

namespace weir {

// One record between keep() and its end. It outlives the customer, and both the courier and the
// spool may know it, one after the other.
struct Entry final : Customer, SpoolCustomer {
  explicit Entry(Keeper& the_keeper) : keeper(the_keeper) {}

  void settled(Outcome outcome, std::string_view record) noexcept override {
    if (outcome == Outcome::acknowledged) return keeper.settle(*this, true);
    if (!keeper.to_spool(record, *this)) keeper.settle(*this, false);
  }
  void synced(bool kept) noexcept override { keeper.settle(*this, kept); }

  Keeper& keeper;
  KeepCustomer* customer = nullptr;  // null: gone
  std::uint8_t replicas = 0;
  Entry* next_free = nullptr;
};

Keeper::Keeper(const Places& places) : places_(places) {}

Keeper::~Keeper() = default;

bool Keeper::keep(std::string_view record, std::uint8_t replicas, KeepCustomer& customer,
                  Ticket& ticket) noexcept {
  Entry* const entry = take_entry();
  if (entry == nullptr) return false;
  entry->customer = &customer;
  entry->replicas = replicas;
  RedisPort* const redis = port_for(replicas);
  const bool taken = redis != nullptr &&
                     redis->submit(record, *entry, {replicas, false}) == Courier::Submitted::taken;
  if (!taken && !to_spool(record, *entry)) {
    give_back(*entry);
    return false;
  }
  ++waiting_;
  ticket.entry_ = entry;
  return true;
}

void Keeper::forget(Ticket& ticket) noexcept {
  if (ticket.entry_ != nullptr) ticket.entry_->customer = nullptr;
  ticket.entry_ = nullptr;
}

bool Keeper::offer(std::string_view record, std::uint8_t replicas, Customer& customer) noexcept {
  RedisPort* const redis = port_for(replicas);
  return redis != nullptr &&
         redis->submit(record, customer, {replicas, true}) == Courier::Submitted::taken;
}

RedisPort* Keeper::port_for(std::uint8_t replicas) const {
  return replicas == 0 || places_.replicated == nullptr ? places_.redis : places_.replicated;
}

bool Keeper::to_spool(std::string_view record, Entry& entry) noexcept {
  return places_.spool != nullptr && places_.spool->submit(record, entry, entry.replicas);
}

// The entry first: whoever is told may keep another record.
void Keeper::settle(Entry& entry, bool kept) noexcept {
  KeepCustomer* const customer = entry.customer;
  give_back(entry);
  --waiting_;
  if (customer != nullptr) customer->kept(kept);
}

Entry* Keeper::take_entry() {
  if (free_ != nullptr) {
    Entry* const entry = free_;
    free_ = entry->next_free;
    return entry;
  }
  try {
    entries_.push_back(std::make_unique<Entry>(*this));
    return entries_.back().get();
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

void Keeper::give_back(Entry& entry) noexcept {
  entry.customer = nullptr;
  entry.next_free = free_;
  free_ = &entry;
}

}  // namespace weir
