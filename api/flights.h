// One answer for many who ask the same at the same time, and for those who ask again within
// seconds.
//
//   Flights flights(database, /*most_bytes=*/16 << 20, clock);
//   auto ticket = flights.join(key, 5s, [&] { return query; }, [](const Landing& landing) { … });
//   flights.leave(ticket);          // the last to leave cancels the query
//
//   join ──► kept and fresh? ──yes──► the answer, at once
//                │no
//                ▼
//            under way? ──yes──► waits with the others
//                │no
//                ▼
//            kept, with a version? ──yes──► asks for the version of now ──the same──► the answer,
//                │no                               │another                         which is kept
//                ▼                                 ▼                           for `time` again
//            asks the database; its answer goes to all who wait, and is kept for `time`
//
// An answer's version is the second column of its first row, and what `check` asks for: as long as
// it is the same, so would the answer be.
//
// The key has to name everything that the answer depends on. Failures are not kept. When what is
// kept would be more than most_bytes, what was asked for longest ago goes; an answer of more than
// an eighth of that is not kept at all. An answer of more than kMostAnswer bytes becomes a failure.
// While the scale is full (slow readers hold many answers), what is kept goes first, and then
// nothing new is begun: `busy`.
//
// What is looked up is found in trees, not by a hash: clients choose the keys.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/database.h"
#include "api/weight.h"

namespace weir::api {

// The first column of every row.
struct Answer {
  std::vector<std::string> values;
  std::string etag;     // of the first value
  std::string version;  // "": cannot be told
  Weight weight;
};

struct Landing {
  std::shared_ptr<const Answer> answer;  // null: see failure
  const Failure* failure = nullptr;
};

class Flights {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Clock = std::function<Time()>;
  using OnLanding = std::function<void(const Landing&)>;
  using Ticket = std::uint64_t;  // 0: landed already

  static constexpr std::size_t kMostAnswer = 4 << 20;

  // What the last to leave leaves behind.
  enum class Left : std::uint8_t { cancelled, finished };

  Flights(Database& database, Scale& scale, std::size_t most_bytes, Clock clock,
          Left left = Left::cancelled)
      : database_(database),
        scale_(scale),
        most_bytes_(most_bytes),
        clock_(std::move(clock)),
        left_(left) {}

  using Make = std::function<std::shared_ptr<Query>()>;

  Ticket join(const std::string& key, std::chrono::milliseconds time, const Make& make,
              OnLanding on_landing, const Make& check = nullptr);
  void leave(Ticket ticket);

  std::size_t bytes() const { return bytes_; }
  std::size_t under_way() const { return flights_.size(); }
  std::uint64_t hits() const { return hits_; }
  std::uint64_t shared() const { return shared_; }

 private:
  struct Kept {
    std::string key;
    std::shared_ptr<const Answer> answer;
    Time until;
    std::size_t bytes;
  };
  struct Flight {
    std::shared_ptr<Query> query;
    std::shared_ptr<Answer> answer;
    std::size_t bytes = 0;
    std::chrono::milliseconds time{};
    std::shared_ptr<const Answer> known;  // of one that asks for a version: the answer that has it
    std::shared_ptr<Query> next;          // and what to ask for if it is another now
    std::vector<std::pair<Ticket, OnLanding>> waiting;
  };

  const Kept* find_kept(const std::string& key);
  void start(const std::string& key, std::chrono::milliseconds time,
             const std::shared_ptr<Query>& query);
  void take(const std::string& key, const Row& row);
  void land(const std::string& key, const Failure* failure);
  bool goes_on(const std::string& key);
  void keep(const std::string& key, std::shared_ptr<const Answer> answer,
            std::chrono::milliseconds time);
  void drop(std::list<Kept>::iterator kept);
  bool has_room();

  Database& database_;
  Scale& scale_;
  const std::size_t most_bytes_;
  const Clock clock_;
  const Left left_;
  std::map<std::string, Flight> flights_;
  std::map<Ticket, std::string> tickets_;
  std::list<Kept> kept_;  // what was asked for last in front
  std::map<std::string, std::list<Kept>::iterator> kept_by_key_;
  std::size_t bytes_ = 0;
  Ticket last_ticket_ = 0;
  std::uint64_t hits_ = 0, shared_ = 0;
};

}  // namespace weir::api
