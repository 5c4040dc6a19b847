// Which streams this flusher may read: leases in PostgreSQL, renewed over a session of their own
// while the other one stores. weir.tend_leases() (sql/migrations/0007_leases.sql) shares the
// streams out; this is the flusher's end of it. docs/decisions/0009 says why it is so.
//
//            taken: nobody holds it,                  asked to hand over,
//            and our share has room                   batch stored
//   +------+ ---------------------> +-----------+ --------------------------> +----------+
//   | free |                        | held (7)  |                             | released |──> free
//   +------+ <--------------------- +-----------+                             +----------+
//            we hang for lease_seconds: another one counts the token up to 8, ends our storing
//            session, and no COMMIT with token 7 succeeds any more
//
//   Leases leases(options);
//   leases.open(connection.backend_pid(), error);     // the first answer is there then
//   leases.tick();                                    // often, from every wait; never waits itself
//   for (const Lease& lease : leases.held()) …
//   leases.release(stream);                           // once its batch is stored
//
// A token belongs to one session of one flusher: after a new connection all are other ones.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "flusher/options.h"
#include "pg/connection.h"

namespace weir::flusher {

struct Lease {
  std::string stream;
  std::string token;
  bool surplus = false;  // to be handed over
};

class Leases {
 public:
  explicit Leases(const Options& options);

  // Connects and takes what there is to take, for the session whose process is `backend`. False:
  // the lease session is closed, `error` holds one sentence.
  bool open(int backend, std::string& error);
  void close();
  bool is_open() const { return connection_.has_value(); }

  // It was open for the session that stores, and has failed: a new one might reach another server
  // than that session's, so that both have to be opened anew.
  bool is_lost() const { return !is_open() && backend_ != 0; }
  const pg::Error& error() const { return error_; }

  // The streams that this flusher is ready to read, in order; all of its own at first.
  void want(std::vector<std::string> streams);

  // Sends what is due and takes what has come. A failure closes the lease session.
  void tick();

  // Asks at the next tick, not only when it is due.
  void hurry() { due_ = {}; }

  const std::vector<Lease>& held() const { return held_; }
  void release(const std::string& stream);

  // For how long PostgreSQL has not answered.
  std::chrono::milliseconds silent() const;

 private:
  using Clock = std::chrono::steady_clock;

  class Calm : public pg::Patience {
   public:
    bool go_on(std::chrono::milliseconds silent) override;
  };

  bool ask();
  bool take();
  bool fail();

  const Options& options_;
  Calm calm_;
  std::optional<pg::Connection> connection_;
  std::string flusher_;  // our name, one for each pair of sessions
  int backend_ = 0;
  std::vector<std::string> wanted_;
  std::vector<Lease> held_;
  std::vector<std::string> released_;  // to be told; and told, but not yet answered
  std::vector<std::string> told_;
  bool asked_ = false;
  Clock::time_point due_{}, heard_{};
  pg::Error error_;
};

}  // namespace weir::flusher
