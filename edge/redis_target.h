// What the words of a configuration say of Redis (core/redis/settings.h), with all of it looked up
// that processes must not wait for: names, and the password's file.
//
//   RedisTarget target;
//   std::string warning;
//   if (auto fault = read_redis_target(words, folder, target, warning); !fault.empty())
//   refuse(fault);
//
// It blocks for as long as a name server does: for the reading of a configuration, not for
// requests.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/redis/courier_settings.h"
#include "core/redis/link.h"

namespace weir {

// Where Redis is and how to speak to it; copied into each process.
struct RedisTarget {
  struct Address {
    std::string name;  // as configured, for the log
    sockaddr_storage sockaddr{};
    socklen_t length = 0;
  };

  std::string name;                // as configured, all of it
  std::vector<Address> addresses;  // what it stood for when the configuration was read
  CourierSettings courier;
  bool names_patience = false;
  std::uint32_t shards = 0;  // that share the records; 0: none
};

// `folder` is where relative paths start. Returns an empty string, or a sentence that says what is
// wrong and what would be right, and that does not name the directive. `warning` becomes a sentence
// on what works and should not stay so, if there is such a thing.
std::string read_redis_target(const std::vector<std::string_view>& words, const std::string& folder,
                              RedisTarget& target, std::string& warning);

}  // namespace weir
