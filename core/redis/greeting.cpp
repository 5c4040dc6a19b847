#include "core/redis/greeting.h"

#include <algorithm>
#include <array>

#include "core/redis/courier.h"

namespace weir {
namespace {

using Topic = Warnings::Topic;

struct Setting {
  std::string_view name;
  std::string_view safe;
  Topic topic;
  // What `value`, which is not the safe one, risks.
  std::string_view (*risk)(std::string_view value);
};

std::string_view appendonly_risk(std::string_view) {
  return "when it stops or crashes, acknowledged events that are not in PostgreSQL yet are lost";
}

std::string_view appendfsync_risk(std::string_view value) {
  return value == "everysec"
             ? "when the machine loses power, the last two seconds of acknowledged events are lost"
             : "when the machine loses power, half a minute of acknowledged events can be lost";
}

std::string_view policy_risk(std::string_view value) {
  return value.substr(0, 9) == "volatile-"
             ? "at its maxmemory it drops the stream, should anything ever set an expiry on it"
             : "at its maxmemory it may drop the stream with all events that are not in PostgreSQL";
}

// In the order of Greeting::Step.
constexpr std::array<Setting, 3> kChecked = {{
    {"appendonly", "yes", Topic::appendonly, appendonly_risk},
    {"appendfsync", "always", Topic::appendfsync, appendfsync_risk},
    {"maxmemory-policy", "noeviction", Topic::maxmemory_policy, policy_risk},
}};

std::string_view printable(std::string_view value) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || c == '-'; };
  const bool sane = !value.empty() && value.size() <= 32;
  return sane && std::all_of(value.begin(), value.end(), fits) ? value : "an unknown value";
}

std::string warning_of(const Setting& setting, std::string_view value) {
  std::string sentence = "EVENTS CAN BE LOST: Redis has ";
  sentence.append(setting.name).append(" ").append(printable(value)).append(", so that ");
  sentence.append(setting.risk(value)).append("; set ").append(setting.name).append(" ");
  return sentence.append(setting.safe);
}

// A server that is full says so to whatever it was asked, and hangs up.
bool is_full(std::string_view error) {
  return error.find("max number of clients") != std::string_view::npos;
}

// Managed servers and narrow users have no CONFIG.
bool is_only_config(std::string_view error) {
  const std::string_view word = error.substr(0, error.find(' '));
  return word == "NOPERM" || (word == "ERR" && !is_full(error));
}

}  // namespace

bool Greeting::needs_auth() const { return !settings_.password.empty() || !settings_.user.empty(); }

std::string Greeting::begin() {
  std::string out;
  step_ = needs_auth() ? Step::auth : Step::appendonly;
  if (needs_auth() && settings_.user.empty()) append_command(out, {"AUTH", settings_.password});
  if (!settings_.user.empty()) {
    append_command(out, {"AUTH", settings_.user, settings_.password});
  }
  // One CONFIG GET for all of them is new in Redis 7.
  for (const Setting& setting : kChecked) append_command(out, {"CONFIG", "GET", setting.name});
  append_command(out, {"XLEN", settings_.stream});
  return out;
}

Greeting::Result Greeting::take(const Reply& reply) {
  if (step_ == Step::auth) return take_auth(reply);
  if (step_ == Step::stream) return take_stream(reply);
  return take_setting(reply);
}

Greeting::Result Greeting::take_auth(const Reply& reply) {
  if (reply.type != Reply::Type::status) return refuse("AUTH", reply);
  next_step();
  return Result::more;
}

Greeting::Result Greeting::take_setting(const Reply& reply) {
  const Setting& setting =
      kChecked[static_cast<std::size_t>(step_) - static_cast<std::size_t>(Step::appendonly)];
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
  if (value == setting.safe) {
    warnings_.settled(setting.topic);
  } else {
    warnings_.once(setting.topic, warning_of(setting, value));
  }
  next_step();
  return Result::more;
}

Greeting::Result Greeting::skip_setting(std::string_view why) {
  std::string sentence = "Redis answered CONFIG GET with ";
  sentence.append(why).append(", so that Weir cannot see whether events are safe there: ");
  warnings_.once(Topic::unchecked, sentence +
                                       "make sure of appendonly yes, appendfsync always and "
                                       "maxmemory-policy noeviction");
  next_step();
  return Result::more;
}

Greeting::Result Greeting::take_stream(const Reply& reply) {
  if (reply.type != Reply::Type::integer) return refuse("XLEN", reply);
  warnings_.settled(Topic::trouble);
  return Result::ready;
}

Greeting::Result Greeting::refuse(std::string_view command, const Reply& reply) {
  if (reply.type == Reply::Type::error && is_full(reply.text)) {
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
