// The first words on a connection: AUTH, whether this is the master, a look at the settings on
// which Weir's promise hangs, and a look at the stream, which only a Redis that can take records
// answers with a number.
//
//   output.append(greeting.begin());
//   switch (greeting.take(reply)) …                      // once for each reply, in order
//
//   AUTH ──ok──> ROLE ──> CONFIG GET appendonly ──> … each of kSafetySettings ──> XLEN
//     │           │ replica   │ NOPERM, unknown command (to ROLE too): warned, and on │
//     └─ refused <┴───────────┴── any other error, or a reply that is not one to this ┤
//                                                                            ready <──┘
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/redis/resp.h"
#include "core/redis/warnings.h"

namespace weir {

struct CourierSettings;

class Greeting {
 public:
  enum class Result : std::uint8_t { more, ready, refused };

  // Both have to outlive it.
  Greeting(const CourierSettings& settings, Warnings& warnings)
      : settings_(settings), warnings_(warnings) {}

  // Starts over. Returns all of the commands: their order is known, so they go out in one write.
  std::string begin();

  // Takes the next reply. refused: why was said.
  Result take(const Reply& reply);

 private:
  enum class Step : std::uint8_t {
    auth,
    role,
    appendonly,
    appendfsync,
    maxmemory_policy,
    proto_max_bulk_len,
    stream
  };

  bool needs_auth() const;
  Result take_auth(const Reply& reply);
  Result take_role(const Reply& reply);
  Result take_setting(const Reply& reply);
  Result take_stream(const Reply& reply);
  Result refuse(std::string_view command, const Reply& reply);
  Result skip_setting(std::string_view why);
  void next_step() { step_ = static_cast<Step>(static_cast<int>(step_) + 1); }

  const CourierSettings& settings_;
  Warnings& warnings_;
  Step step_ = Step::auth;
};

}  // namespace weir
