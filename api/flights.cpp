#include "api/flights.h"

#include <algorithm>

#include "api/etag.h"

namespace weir::api {
namespace {

// What a kept answer takes besides its values: list, map, pointers.
constexpr std::size_t kOverhead = 256;

std::size_t size_of(const std::string& key, const Answer& answer) {
  std::size_t size = kOverhead + 2 * key.size() + answer.version.size();
  for (const std::string& value : answer.values) size += value.size() + sizeof(std::string);
  return size;
}

}  // namespace

Flights::Ticket Flights::join(const std::string& key, std::chrono::milliseconds time,
                              const Make& make, OnLanding on_landing, const Make& check) {
  const Kept* kept = find_kept(key);
  const auto known = kept == nullptr ? nullptr : kept->answer;
  if (kept != nullptr && clock_() < kept->until) {
    ++hits_;
    on_landing({known});
    return 0;
  }
  const bool is_new = flights_.count(key) == 0;
  if (is_new && !has_room()) {
    const Failure full{Failure::Kind::busy,
                       "Too many answers are on their way to slow readers: try again in a second"};
    on_landing({nullptr, &full});
    return 0;
  }
  const Ticket ticket = ++last_ticket_;
  if (!is_new) ++shared_;
  flights_[key].waiting.emplace_back(ticket, std::move(on_landing));
  tickets_[ticket] = key;
  if (!is_new) return ticket;
  if (known && check && !known->version.empty()) {
    flights_[key].next = make();
    flights_[key].known = known;
    start(key, time, check());
  } else {
    start(key, time, make());
  }
  return ticket;
}

bool Flights::has_room() {
  while (scale_.is_full() && !kept_.empty()) drop(std::prev(kept_.end()));
  return !scale_.is_full();
}

const Flights::Kept* Flights::find_kept(const std::string& key) {
  const auto found = kept_by_key_.find(key);
  if (found == kept_by_key_.end()) return nullptr;
  if (clock_() >= found->second->until && found->second->answer->version.empty()) {
    drop(found->second);
    return nullptr;
  }
  kept_.splice(kept_.begin(), kept_, found->second);
  return &*found->second;
}

void Flights::start(const std::string& key, std::chrono::milliseconds time,
                    const std::shared_ptr<Query>& query) {
  query->on_row = [this, key](const Row& row) { take(key, row); };
  query->on_end = [this, key](const Failure* failure) { land(key, failure); };
  Flight& flight = flights_[key];
  flight.query = query;
  flight.answer = std::make_shared<Answer>();
  flight.time = time;
  database_.run(query);
}

void Flights::take(const std::string& key, const Row& row) {
  Flight& flight = flights_.at(key);
  const std::string_view value = row.value(0).value_or("");
  if (flight.answer->values.empty() && row.columns() > 1) {
    flight.answer->version = row.value(1).value_or("");
  }
  flight.bytes += value.size() + sizeof(std::string);
  if (flight.bytes <= kMostAnswer) {
    flight.answer->values.emplace_back(value);
  } else {
    flight.answer->values.clear();  // and land() says so
  }
}

// Whether the version of now is another than that of the answer which is known: then it is asked
// for.
bool Flights::goes_on(const std::string& key) {
  Flight& flight = flights_.at(key);
  const auto& said = flight.answer->values;
  if (!flight.known || (said.size() == 1 && said[0] == flight.known->version)) return false;
  flight.known = nullptr;
  flight.bytes = 0;
  start(key, flight.time, std::exchange(flight.next, nullptr));
  return true;
}

void Flights::land(const std::string& key, const Failure* failure) {
  if (failure == nullptr && goes_on(key)) return;
  Flight flight = std::move(flights_.at(key));
  flights_.erase(key);
  const Failure too_large{Failure::Kind::too_large, ""};
  if (failure == nullptr && flight.bytes > kMostAnswer) failure = &too_large;
  std::shared_ptr<const Answer> answer = flight.known ? flight.known : flight.answer;
  if (failure == nullptr) {
    if (!flight.known) flight.answer->weight.put(scale_, flight.bytes);
    if (!flight.known && !answer->values.empty()) flight.answer->etag = etag_of(answer->values[0]);
    keep(key, answer, flight.time);
  }
  for (auto& [ticket, on_landing] : flight.waiting) {
    if (tickets_.erase(ticket) == 0) continue;  // it left while the others were told
    on_landing(failure == nullptr ? Landing{answer} : Landing{nullptr, failure});
  }
}

void Flights::leave(Ticket ticket) {
  const auto found = tickets_.find(ticket);
  if (found == tickets_.end()) return;
  const std::string key = found->second;
  tickets_.erase(found);
  const auto flight = flights_.find(key);
  if (flight == flights_.end()) return;
  auto& waiting = flight->second.waiting;
  waiting.erase(std::remove_if(waiting.begin(), waiting.end(),
                               [&](const auto& one) { return one.first == ticket; }),
                waiting.end());
  if (!waiting.empty() || left_ == Left::finished) return;
  const auto query = flight->second.query;
  flights_.erase(flight);
  database_.cancel(*query);
}

void Flights::keep(const std::string& key, std::shared_ptr<const Answer> answer,
                   std::chrono::milliseconds time) {
  const std::size_t size = size_of(key, *answer);
  if (time.count() == 0 || size > most_bytes_ / 8) return;
  if (const auto old = kept_by_key_.find(key); old != kept_by_key_.end()) drop(old->second);
  while (bytes_ + size > most_bytes_) drop(std::prev(kept_.end()));
  kept_.push_front({key, std::move(answer), clock_() + time, size});
  kept_by_key_[key] = kept_.begin();
  bytes_ += size;
}

void Flights::drop(std::list<Kept>::iterator kept) {
  bytes_ -= kept->bytes;
  kept_by_key_.erase(kept->key);
  kept_.erase(kept);
}

}  // namespace weir::api
