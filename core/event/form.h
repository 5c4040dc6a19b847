// A wire form: which members an event has on the wire, and how they become a row of a record. One
// form for each kind of location: /track (track_form.cpp), /crash (crash_form.cpp) and the CLI's
// /v1/track (cli_form.cpp). A form decides; capturing the members came before
// (core/json/capture.h).
//
//   const WireForm& form = track_form();
//   capture.read(body, form.names, limits);
//   for (…) rejection = form.encode(event, context, record);
#pragma once

#include <optional>
#include <string_view>

#include "core/event/limits.h"
#include "core/event/reason.h"
#include "core/event/timestamp.h"
#include "core/event/uuid.h"
#include "core/json/capture.h"
#include "core/record/record.h"

namespace weir {

// From the first moment of `begin` to the last before `end`.
struct TimeSpan {
  Timestamp begin;
  Timestamp end;
};

// What a form needs besides the event, the same for all events of a request.
struct FormContext {
  const Limits& limits;
  bool strict;  // refuse members that the form does not know
  std::string_view tenant;
  Timestamp now;                     // of receipt
  std::optional<Timestamp> sent_at;  // the batch's own, for events that have none
  UuidSource& ids;
  TimeSpan years{start_of_year(limits.first_year), start_of_year(limits.last_year + 1)};
};

struct WireForm {
  RecordKind kind;
  MemberNames names;
  std::size_t sent_at;  // the place of "sent_at" among the names

  // Appends one row to `record`, or appends nothing and says why. `index` of the rejection is left
  // to the caller.
  Rejection (*encode)(const CapturedEvent& event, const FormContext& context, RecordWriter& record);
};

const WireForm& track_form();
const WireForm& crash_form();
const WireForm& cli_form();

}  // namespace weir
