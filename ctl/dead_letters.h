// The table weir.dead_letters, as weirctl's subcommands see it: letters by filter, page by page in
// the order of their ids, so that any number of them takes little memory.
//
//   std::string error;
//   auto letters = DeadLetters::open(conninfo, filter, error);
//   while (letters && (page = letters->next(error)) && !page->empty()) …
//   letters->remove(page->front(), error);
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pg/connection.h"

namespace weir::ctl {

// What is empty lets everything through.
struct Filter {
  std::vector<std::int64_t> ids;
  std::string tenant;
  std::string reason;                  // how it begins
  std::string older_than, newer_than;  // as PostgreSQL writes intervals: "2 hours"
};

struct DeadLetter {
  std::int64_t id = 0;
  std::string tenant;
  std::string received_at;
  std::string reason;
  std::int64_t bytes = 0;
  std::string payload;  // only where it was asked for
};

class DeadLetters {
 public:
  enum class Payload : bool { no, yes };

  static std::optional<DeadLetters> open(const std::string& conninfo, Filter filter,
                                         std::string& error);

  // The next letters that the filter lets through; none are left when it is empty. None: see
  // `error`.
  std::optional<std::vector<DeadLetter>> next(Payload payload, std::string& error);

  // How many there are.
  std::optional<std::int64_t> count(std::string& error);

  // A line for each: "COUNT  OLDEST  NEWEST  REASON", the most frequent first; or as JSON.
  std::optional<std::vector<std::string>> lines_by_reason(bool json, std::string& error);
  std::optional<std::vector<std::string>> json_lines(std::string& error);

  // Deletes one. True, too, where it is gone already.
  [[nodiscard]] bool remove(const DeadLetter& letter, std::string& error);

 private:
  DeadLetters(pg::Connection db, Filter filter) : db_(std::move(db)), filter_(std::move(filter)) {}

  std::optional<pg::Result> ask(const std::string& sql, std::string& error);
  std::optional<std::vector<std::string>> lines(const std::string& sql, std::string& error);
  std::string sentence() const;

  pg::Connection db_;
  Filter filter_;
  std::int64_t after_ = 0;
};

}  // namespace weir::ctl
