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
// Where much waits, the plain path is fed while Redis is read, so that a transaction may hold more
// rows than memory does. What fails there is not looked into: all of it is undone, and whoever fed
// it reads it again and stores it in batches as above.
//
//   begin_stream ──► stream, stream, … ──► end_stream ──► COMMIT
//        └──────────────┴───────────────────────┴───────► nothing is stored
//
//   Store store(database.connection());
//   Stored stored;
//   switch (store.store(batch, {stream, token, old_position, new_position, epoch}, stored)) …
//
//   Fault fault = store.begin_stream();
//   while (fault == Fault::none && more()) fault = store.stream(rows);
//   if (fault == Fault::none) fault = store.end_stream(rest, advance, stored);
//   // or, instead of the end: store.give_up_stream();
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
#include "flusher/tally.h"
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

  // Duplicates were seen lately, so that the plain path would fail.
  bool asks() const { return asks_; }

  // Each as store(), but that after a fault nothing is stored whatever it was, and the stream has
  // ended. `rows` are of events that need no wide check; `rest` has what else came, and counts all
  // entries.
  Fault begin_stream();
  Fault stream(RowSpan rows);
  Fault end_stream(const Batch& rest, const Advance& advance, Stored& stored);
  void give_up_stream() { abandon_stream(Fault::none); }

  // Of what is counted for the stream's roll-ups.
  std::size_t tallied_bytes() const { return tally_.bytes(); }
  std::size_t streamed_rows() const { return streamed_; }

 private:
  // What differs between events and crashes.
  struct Kind {
    RecordKind kind;
    std::string copy_rows, known, clear;
    Fault (Store::*roll_up)(RowSpan);
  };
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
  Fault copy_new(const Kind& kind, bool ask, RowSpan& rows, std::vector<RowView>& fresh,
                 Stored& stored);
  Fault put_carefully(const Kind& kind, RowSpan rows, Stored& stored);
  Fault put_behind_savepoint(const Kind& kind, RowSpan rows, Stored& stored);
  bool may_pass_again(Fault fault, RowSpan rows) const;
  void give_up(const Kind& kind, const RowView& row, Fault fault, Stored& stored);
  Fault drop_known(const Kind& kind, bool all, std::vector<RowView>& rows);
  Fault roll_up_events(RowSpan rows);
  Fault roll_up_crashes(RowSpan rows);
  Fault know_measured();
  Fault bring_tally();
  Fault copy_rows(const Kind& kind, RowSpan rows);
  bool write_rows(pg::CopyIn& out, RowSpan rows);
  Fault copy_bytes(const std::string& statement, std::string_view rows);
  Fault copy_narrow(const std::string& statement, RowSpan rows, const Append& append);
  Fault copy(const std::string& statement, const Feed& feed);
  Fault bury(const DeadLetter& letter);
  Fault bury_part(const DeadLetter& letter, std::string_view payload, const std::string& reason);
  Fault insert_dead(const std::string& tenant, std::optional<Timestamp> received_at,
                    const std::string& reason, std::string_view payload);
  Fault run(const std::string& statement);
  Fault end_stream_copy();
  Fault abandon_stream(Fault fault);

  pg::Connection& database_;
  bool asks_ = false;
  bool knows_measured_ = false;  // in this transaction
  Tally tally_;
  std::vector<DeadLetter> dead_rows_;  // of the careful path
  std::size_t odd_rows_ = 0;           // of these, those that failed with an internal error
  std::string buffer_;
  std::optional<pg::CopyIn> stream_;  // in a transaction, while rows are streamed
  std::size_t streamed_ = 0;
};

}  // namespace weir::flusher
