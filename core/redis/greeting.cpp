#include "core/redis/greeting.h"

#include <array>

#include "core/redis/courier.h"
#include "core/redis/safety.h"

namespace weir {
namespace {

using Topic = Warnings::Topic;

// Of kSafetySettings, in their order, which is Greeting::Step's too.
constexpr std::array<Topic, kSafetyCount> kTopics = {
    Topic::appendonly, Topic::appendfsync, Topic::maxmemory_policy, Topic::proto_max_bulk_len};

}  // namespace

bool Greeting::needs_auth() const { return !settings_.password.empty() || !settings_.user.empty(); }

std::string Greeting::begin() {
  std::string out;
  step_ = needs_auth() ? Step::auth : Step::role;
  if (needs_auth() && settings_.user.empty()) append_command(out, {"AUTH", settings_.password});
  if (!settings_.user.empty()) {
    append_command(out, {"AUTH", settings_.user, settings_.password});
  }
  append_command(out, {"ROLE"});
  for (const SafetySetting& setting : kSafetySettings) {
    append_command(out, {"CONFIG", "GET", setting.name});
  }
  append_command(out, {"XLEN", settings_.stream});
  return out;
}

Greeting::Result Greeting::take(const Reply& reply) {
  if (step_ == Step::auth) return take_auth(reply);
  if (step_ == Step::role) return take_role(reply);
  if (step_ == Step::stream) return take_stream(reply);
  return take_setting(reply);
}

Greeting::Result Greeting::take_auth(const Reply& reply) {
  if (reply.type != Reply::Type::status) return refuse("AUTH", reply);
  next_step();
  return Result::more;
}

// A replica takes no records, or worse, is told to take them and loses them to its master.
Greeting::Result Greeting::take_role(const Reply& reply) {
  if (reply.type == Reply::Type::error) {
    if (!is_only_config(reply.text)) return refuse("ROLE", reply);
    std::string sentence = "Redis answered ROLE with ";
    sentence.append(error_word(reply.text, settings_.password));
    warnings_.once(Topic::role_unseen,
                   sentence + ", so that Weir cannot tell a replica from a master: grant +role");
  } else if (reply.type != Reply::Type::array || reply.items.empty()) {
    return refuse("ROLE", reply);
  } else if (reply.items[0] == "slave") {
    warnings_.once(Topic::replica,
                   "this Redis is a replica, which takes no records: name its master, or all "
                   "addresses of which one is the master's at any time");
    return Result::refused;
  }
  next_step();
  return Result::more;
}

Greeting::Result Greeting::take_setting(const Reply& reply) {
  const std::size_t index =
      static_cast<std::size_t>(step_) - static_cast<std::size_t>(Step::appendonly);
  const SafetySetting& setting = kSafetySettings[index];
  if (reply.type == Reply::Type::error) {
    if (!is_only_config(reply.text)) return refuse("CONFIG GET", reply);
    return skip_setting(error_word(reply.text, settings_.password));
  }
  if (reply.type != Reply::Type::array) return refuse("CONFIG GET", reply);
  if (reply.items.empty()) return skip_setting("nothing");
  if (reply.items.size() != 2 || reply.items[0] != setting.name) {
    return refuse("CONFIG GET", reply);
  }
  const std::string& value = reply.items[1];
  if (setting.is_safe(value)) {
    warnings_.settled(kTopics[index]);
  } else {
    warnings_.once(kTopics[index], safety_warning(setting, value));
  }
  next_step();
  return Result::more;
}

Greeting::Result Greeting::skip_setting(std::string_view why) {
  warnings_.once(Topic::unchecked, safety_unchecked(why));
  next_step();
  return Result::more;
}

Greeting::Result Greeting::take_stream(const Reply& reply) {
  if (reply.type != Reply::Type::integer) return refuse("XLEN", reply);
  warnings_.settled(Topic::trouble);
  return Result::ready;
}

Greeting::Result Greeting::refuse(std::string_view command, const Reply& reply) {
  if (reply.type == Reply::Type::error && is_full_of_clients(reply.text)) {
    warnings_.once(Topic::trouble, "Redis has as many clients as its maxclients allows");
  } else if (reply.type == Reply::Type::error) {
    warnings_.once(Topic::trouble, refusal(command, reply.text, settings_.password));
  } else {
    std::string sentence = "Redis answered ";
    sentence.append(command).append(" with something else than an answer to it");
    warnings_.once(Topic::trouble, std::move(sentence));
  }
  return Result::refused;
}

}  // namespace weir
