#include "flusher/store.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "fault/fault_point.h"
#include "flusher/copy_format.h"
#include "flusher/database.h"

namespace weir::flusher {

// What differs between events and crashes.
struct Store::Kind {
  RecordKind kind;
  std::string copy_rows, copy_added, roll_up, known, clear;
  void (*append_added)(std::string&, const RowView&);
};

namespace {

// The columns stand in the order of a record's tuples.
const std::string kCopyEvents =
    "COPY weir.events (event_id, tenant_id, user_id, session_id, event, app_version, platform,"
    " country, properties, timestamp, client_timestamp, received_at) FROM STDIN (FORMAT binary)";
const std::string kCopyCrashes =
    "COPY weir.crashes (crash_id, tenant_id, user_id, app_version, os_version, crash_type,"
    " error_message, stack_trace, fingerprint, context, timestamp, client_timestamp, received_at)"
    " FROM STDIN (FORMAT binary)";
const std::string kCopyArrivingIds = "COPY pg_temp.arriving_ids FROM STDIN (FORMAT binary)";
const std::string kForgetIds = "DELETE FROM pg_temp.arriving_ids";
const std::string kLockWeeks = "SELECT weir.lock_weeks($1)";
const std::string kAdvance = "SELECT weir.advance_position($1, $2, $3, $4, $5)";
const std::string kBury =
    "INSERT INTO weir.dead_letters (tenant_id, received_at, reason, payload) VALUES ($1,"
    " coalesce('epoch'::timestamptz + $2::bigint * interval '1 microsecond', now()), $3,"
    " $4::bytea)";

const std::string kSavepoint = "SAVEPOINT part";
const std::string kRelease = "RELEASE SAVEPOINT part";
const std::string kUndo = "ROLLBACK TO SAVEPOINT part; RELEASE SAVEPOINT part";

// A larger payload goes into several dead letters, so that nothing of it is lost.
constexpr std::size_t kMostPayload = 1 << 20;

// Narrow rows are collected up to this size, then sent.
constexpr std::size_t kBuffer = 64 << 10;

std::size_t to_index(std::string_view digits) {
  std::size_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

// A parameter ends at its first NUL, and a tenant cut short is another tenant.
std::string tenant_param(const std::string& tenant) {
  return tenant.find('\0') == std::string::npos ? tenant : std::string();
}

}  // namespace

const Store::Kind& Store::events() {
  static const Kind kKind{RecordKind::events,
                          kCopyEvents,
                          "COPY pg_temp.added_events FROM STDIN (FORMAT binary)",
                          "SELECT weir.roll_up_events()",
                          "SELECT weir.known_events()",
                          "DELETE FROM pg_temp.added_events",
                          append_added_event};
  return kKind;
}

const Store::Kind& Store::crashes() {
  static const Kind kKind{RecordKind::crashes,
                          kCopyCrashes,
                          "COPY pg_temp.added_crashes FROM STDIN (FORMAT binary)",
                          "SELECT weir.roll_up_crashes()",
                          "SELECT weir.known_crashes()",
                          "DELETE FROM pg_temp.added_crashes",
                          append_added_crash};
  return kKind;
}

Fault Store::store(const Batch& batch, const Advance& advance, Stored& stored) {
  Fault fault = attempt(batch, advance, stored);
  if (fault == Fault::data && database_.sqlstate() == kCheckViolation) {
    fault = attempt(batch, advance, stored);
  }
  if (fault == Fault::duplicate && !asks_) {
    asks_ = true;
    fault = attempt(batch, advance, stored);
  }
  if (fault == Fault::data || fault == Fault::odd || fault == Fault::duplicate) {
    fault = attempt_carefully(batch, advance, stored);
  }
  if (fault == Fault::none) asks_ = asks_ && stored.duplicates > 0;
  return fault;
}

Fault Store::attempt(const Batch& batch, const Advance& advance, Stored& stored) {
  stored = {};
  return in_transaction(batch, [&] {
    Fault fault = put(events(), batch.events(), asks_, stored);
    if (fault == Fault::none) fault = put(crashes(), batch.crashes(), asks_, stored);
    if (fault == Fault::none) fault = finish(batch.dead(), advance);
    stored.dead = batch.dead().size();
    return fault;
  });
}

Fault Store::attempt_carefully(const Batch& batch, const Advance& advance, Stored& stored) {
  stored = {};
  dead_rows_ = batch.dead();
  odd_rows_ = 0;
  const std::vector<RowView> new_events = without_repeats(batch.events());
  const std::vector<RowView> new_crashes = without_repeats(batch.crashes());
  const Fault fault = in_transaction(batch, [&] {
    Fault part = put_carefully(events(), new_events, stored);
    if (part == Fault::none) part = put_carefully(crashes(), new_crashes, stored);
    if (part == Fault::none && odd_rows_ > 0 && odd_rows_ >= stored.rows) part = Fault::away;
    if (part == Fault::none) part = finish(dead_rows_, advance);
    return part;
  });
  stored.duplicates += batch.rows() - new_events.size() - new_crashes.size();
  stored.dead = dead_rows_.size();
  dead_rows_.clear();
  return fault;
}

// The last statements of a batch's transaction.
Fault Store::finish(const std::vector<DeadLetter>& dead, const Advance& advance) {
  for (const DeadLetter& letter : dead) {
    if (const Fault fault = bury(letter); fault != Fault::none) return fault;
  }
  WEIR_FAULT_POINT(before_position);
  const auto rows = database_.exec_params(
      kAdvance, {advance.stream, advance.token, advance.from, advance.to, advance.epoch});
  if (!rows) return fault_of(database_);
  const std::string_view outcome = rows->value(0, 0).value_or("");
  if (outcome == "advanced") return Fault::none;
  return outcome == "moved" ? Fault::moved : Fault::fenced;
}

Fault Store::in_transaction(const Batch& batch, const Body& body) {
  Fault fault = run("BEGIN");
  if (fault == Fault::none) fault = lock_weeks(batch);
  if (fault == Fault::none) fault = body();
  if (fault == Fault::none) return commit();
  if (!database_.is_broken()) database_.exec("ROLLBACK");
  return fault;
}

// Before anything else is locked, so that nobody waits in a circle.
Fault Store::lock_weeks(const Batch& batch) {
  const auto weeks = wide_weeks(batch.events(), batch.crashes());
  if (weeks.empty()) return Fault::none;
  std::vector<std::string> texts;
  for (const std::int64_t week : weeks) texts.push_back(std::to_string(week));
  return database_.exec_params(kLockWeeks, {pg::array_of(texts)}) ? Fault::none
                                                                  : fault_of(database_);
}

// PostgreSQL answers the COMMIT of a transaction that has failed with ROLLBACK, and calls that a
// success.
Fault Store::commit() {
  WEIR_FAULT_POINT(before_commit);
  if (!database_.send("COMMIT", {})) return Fault::away;
  WEIR_FAULT_POINT(commit_sent);
  const auto done = database_.take_answer();
  WEIR_FAULT_POINT(after_commit);
  if (!done) return fault_of(database_);
  return done->tag() == "COMMIT" ? Fault::none : Fault::away;
}

// Stores `rows` and adds them to the roll-ups. With `ask`, those that are there already are found
// before and left out; otherwise only wide ones are looked for.
Fault Store::put(const Kind& kind, RowSpan rows, bool ask, Stored& stored) {
  std::vector<RowView> fresh;
  const std::size_t arrived = rows.count;
  if (ask || any_wide(rows)) {
    fresh = without_repeats(rows);
    if (const Fault fault = drop_known(kind, ask, fresh); fault != Fault::none) return fault;
    rows = fresh;
  }
  stored.rows += rows.count;
  stored.duplicates += arrived - rows.count;
  if (rows.count == 0) return Fault::none;
  Fault fault = copy_rows(kind, rows);
  if (fault == Fault::none) fault = copy_narrow(kind.copy_added, rows, kind.append_added);
  if (fault == Fault::none) fault = run(kind.roll_up);
  return fault;
}

// The same behind a savepoint, and by halves where PostgreSQL refuses.
Fault Store::put_carefully(const Kind& kind, RowSpan rows, Stored& stored) {
  if (rows.count == 0) return Fault::none;
  Fault fault = put_behind_savepoint(kind, rows, stored);
  if (may_pass_again(fault, rows)) fault = put_behind_savepoint(kind, rows, stored);
  if (fault == Fault::none || fault == Fault::away) return fault;
  if (rows.count == 1) {
    give_up(kind, *rows.begin(), fault, stored);
    return Fault::none;
  }
  fault = put_carefully(kind, rows.front_half(), stored);
  return fault == Fault::none ? put_carefully(kind, rows.back_half(), stored) : fault;
}

// All of `rows` or, but for Fault::away, none of them.
Fault Store::put_behind_savepoint(const Kind& kind, RowSpan rows, Stored& stored) {
  if (const Fault fault = run(kSavepoint); fault != Fault::none) return fault;
  Stored part = stored;
  Fault fault = put(kind, rows, /*ask=*/true, part);
  if (fault == Fault::none) fault = run(kind.clear);
  if (fault == Fault::none) {
    stored = part;
    return run(kRelease);
  }
  if (fault == Fault::away) return fault;
  const Fault undone = run(kUndo);
  return undone == Fault::none ? fault : undone;
}

bool Store::may_pass_again(Fault fault, RowSpan rows) const {
  if (fault == Fault::odd) return rows.count == 1;
  return fault == Fault::data && database_.sqlstate() == kCheckViolation;
}

// A row that fails alone. One that is there already, although known_…() did not see it, is no loss.
void Store::give_up(const Kind& kind, const RowView& row, Fault fault, Stored& stored) {
  if (fault == Fault::duplicate) {
    ++stored.duplicates;
    return;
  }
  if (fault == Fault::odd) ++odd_rows_;
  const pg::Error& error = database_.error();
  if (stored.first_sqlstate.empty()) stored.first_sqlstate = error.sqlstate;
  dead_rows_.push_back(dead_row(kind.kind, row, error.sqlstate + ": " + error.message));
}

Fault Store::drop_known(const Kind& kind, bool all, std::vector<RowView>& rows) {
  std::uint32_t n = 0;
  Fault fault = copy_narrow(kCopyArrivingIds, rows, [&](std::string& out, const RowView& row) {
    if (all || row.needs_wide_check()) append_arriving_id(out, n, row);
    ++n;
  });
  if (fault != Fault::none) return fault;
  const auto known = database_.exec(kind.known);
  if (!known) return fault_of(database_);
  std::vector<bool> is_known(rows.size());
  for (int i = 0; i < known->rows(); ++i) is_known[to_index(*known->value(i, 0))] = true;
  std::size_t index = 0;
  rows.erase(
      std::remove_if(rows.begin(), rows.end(), [&](const RowView&) { return is_known[index++]; }),
      rows.end());
  return run(kForgetIds);
}

// Rows that lie one behind the other in a record go out in one piece, without being copied here.
Fault Store::copy_rows(const Kind& kind, RowSpan rows) {
  return copy(kind.copy_rows, [&](pg::CopyIn& out) {
    std::string_view piece;
    for (const RowView& row : rows) {
      if (piece.data() + piece.size() == row.tuple.data()) {
        piece = {piece.data(), piece.size() + row.tuple.size()};
        continue;
      }
      if (!piece.empty() && !out.write(piece)) return false;
      piece = row.tuple;
    }
    return out.write(piece);
  });
}

Fault Store::copy_narrow(const std::string& statement, RowSpan rows, const Append& append) {
  return copy(statement, [&](pg::CopyIn& out) {
    buffer_.clear();
    for (const RowView& row : rows) {
      append(buffer_, row);
      if (buffer_.size() < kBuffer) continue;
      if (!out.write(buffer_)) return false;
      buffer_.clear();
    }
    return out.write(buffer_);
  });
}

Fault Store::copy(const std::string& statement, const Feed& feed) {
  auto out = database_.copy_in(statement);
  if (!out) return fault_of(database_);
  if (!out->write(kCopyHeader) || !feed(*out) || !out->write(kCopyTrailer)) return Fault::away;
  return out->finish() ? Fault::none : fault_of(database_);
}

Fault Store::bury(const DeadLetter& letter) {
  const std::size_t parts =
      1 + (std::max<std::size_t>(letter.payload.size(), 1) - 1) / kMostPayload;
  for (std::size_t part = 0; part < parts; ++part) {
    const auto payload = std::string_view(letter.payload).substr(part * kMostPayload, kMostPayload);
    std::string reason = letter.reason;
    if (parts > 1) {
      reason += " (part " + std::to_string(part + 1) + " of " + std::to_string(parts) + ")";
    }
    if (const Fault fault = bury_part(letter, payload, reason); fault != Fault::none) return fault;
  }
  return Fault::none;
}

// A dead letter must never stall the stream: one that PostgreSQL does not take (a tenant that is no
// UTF-8, say) is buried without what came from outside.
Fault Store::bury_part(const DeadLetter& letter, std::string_view payload,
                       const std::string& reason) {
  if (const Fault fault = run(kSavepoint); fault != Fault::none) return fault;
  Fault fault = insert_dead(tenant_param(letter.tenant), letter.received_at, reason, payload);
  if (fault == Fault::none) return run(kRelease);
  if (fault == Fault::away) return fault;
  fault = run(kUndo);
  if (fault != Fault::none) return fault;
  return insert_dead("", letter.received_at, "its tenant or its reason is no text", payload);
}

Fault Store::insert_dead(const std::string& tenant, std::optional<Timestamp> received_at,
                         const std::string& reason, std::string_view payload) {
  pg::Param micros;
  if (received_at) micros = std::to_string(*received_at);
  const bool done =
      database_.exec_params(kBury, {tenant, micros, reason, pg::hex(payload)}).has_value();
  return done ? Fault::none : fault_of(database_);
}

Fault Store::run(const std::string& statement) {
  return database_.exec(statement) ? Fault::none : fault_of(database_);
}

}  // namespace weir::flusher
