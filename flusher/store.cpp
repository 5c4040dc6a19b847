#include "flusher/store.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "fault/fault_point.h"
#include "flusher/copy_format.h"
#include "flusher/database.h"

namespace weir::flusher {

namespace {

// The columns stand in the order of a record's tuples.
const std::string kCopyEvents =
    "COPY weir.events (event_id, tenant_id, user_id, session_id, event, app_version, platform,"
    " country, properties, timestamp, client_timestamp, received_at) FROM STDIN (FORMAT binary)";
const std::string kCopyCrashes =
    "COPY weir.crashes (crash_id, tenant_id, user_id, app_version, os_version, crash_type,"
    " error_message, stack_trace, fingerprint, context, timestamp, client_timestamp, received_at)"
    " FROM STDIN (FORMAT binary)";
const std::string kCopyUserDays = "COPY pg_temp.added_user_days FROM STDIN (FORMAT binary)";
const std::string kCopyKinds = "COPY pg_temp.added_kinds FROM STDIN (FORMAT binary)";
const std::string kCopySums = "COPY pg_temp.added_sums FROM STDIN (FORMAT binary)";
const std::string kCopyCrashDays = "COPY pg_temp.added_crashes FROM STDIN (FORMAT binary)";
const std::string kMeasured = "SELECT tenant_id, event, property FROM weir.measured_properties()";
const std::string kCopyArrivingIds = "COPY pg_temp.arriving_ids FROM STDIN (FORMAT binary)";
const std::string kForgetIds = "DELETE FROM pg_temp.arriving_ids";
const std::string kLockWeeks = "SELECT weir.lock_weeks($1)";
const std::string kAdvance = "SELECT weir.advance_position($1, $2, $3, $4, $5)";
const std::string kBury =
    "INSERT INTO weir.dead_letters (tenant_id, received_at, reason, payload) VALUES ($1,"
    " coalesce('epoch'::timestamptz + $2::bigint * interval '1 microsecond', now()), $3,"
    " $4::bytea)";

// They also mark each day that is touched: what is beyond sums is built from these.
const std::string kRollUpEvents = "SELECT weir.roll_up_events()";
const std::string kRollUpCrashes = "SELECT weir.roll_up_crashes()";

const std::string kSavepoint = "SAVEPOINT part";
const std::string kRelease = "RELEASE SAVEPOINT part";
const std::string kUndo = "ROLLBACK TO SAVEPOINT part; RELEASE SAVEPOINT part";

// A larger payload goes into several dead letters, so that nothing of it is lost.
constexpr std::size_t kMostPayload = 1 << 20;

// Rows are collected up to this size, then sent.
constexpr std::size_t kBuffer = 32 << 10;

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
  static const Kind kKind{RecordKind::events, kCopyEvents, "SELECT * FROM weir.known_events()",
                          "DELETE FROM pg_temp.added_user_days; DELETE FROM pg_temp.added_kinds;"
                          " DELETE FROM pg_temp.added_sums",
                          &Store::roll_up_events};
  return kKind;
}

const Store::Kind& Store::crashes() {
  static const Kind kKind{RecordKind::crashes, kCopyCrashes, "SELECT * FROM weir.known_crashes()",
                          "DELETE FROM pg_temp.added_crashes", &Store::roll_up_crashes};
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
  knows_measured_ = false;
  Fault fault = run("BEGIN");
  if (fault == Fault::none) fault = lock_weeks(batch);
  if (fault == Fault::none) fault = body();
  if (fault == Fault::none) return commit();
  if (!database_.is_broken()) database_.exec("ROLLBACK");
  return fault;
}

// Before a batch locks anything else, so that nobody waits in a circle. A stream has rows by then,
// and may do so with whoever has some of the same: then PostgreSQL ends one of the two, which tries
// again.
Fault Store::lock_weeks(const Batch& batch) {
  const auto weeks = wide_weeks(batch.events(), batch.crashes());
  if (weeks.empty()) return Fault::none;
  std::vector<std::string> texts;
  texts.reserve(weeks.size());
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

// Stores `rows` and adds them to the roll-ups.
Fault Store::put(const Kind& kind, RowSpan rows, bool ask, Stored& stored) {
  std::vector<RowView> fresh;
  const Fault fault = copy_new(kind, ask, rows, fresh, stored);
  return fault == Fault::none && rows.count > 0 ? (this->*kind.roll_up)(rows) : fault;
}

// Stores `rows`, which are then those that were not there. With `ask`, those that are are found
// before and left out; otherwise only wide ones are looked for.
Fault Store::copy_new(const Kind& kind, bool ask, RowSpan& rows, std::vector<RowView>& fresh,
                      Stored& stored) {
  const std::size_t arrived = rows.count;
  if (ask || any_wide(rows)) {
    fresh = without_repeats(rows);
    if (const Fault fault = drop_known(kind, ask, fresh); fault != Fault::none) return fault;
    rows = fresh;
  }
  stored.rows += rows.count;
  stored.duplicates += arrived - rows.count;
  return rows.count == 0 ? Fault::none : copy_rows(kind, rows);
}

Fault Store::roll_up_events(RowSpan rows) {
  if (const Fault fault = know_measured(); fault != Fault::none) return fault;
  tally_.clear();
  tally_.add(rows);
  return bring_tally();
}

// Once a transaction: what a measure adds up.
Fault Store::know_measured() {
  if (std::exchange(knows_measured_, true)) return Fault::none;
  const auto rows = database_.exec(kMeasured);
  if (!rows) return fault_of(database_);
  std::vector<MeasuredProperty> properties;
  for (int i = 0; i < rows->rows(); ++i) {
    const auto text = [&](int column) { return std::string(rows->value(i, column).value_or("")); };
    properties.push_back({text(0), text(1), text(2)});
  }
  tally_.measure(std::move(properties));
  return Fault::none;
}

// Adds to the roll-ups what was counted.
Fault Store::bring_tally() {
  const auto bring = [&](const std::string& statement, void (Tally::*write)(std::string&) const) {
    buffer_.clear();
    (tally_.*write)(buffer_);
    return buffer_.empty() ? Fault::none : copy_bytes(statement, buffer_);
  };
  Fault fault = bring(kCopyUserDays, &Tally::write_user_days);
  if (fault == Fault::none) fault = bring(kCopyKinds, &Tally::write_kinds);
  if (fault == Fault::none) fault = bring(kCopySums, &Tally::write_sums);
  return fault == Fault::none ? run(kRollUpEvents) : fault;
}

Fault Store::roll_up_crashes(RowSpan rows) {
  const Fault fault = copy_narrow(kCopyCrashDays, rows, append_added_crash);
  return fault == Fault::none ? run(kRollUpCrashes) : fault;
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

Fault Store::copy_rows(const Kind& kind, RowSpan rows) {
  return copy(kind.copy_rows, [&](pg::CopyIn& out) {
    buffer_.clear();
    return write_rows(out, rows) && out.write(buffer_);
  });
}

// Many rows make one message: each costs a call of the system here and one in PostgreSQL. What lies
// in one piece in a record and is large goes out without being copied here.
bool Store::write_rows(pg::CopyIn& out, RowSpan rows) {
  const RowView* row = rows.begin();
  while (row != rows.end()) {
    std::string_view piece = row->tuple;
    while (++row != rows.end() && piece.data() + piece.size() == row->tuple.data()) {
      piece = {piece.data(), piece.size() + row->tuple.size()};
    }
    const bool is_large = piece.size() >= kBuffer / 2;
    if (!is_large) buffer_ += piece;
    if (is_large || buffer_.size() >= kBuffer) {
      if (!out.write(buffer_)) return false;
      buffer_.clear();
    }
    if (is_large && !out.write(piece)) return false;
  }
  return true;
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

Fault Store::copy_bytes(const std::string& statement, std::string_view rows) {
  return copy(statement, [&](pg::CopyIn& out) { return out.write(rows); });
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
