// What the load generator sends: numbered requests, each the same whenever it is asked for, so that
// a retry repeats event_id and timestamp without a note of what was sent.
//
//   Traffic traffic({seed, salt, now});
//   Request request = traffic.request(17);
//   send(traffic.path(request), traffic.body(request, now));
//   if (traffic.matches(request, 200, answer)) …
//
// Of the requests half are single events, most others batches, some crash reports. Of the events
// some have a timestamp and some only their event_id, some are recordings, and one in about ninety
// is invalid: it has to be refused and to be nowhere.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir_chaos {

enum class Kind { single, batch, crashes };

struct Request {
  Kind kind = Kind::single;
  std::uint64_t number = 0;
  std::uint32_t events = 1;
};

struct Event {
  std::string id;
  std::uint64_t user = 0;
  std::int64_t millis = 0;
  bool has_timestamp = true;
  bool valid = true;
  bool recording = false;
};

// A number that looks random and is the same for the same words.
std::uint64_t mix(std::uint64_t seed, std::uint64_t a, std::uint64_t b = 0);

class Traffic {
 public:
  struct Options {
    std::uint64_t seed = 1;
    std::uint64_t salt = 0;       // makes ids of this run other ones than those of the last
    std::int64_t now_millis = 0;  // timestamps lie in the ten days before
    std::uint64_t users = 2000;
  };

  explicit Traffic(const Options& options) : options_(options) {}

  Request request(std::uint64_t number) const;
  Event event(const Request& request, std::uint32_t index) const;
  const char* path(const Request& request) const;

  // `now` goes into sent_at, which a client's retry does not repeat.
  std::string body(const Request& request, std::int64_t now_millis) const;

  // Whether an answer is the one that the request has to get.
  bool matches(const Request& request, int status, std::string_view answer) const;

 private:
  void append_event(std::string& to, const Event& event) const;
  void append_crash(std::string& to, const Event& event) const;

  Options options_;
};

}  // namespace weir_chaos
