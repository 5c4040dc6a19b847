// Where a record goes that Redis cannot take now: onto this machine's disk, as soon as it is asked
// for. The spool of spool/spool.h is the one implementation; whoever decides (core/keep) sees only
// this.
//
//   class Request : public SpoolCustomer {
//     void synced(bool kept) noexcept override { answer(kept); }
//   };
//   if (!writer.submit(record, request)) answer_503();       // else synced() follows, exactly once
//   if (!writer.status().can_take) say(writer.status().why);
#pragma once

#include <cstdint>
#include <string_view>

namespace weir {

// Someone who handed in a record. synced() is called exactly once, never from inside submit(), on
// the thread that called submit(); it may submit(), and there is no way to cancel it: the customer
// has to live until then. It is not called when the process ends first.
class SpoolCustomer {
 public:
  // True: the record is on the disk, synced. False: it may be or not, and must not be relied on.
  virtual void synced(bool kept) noexcept = 0;

 protected:
  ~SpoolCustomer() = default;
};

// What is known of the spool. Numbers of the whole directory, as this worker saw it last (about a
// second ago), unless they are said to be this worker's, which count since it started.
struct SpoolStatus {
  bool configured = false;
  bool can_take = false;  // submit() would take a record of ordinary size, as far as is known
  const char* why = "";   // while not can_take: a clause without a full stop, which lives for ever

  std::uint64_t bytes = 0;       // on the disk, with what segments have reserved
  std::uint64_t limit = 0;       // `size` of the settings
  std::uint64_t records = 0;     // not yet drained; about, since others count for themselves
  std::uint64_t segments = 0;    // files with records in them that can be drained
  std::uint64_t oldest_age = 0;  // seconds since the oldest of these was begun; 0: there are none
  std::uint64_t left_alone = 0;  // segments with a header that cannot be read, or out of reach
  bool draining = false;         // this worker is sending records to Redis

  std::uint64_t spooled = 0;           // records synced by this worker
  std::uint64_t spooled_bytes = 0;     //
  std::uint64_t syncs = 0;             // groups that were synced, for `spooled` of records
  std::uint64_t refused = 0;           // records that submit() or synced() sent away
  std::uint64_t drained = 0;           // records of which Redis told this worker that it has them
  std::uint64_t drained_bytes = 0;     //
  std::uint64_t drained_segments = 0;  // and removed
  std::uint64_t torn_tails = 0;        // cut off behind a segment's last whole record
  std::uint64_t corrupt = 0;           // pieces of a segment set aside in NAME.bad
  std::uint64_t unfit = 0;             // records that Redis never takes, set aside in NAME.refused
  std::uint64_t failures = 0;          // writes, syncs and openings that failed
};

class SpoolWriter {
 public:
  // Copies `record`. False: it cannot be kept (the spool is full or fails, the record is too large,
  // too much waits already, or no memory), and `customer` hears nothing. `replicas` is written
  // beside the record: the number of Redis' replicas that shall have it once it is drained.
  [[nodiscard]] virtual bool submit(std::string_view record, SpoolCustomer& customer,
                                    std::uint8_t replicas = 0) noexcept = 0;

  virtual SpoolStatus status() const noexcept = 0;

 protected:
  ~SpoolWriter() = default;
};

}  // namespace weir
