// Makes all roll-ups anew from the rows, over several sessions at once: days are independent of
// each other, first the flusher's sums of each, then, once users have their numbers, all else.
//
//   Rebuilder rebuilder(postgres, /*forget=*/false, /*sessions=*/2);
//   std::string error;
//   const auto rebuilt = rebuilder.run(tenant, error);
//   if (!rebuilt) return fail(error);          // what was done is done; it can be run again
//   for (const Failed& failed : rebuilt->failed) …
//
// A day that cannot be made holds up no other: it keeps its marks, and is named at the end. Of
// those that are made, the marks that were there at the beginning go. Only a session that is lost
// ends all.
//
//   begin ──► sums of day, sums of day, … ──► users of tenant, … ──► day, day, …
//                 several at once                 one by one          several at once
#pragma once

#include <atomic>
#include <cstddef>
#include <list>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ctl/progress.h"
#include "ctl/roll_ups.h"
#include "pg/connection.h"

namespace weir::ctl {

struct Failed {
  Day day;  // without a day: what is made of all of the tenant's
  std::string error;
};

struct Rebuilt {
  std::size_t days = 0;  // that were made
  std::size_t kept = 0;  // of these, whose figures had to stay, as their rows are gone
  std::vector<Failed> failed;
};

class Rebuilder {
 public:
  Rebuilder(std::string postgres, bool forget, int sessions);

  // None: `error` holds one sentence.
  std::optional<Rebuilt> run(const pg::Param& tenant, std::string& error);

 private:
  using Make = std::optional<bool> (RollUps::*)(const Day&, bool, std::string&);

  bool connect(std::string& error);
  bool rebuild_users(std::string& error);
  bool each_day(Make make, std::size_t share, std::string& error);
  void work(pg::Connection& session, Make make, std::size_t share);
  bool has_failed(const Day& day);
  // False: the session is lost.
  bool note(const RollUps& roll_ups, const Day& day, const std::string& error);
  void finish(const Day& day, bool whole, std::size_t share);

  const std::string postgres_;
  const bool forget_;
  const int sessions_wanted_;
  std::list<pg::Connection> sessions_;  // a CopyIn would want them to stay where they are
  std::vector<Day> days_;
  std::atomic<std::size_t> next_{0};
  std::mutex mutex_;  // of what follows
  std::optional<Progress> progress_;
  std::set<std::string> kept_;
  std::vector<Failed> failed_;
  std::optional<std::string> lost_;  // why the session was
};

}  // namespace weir::ctl
