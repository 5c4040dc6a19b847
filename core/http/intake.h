// One request in, a decision out: the place where a wire form, the limits, the media types and the
// answers meet. Both servers call it in the same two steps, and hold no rule of their own.
//
//   Intake intake(metrics);   // one a worker
//   if (auto answer = intake.screen(location, head)) …   // before the body is read
//   auto decision = intake.take(location, head, body, now);
//   if (decision.record.empty()) send(decision.answer);
//   else courier.submit(decision.record, …);   // send decision.answer once it is kept, or else
//                                              // Intake::unavailable(location, head)
//   intake.forget();                           // so that no memory stays of a huge one
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/event/timestamp.h"
#include "core/http/answer.h"
#include "core/http/location.h"
#include "core/metrics/metrics.h"

namespace weir {

// What the intake wants to know of a request besides its body. Absent headers are empty.
struct RequestHead {
  std::string_view method;
  std::string_view content_type;
  std::string_view content_encoding;
  std::string_view origin;
  std::string_view access_control_request_method;
  std::optional<std::uint64_t> content_length;  // none: chunked
};

struct FormContext;
struct WireForm;

struct Decision {
  Answer answer;            // to send at once, or when the record is kept
  std::string_view record;  // empty: nothing to keep
};

class Intake {
 public:
  // Counts events, their faults and bytes in `metrics`, which outlives it.
  explicit Intake(Metrics& metrics);
  ~Intake();

  // Decides what can be decided without the body: method (and preflights), media type, content
  // coding, announced length. None: read the body, at most location.limits.body bytes. Where
  // no events are taken: answer with health_answer() or render_metrics().
  std::optional<Answer> screen(const Location& location, const RequestHead& head);

  // The body turned out to be longer than location.limits.body.
  Answer body_too_large(const Location& location, const RequestHead& head);

  // Decodes a whole body as it was sent. `now` is the time of receipt. The answer's body and the
  // record hold until the next call.
  Decision take(const Location& location, const RequestHead& head, std::string_view body,
                Timestamp now);

  // Where it has grown beyond what small requests need: gives back what decoding took. The decision
  // holds on. For servers that let a request wait with an intake of its own.
  void rest() noexcept;

  // The same, and the decision is gone: once it is kept and answered, or copied. While large ones
  // keep coming it holds on to 3 MiB at most, until 32 requests in a row had no need for it.
  void forget() noexcept;

  // The same, but it holds on to nothing large. For servers with many intakes, of which one that is
  // not taken again would keep its memory for good.
  void release() noexcept;
  std::size_t memory() const;  // bytes

  // Redis did not take the record, or was not there to take it.
  static Answer unavailable(const Location& location, const RequestHead& head);

 private:
  struct Scratch;

  std::optional<Answer> refuse_head(const Location& location, const RequestHead& head);
  Decision decide(const Location& location, std::string_view content_encoding,
                  std::string_view body, Timestamp now);
  Decision encode(const Location& location, const WireForm& form, Timestamp now);
  bool read_envelope(const WireForm& form, FormContext& context);
  bool encode_rows(const WireForm& form, const FormContext& context);
  void count_rejections();
  bool is_small() const;
  bool may_keep() noexcept;
  void let_go() noexcept;
  void let_all_go() noexcept;

  std::unique_ptr<Scratch> scratch_;
  Metrics& metrics_;
};

}  // namespace weir
