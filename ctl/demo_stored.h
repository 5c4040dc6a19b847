// Waits until what a web server took is in PostgreSQL, as far as its /health tells: nothing left in
// the spool, nothing left in Redis' stream, which the flusher trims after its commit.
//
//   std::string error;
//   switch (await_stored(client, patience, is_stopped, error)) …
#pragma once

#include <chrono>
#include <string>

#include "ctl/http_client.h"

namespace weir::ctl {

enum class Stored {
  yes,
  unknown,  // nobody tells: no /health there, or it does not know
  no        // `error` says why it was given up
};

// Gives up where nothing more was stored for `patience`.
Stored await_stored(HttpClient& client, std::chrono::seconds patience,
                    HttpClient::IsStopped is_stopped, std::string& error);

}  // namespace weir::ctl
