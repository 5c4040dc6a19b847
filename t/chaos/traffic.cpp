#include "t/chaos/traffic.h"

#include <cinttypes>
#include <cstdio>

namespace weir_chaos {

namespace {

constexpr std::uint64_t kTenDays = 10ull * 24 * 3600 * 1000;

// What of the seed decides what; the numbers only have to differ.
enum Purpose : std::uint64_t { kShape = 1, kIdentity, kIdentityEnd, kNature, kWhen };

std::string uuid(std::uint64_t high, std::uint64_t low, unsigned version) {
  char text[37];
  std::snprintf(text, sizeof text, "%08x-%04x-%x%03x-%04x-%012" PRIx64,
                static_cast<unsigned>(high >> 32), static_cast<unsigned>(high >> 16 & 0xffff),
                version, static_cast<unsigned>(high & 0xfff),
                static_cast<unsigned>(0x8000 | (low >> 48 & 0x3fff)), low & 0xffffffffffff);
  return text;
}

void append_number(std::string& to, std::int64_t number) { to += std::to_string(number); }

}  // namespace

// The finaliser of splitmix64, https://prng.di.unimi.it/splitmix64.c
std::uint64_t mix(std::uint64_t seed, std::uint64_t a, std::uint64_t b) {
  std::uint64_t z = seed + a * 0x9e3779b97f4a7c15 + b * 0xd1b54a32d192ed03;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

Request Traffic::request(std::uint64_t number) const {
  const std::uint64_t shape = mix(options_.seed, kShape, number);
  if (shape % 100 < 50) return {Kind::single, number, 1};
  if (shape % 100 < 95)
    return {Kind::batch, number, 2 + static_cast<std::uint32_t>(shape >> 32) % 39};
  return {Kind::crashes, number, 1 + static_cast<std::uint32_t>(shape >> 32) % 3};
}

Event Traffic::event(const Request& request, std::uint32_t index) const {
  const std::uint64_t word = request.number << 12 | index;
  const std::uint64_t nature = mix(options_.seed, kNature, word);
  const std::uint64_t high = mix(options_.seed ^ options_.salt, kIdentity, word);
  const std::uint64_t low = mix(options_.seed ^ options_.salt, kIdentityEnd, word);
  Event event;
  event.user = nature % options_.users;
  event.millis =
      options_.now_millis - static_cast<std::int64_t>(mix(options_.seed, kWhen, word) % kTenDays);
  event.has_timestamp = nature >> 16 & 3;
  event.valid = request.kind == Kind::crashes || (nature >> 24) % 89 != 0;
  event.recording = (nature >> 40) % 7 == 0;
  const bool version_7 = nature >> 20 & 1;
  const std::uint64_t millis = static_cast<std::uint64_t>(event.millis);
  event.id = version_7 ? uuid(millis << 16 | (high & 0xfff), low, 7) : uuid(high, low, 4);
  return event;
}

const char* Traffic::path(const Request& request) const {
  return request.kind == Kind::crashes ? "/crash" : "/track";
}

void Traffic::append_event(std::string& to, const Event& event) const {
  to += "{\"event_id\":\"" + event.id + "\",\"event\":\"";
  to += event.recording ? "recording_completed" : "app_opened";
  if (event.valid) (to += "\",\"user_id\":\"user-") += std::to_string(event.user);
  to += '"';
  if (event.has_timestamp) append_number(to += ",\"timestamp\":", event.millis);
  if (event.recording) {
    append_number(to += ",\"properties\":{\"audio_duration_seconds\":", event.millis % 600);
    append_number(to += ",\"estimated_cost_usd\":0.", 100 + event.millis % 900);
  } else {
    append_number(to += ",\"properties\":{\"text\":\"caf\\u00e9\",\"n\":", event.millis % 1000);
  }
  to += "}}";
}

void Traffic::append_crash(std::string& to, const Event& event) const {
  to += "{\"crash_id\":\"" + event.id + "\",\"user_id\":\"user-" + std::to_string(event.user);
  to += "\",\"app_version\":\"1.0\",\"crash_type\":\"main_crash\",\"error_message\":\"boom\"";
  if (event.has_timestamp) append_number(to += ",\"timestamp\":", event.millis);
  to += '}';
}

std::string Traffic::body(const Request& request, std::int64_t now_millis) const {
  std::string text;
  if (request.kind == Kind::single) {
    append_event(text, event(request, 0));
    return text;
  }
  text.reserve(request.events * 220 + 64);
  text = "{\"events\":[";
  for (std::uint32_t index = 0; index < request.events; ++index) {
    if (index) text += ',';
    const Event one = event(request, index);
    request.kind == Kind::crashes ? append_crash(text, one) : append_event(text, one);
  }
  text += ']';
  if (request.number % 3 == 0) append_number(text += ",\"sent_at\":", now_millis);
  text += '}';
  return text;
}

bool Traffic::matches(const Request& request, int status, std::string_view answer) const {
  std::string faults;
  std::uint32_t accepted = 0;
  for (std::uint32_t index = 0; index < request.events; ++index) {
    if (event(request, index).valid) {
      ++accepted;
      continue;
    }
    if (!faults.empty()) faults += ',';
    faults += "{\"index\":" + std::to_string(index);
    faults += ",\"field\":\"user_id\",\"reason\":\"missing\"}";
  }
  if (accepted == 0)
    return status == 400 && answer == "{\"error\":\"Invalid data\",\"details\":[" + faults + "]}";
  std::string wanted = "{\"status\":\"ok\",\"accepted\":" + std::to_string(accepted);
  if (!faults.empty()) wanted += ",\"rejected\":[" + faults + "]";
  return status == 200 && answer == wanted + "}";
}

}  // namespace weir_chaos
