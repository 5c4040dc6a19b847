// Stores a batch in one transaction: rows, roll-ups, dead letters and the stream's position. The
// last statement before COMMIT asks for the token of the stream's lease: a flusher that has lost it
// stores nothing, however late it comes.
//
//   plain ──────────────────────────────────────────────────────────► COMMIT
//     │ a row is there already                                           ▲
//     ▼                                                                  │
//   asking: only ids travel, known rows and repeats are left out ────────┤
//     │ PostgreSQL does not take some row                                │
//     ▼                                                                  │
//   carefully: halves, each behind a savepoint, down to the single row,  │
//   which goes to dead_letters ──────────────────────────────────────────┘
//
// An internal error (XX000) may be a row's fault or the server's. It is a row's only if the row
// fails so alone and twice, and more rows pass meanwhile than fail in this way; else the batch
// waits and is tried again: a row that waits can still be stored.
//
// Rows that need the wide check are asked for on the plain path too, once whoever may store others
// of them in a week beside theirs has committed. After a batch with duplicates the next one asks
// first, until one has none.
//
//   Store store(database.connection());
//   Stored stored;
//   switch (store.store(batch, {stream, token, old_position, new_position, epoch}, stored)) …
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "flusher/batch.h"
#include "flusher/sqlstate.h"
#include "pg/connection.h"

namespace weir::flusher {

// How the stream's position moves with a batch.
struct Advance {
  std::string stream;
  std::string token;                // of our lease on it
  std::optional<std::string> from;  // none: there is none yet
  std::string to;
  std::string epoch;
};

// What became of a batch's rows.
struct Stored {
  std::size_t rows = 0;
  std::size_t duplicates = 0;
  std::size_t dead = 0;
  std::string first_sqlstate;  // of a row that PostgreSQL refused; "" if there is none
};

class Store {
 public:
  explicit Store(pg::Connection& database) : database_(database) {}

  // Fault::none: all of it is committed. Fault::away: nothing is, or the COMMIT's answer was lost;
  // read the position again, over a new connection if this one is broken. Fault::moved: nothing is;
  // read it again. Fault::fenced: nothing is, and the lease is another one's.
  Fault store(const Batch& batch, const Advance& advance, Stored& stored);

 private:
  struct Kind;
  static const Kind& events();
  static const Kind& crashes();
  using Body = std::function<Fault()>;
  using Feed = std::function<bool(pg::CopyIn&)>;
  using Append = std::function<void(std::string&, const RowView&)>;

  Fault attempt(const Batch& batch, const Advance& advance, Stored& stored);
  Fault attempt_carefully(const Batch& batch, const Advance& advance, Stored& stored);
  Fault finish(const std::vector<DeadLetter>& dead, const Advance& advance);
  Fault in_transaction(const Batch& batch, const Body& body);
  Fault lock_weeks(const Batch& batch);
  Fault commit();

  Fault put(const Kind& kind, RowSpan rows, bool ask, Stored& stored);
  Fault put_carefully(const Kind& kind, RowSpan rows, Stored& stored);
  Fault put_behind_savepoint(const Kind& kind, RowSpan rows, Stored& stored);
  bool may_pass_again(Fault fault, RowSpan rows) const;
  void give_up(const Kind& kind, const RowView& row, Fault fault, Stored& stored);
  Fault drop_known(const Kind& kind, bool all, std::vector<RowView>& rows);
  Fault copy_rows(const Kind& kind, RowSpan rows);
  Fault copy_narrow(const std::string& statement, RowSpan rows, const Append& append);
  Fault copy(const std::string& statement, const Feed& feed);
  Fault bury(const DeadLetter& letter);
  Fault bury_part(const DeadLetter& letter, std::string_view payload, const std::string& reason);
  Fault insert_dead(const std::string& tenant, std::optional<Timestamp> received_at,
                    const std::string& reason, std::string_view payload);
  Fault run(const std::string& statement);

  pg::Connection& database_;
  bool asks_ = false;
  std::vector<DeadLetter> dead_rows_;  // of the careful path
  std::size_t odd_rows_ = 0;           // of these, those that failed with an internal error
  std::string buffer_;
};

}  // namespace weir::flusher
