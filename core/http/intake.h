// One request in, a decision out: the place where a wire form, the bounds, the media types and the
// answers meet. Both servers call it in the same two steps, and hold no rule of their own.
//
//   Intake intake;                                      // one a worker
//   if (auto answer = intake.screen(location, head)) …  // before the body is read
//   auto decision = intake.take(location, head, body, now);
//   if (decision.record.empty()) send(decision.answer);
//   else courier.submit(decision.record, …);            // and send decision.answer once it is kept
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/event/limits.h"
#include "core/event/timestamp.h"
#include "core/http/answer.h"
#include "core/http/cors.h"
#include "core/redis/courier.h"

namespace weir {

enum class Endpoint : std::uint8_t { track, crash, cli, health };

// The word after `weir` in a configuration: "track", "crash", "cli", "health".
std::optional<Endpoint> endpoint_from_word(std::string_view word);

// What a location of the server's configuration says. Read-only once requests come in.
struct Location {
  Endpoint endpoint = Endpoint::track;
  bool strict = false;  // refuse members that Weir does not know
  Limits limits;
  Cors cors;
};

// What the intake wants to know of a request besides its body. Absent headers are empty.
struct RequestHead {
  std::string_view method;
  std::string_view content_type;
  std::string_view content_encoding;
  std::string_view origin;
  std::optional<std::uint64_t> content_length;  // none: chunked
};

struct WireForm;

struct Decision {
  Answer answer;            // to send at once, or when the record is kept
  std::string_view record;  // empty: nothing to keep
};

// Counted since the worker started.
struct IntakeCounters {
  std::uint64_t accepted = 0;
  std::uint64_t rejected = 0;
  std::uint64_t unknown_fields = 0;
};

class Intake {
 public:
  Intake();
  ~Intake();

  // Decides what can be decided without the body: method (and preflights), media type, content
  // coding, announced length. None: read the body, at most location.limits.body bytes of it.
  std::optional<Answer> screen(const Location& location, const RequestHead& head);

  // The body turned out to be longer than location.limits.body.
  Answer body_too_large(const Location& location);

  // Decodes a whole body as it was sent. `now` is the time of receipt. Answer and record hold until
  // the next call.
  Decision take(const Location& location, const RequestHead& head, std::string_view body,
                Timestamp now);

  // GET /health: can an event be kept right now?
  Answer health(Courier::State redis);

  const IntakeCounters& counters() const;

 private:
  struct Scratch;

  Decision encode(const Location& location, const WireForm& form, Timestamp now);
  bool read_batch_sent_at(const WireForm& form, std::optional<Timestamp>& sent_at);

  std::unique_ptr<Scratch> scratch_;
};

}  // namespace weir
