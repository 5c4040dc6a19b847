// What a failure in PostgreSQL means for a batch, told by its SQLSTATE
// (https://www.postgresql.org/docs/15/errcodes-appendix.html).
#pragma once

#include <cstdint>
#include <string_view>

namespace weir::flusher {

enum class Fault : std::uint8_t {
  none,
  away,       // the server or the connection is in trouble: the same batch may pass later
  duplicate,  // a row is there already
  data,       // PostgreSQL does not take what a row holds, and never will
  odd,        // an internal error: an odd value can provoke one, and so can a server in trouble
  moved,      // somebody else moved the stream's position
  fenced,     // somebody else has the stream's lease
};

// A row's time has no partition: one that was made while the COPY ran. It passes the second time.
constexpr std::string_view kCheckViolation = "23514";

// `sqlstate` is empty when no server answered. What is not known to be a row's fault is taken for
// trouble: a row that waits can still be stored, one in dead_letters needs a hand.
constexpr Fault fault_of(std::string_view sqlstate) {
  if (sqlstate.size() != 5) return Fault::away;
  if (sqlstate == "23505") return Fault::duplicate;
  const std::string_view kind = sqlstate.substr(0, 2);
  const bool is_data = kind == "21" ||       // cardinality violation
                       kind == "22" ||       // data exception: encoding, JSON, numbers
                       kind == "23" ||       // integrity: not null, check
                       kind == "54" ||       // program limits: too long for an index, too deep
                       sqlstate == "08P01";  // a value longer or shorter than its type
  if (sqlstate == "XX000") return Fault::odd;
  return is_data ? Fault::data : Fault::away;
}

}  // namespace weir::flusher
