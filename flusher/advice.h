// What an operator can do about a PostgreSQL that does not take a batch, told by its SQLSTATE
// (https://www.postgresql.org/docs/15/errcodes-appendix.html); "" where its own words are enough.
#pragma once

#include <string_view>

namespace weir::flusher {

constexpr std::string_view advice_on(std::string_view sqlstate) {
  struct Advice {
    std::string_view sqlstate, sentence;
  };
  constexpr Advice kAdvice[] = {
      {"25006",
       "it is read-only: a standby, or default_transaction_read_only is set; name all servers in"
       " postgres= with target_session_attrs=read-write, and the flusher finds the primary"},
      {"25P03",
       "the flusher was held up in a transaction; is this machine short of memory or CPU?"},
      {"28000", "see pg_hba.conf: it does not let this user in"},
      {"28P01", "the password is wrong: see passfile= in postgres="},
      {"3D000", "see dbname= in postgres="},
      {"40P01", "another session locks in another order: leave weir's tables to the flusher"},
      {"42501", "run `weirctl migrate` as its owner, which grants what is needed"},
      {"53100", "its disk is full: make room there"},
      {"53200", "it has no memory left: see its work_mem and the machine's memory"},
      {"53300", "it has as many sessions as max_connections allows: the flusher needs three"},
      {"55P03", "another session holds a lock: see pg_locks"},
      {"57014", "somebody cancelled it, or statement_timeout is too short; smaller batches follow"},
      {"57P01", "an administrator ended the session, or it shuts down"},
      {"57P02", "one of its processes crashed: see its log"},
      {"57P03", "it is starting up or shutting down"},
  };
  for (const Advice& advice : kAdvice) {
    if (advice.sqlstate == sqlstate) return advice.sentence;
  }
  return {};
}

}  // namespace weir::flusher
