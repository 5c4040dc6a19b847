#include "core/redis/settings.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "core/config/size.h"
#include "core/config/words.h"
#include "core/redis/stream.h"

namespace weir {
namespace {

// Digits only.
std::optional<std::uint32_t> parse_count(std::string_view text) {
  std::uint32_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return count;
}

// "500ms", "2s" or "2", which are seconds.
std::optional<std::chrono::milliseconds> parse_time(std::string_view text) {
  std::chrono::milliseconds unit{1000};
  if (!text.empty() && text.back() == 's') {
    text.remove_suffix(1);
    if (!text.empty() && text.back() == 'm') {
      text.remove_suffix(1);
      unit = std::chrono::milliseconds(1);
    }
  }
  const auto count = parse_count(text);
  if (!count) return std::nullopt;
  return *count * unit;
}

// Setters return an empty string, or what is wrong with the value.
std::string set_user(std::string_view value, RedisSettings& settings) {
  settings.courier.user = value;
  return {};
}

std::string set_password_file(std::string_view value, RedisSettings& settings) {
  settings.password_file = value;
  return {};
}

std::string set_stream(std::string_view value, RedisSettings& settings) {
  settings.courier.stream = value;
  return {};
}

std::string set_timeout(std::string_view value, RedisSettings& settings) {
  const auto time = parse_time(value);
  if (!time || *time < kLeastRedisTimeout || *time > kMostRedisTimeout) {
    return "is not a time from 10ms to 60s: write it as timeout=2s";
  }
  settings.courier.timeout = *time;
  return {};
}

std::string set_patience(std::string_view value, RedisSettings& settings) {
  const auto time = parse_time(value);
  if (!time || *time < kLeastRedisTimeout || *time > kMostRedisTimeout) {
    return "is not a time from 10ms to 60s: write it as patience=250ms";
  }
  settings.courier.patience = *time;
  settings.names_patience = true;
  return {};
}

std::string set_shards(std::string_view value, RedisSettings& settings) {
  const auto count = parse_count(value);
  if (!count || *count < 1 || *count > kMostShards) {
    return "is not a number of streams, 1 to 1024: write it as shards=4";
  }
  settings.shards = *count;
  return {};
}

std::string set_stream_length(std::string_view value, RedisSettings& settings) {
  const auto length = parse_size(value);
  const bool plain = !value.empty() && size_shift(value.back()) == 0;
  if (!plain || !length || *length < kLeastStreamLength || *length > kMostStreamLength) {
    return "is not a number of entries, 1000 to 1000000000000: write it as stream_length=10000000";
  }
  settings.courier.stream_length = *length;
  return {};
}

std::string set_stream_memory(std::string_view value, RedisSettings& settings) {
  const auto size = parse_size(value);
  if (!size || *size < kLeastStreamMemory || *size > kMostStreamMemory) {
    return "is not a size from 1m to 4t: write it as stream_memory=1g";
  }
  settings.courier.stream_memory = *size;
  return {};
}

std::string set_in_flight(std::string_view value, RedisSettings& settings) {
  const auto count = parse_count(value);
  if (!count || *count < 1 || *count > kMostRedisInFlight) {
    return "is not a number of requests, 1 to 10000000: write it as inflight=16384";
  }
  settings.courier.max_waiting = *count;
  return {};
}

struct Parameter {
  std::string_view name;
  std::string (*set)(std::string_view value, RedisSettings& settings);
};

constexpr Parameter kParameters[] = {
    {"user", set_user},
    {"password_file", set_password_file},
    {"stream", set_stream},
    {"shards", set_shards},
    {"timeout", set_timeout},
    {"patience", set_patience},
    {"inflight", set_in_flight},
    {"stream_length", set_stream_length},
    {"stream_memory", set_stream_memory},
};

const Parameter* find_parameter(std::string_view name) {
  const auto* found = std::find_if(std::begin(kParameters), std::end(kParameters),
                                   [&](const Parameter& known) { return known.name == name; });
  return found == std::end(kParameters) ? nullptr : found;
}

// A parameter has an equals sign, a path may have one too.
bool is_address(std::string_view word) {
  if (word.substr(0, 5) == "unix:" || word.substr(0, 1) == "/") return true;
  return word.find(':') != std::string_view::npos && word.find('=') == std::string_view::npos;
}

std::string add_address(std::string_view word, RedisSettings& settings) {
  RedisAddress address;
  if (auto fault = parse_redis_address(word, address); !fault.empty()) {
    return "it cannot use " + quoted(word) + ": " + fault;
  }
  if (std::find(settings.names.begin(), settings.names.end(), word) != settings.names.end()) {
    return "it has the address " + quoted(word) + " twice: remove one";
  }
  if (settings.names.size() == kMostRedisAddresses) {
    return "it takes at most " + std::to_string(kMostRedisAddresses) + " addresses";
  }
  settings.addresses.push_back(std::move(address));
  settings.names.emplace_back(word);
  return {};
}

std::string set_parameter(std::string_view word, RedisSettings& settings,
                          std::vector<const Parameter*>& seen) {
  const auto pair = name_and_value(word);
  const Parameter* parameter = pair ? find_parameter(pair->first) : nullptr;
  if (parameter == nullptr || pair->second.empty()) {
    return "it does not know " + quoted(word) +
           ": after the address it takes user=, password_file=, stream=, shards=, timeout=, "
           "patience=, inflight=, stream_length= and stream_memory=";
  }
  if (std::find(seen.begin(), seen.end(), parameter) != seen.end()) {
    return "it has " + quoted(parameter->name) + " twice: remove one";
  }
  seen.push_back(parameter);
  const std::string fault = parameter->set(pair->second, settings);
  return fault.empty() ? fault : quoted(pair->second) + ' ' + fault;
}

}  // namespace

std::string read_redis_settings(const std::vector<std::string_view>& words,
                                RedisSettings& settings) {
  if (words.empty()) return "it needs an address: write unix:/path or host:port";
  settings.courier.stream.clear();
  std::vector<const Parameter*> seen;
  for (const std::string_view word : words) {
    const bool address = settings.addresses.empty() || is_address(word);
    auto fault = address ? add_address(word, settings) : set_parameter(word, settings, seen);
    if (!fault.empty()) return fault;
  }
  const auto& courier = settings.courier;
  if (settings.names_patience && courier.patience > courier.timeout) {
    return "its patience is longer than its timeout, after which the connection ends: make it "
           "shorter";
  }
  settings.courier.patience = std::min(courier.patience, courier.timeout);
  if (settings.shards > 0 && !courier.stream.empty()) {
    return "it names one stream, and shards=, which are streams with names of their own: keep one "
           "of the two";
  }
  if (courier.stream.empty()) settings.courier.stream = kDefaultStream;
  return {};
}

std::string stream_of(const CourierSettings& courier, std::uint32_t shards, std::size_t worker) {
  return shards == 0 ? courier.stream : shard_stream(static_cast<std::uint32_t>(worker % shards));
}

}  // namespace weir
