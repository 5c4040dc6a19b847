// POST /v1/track: what a command-line tool did (row A3 of the product, source 001). It becomes an
// event without a user, named "cli_command"; the view telemetry_events shows it by its own names.
#include <string>

#include "core/event/form.h"
#include "core/event/members.h"

namespace weir {
namespace {

enum Place : std::size_t {
  kSessionId,
  kCommand,
  kSuccess,
  kTimestamp,
  kVersion,
  kExecutionTime,
  kErrorType,
  kPromptLength,
  kOutputFormat,
  kModelUsed,
  kCountry,
  kTimeZone,
  kEventId,
  kSentAt,
};

constexpr Place kStoredAsProperties[] = {kCommand,      kSuccess,      kExecutionTime, kErrorType,
                                         kPromptLength, kOutputFormat, kModelUsed};

// {"command":"icon","success":true,…}: the members as they were sent, those that were.
std::string properties(const CapturedEvent& event) {
  std::string json = "{";
  for (const Place place : kStoredAsProperties) {
    if (!event.members[place].given()) continue;
    if (json.size() > 1) json += ',';
    json.append("\"").append(cli_form().names[place]).append("\":");
    json.append(event.members[place].raw);
  }
  return json += '}';
}

Rejection encode(const CapturedEvent& event, const FormContext& context, RecordWriter& record) {
  Members members(event, cli_form(), context);
  const auto session_id = members.uuid(kSessionId, Required::yes);
  members.name(kCommand, Required::yes);
  members.boolean(kSuccess);
  const auto identity = members.identity({kEventId});
  const auto times = members.times(kTimestamp, identity, Required::yes);
  const auto version = members.name(kVersion, Required::yes);
  members.whole_number(kExecutionTime);
  members.name(kErrorType, Required::no);
  members.whole_number(kPromptLength);
  members.name(kOutputFormat, Required::no);
  members.name(kModelUsed, Required::no);
  const auto country = members.country(kCountry, kTimeZone);
  if (members.rejected()) return members.rejection();

  record.begin_row();
  record.uuid(identity.id);
  record.text(context.tenant);
  record.null();  // user_id
  record.text(format_uuid(*session_id));
  record.text("cli_command");
  record.text(version);
  record.null();  // platform
  put_text(record, country ? country->view() : std::string_view());
  record.json(properties(event));
  record.time(times.event);
  record.time(times.client);
  record.time(context.now);
  record.end_row();
  return {};
}

}  // namespace

const WireForm& cli_form() {
  static const WireForm form{RecordKind::events,
                             {"session_id", "command", "success", "timestamp", "version",
                              "execution_time", "error_type", "prompt_length", "output_format",
                              "model_used", "country", "time_zone", "event_id", "sent_at"},
                             kSentAt,
                             encode};
  return form;
}

}  // namespace weir
