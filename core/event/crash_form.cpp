// POST /crash: crash reports (row A2 of the product, source 004). Always taken, whatever a user
// chose for usage events; that choice is made in the client.
#include "core/event/fingerprint.h"
#include "core/event/form.h"
#include "core/event/members.h"

namespace weir {
namespace {

enum Place : std::size_t {
  kUserId,
  kAppVersion,
  kOsVersion,
  kCrashType,
  kErrorMessage,
  kStackTrace,
  kContext,
  kTimestamp,
  kCrashId,
  kEventId,
  kSentAt,
};

Rejection encode(const CapturedEvent& event, const FormContext& context, RecordWriter& record) {
  Members members(event, crash_form(), context);
  const auto user_id = members.name(kUserId, Required::yes);
  const auto app_version = members.name(kAppVersion, Required::yes);
  const auto os_version = members.name(kOsVersion, Required::no);
  const auto crash_type = members.name(kCrashType, Required::yes);
  const auto message = members.text(kErrorMessage, Required::yes, context.limits.string);
  const auto stack = members.text(kStackTrace, Required::no, context.limits.stack_trace);
  const auto details = members.object(kContext);
  const auto identity = members.identity({kCrashId, kEventId});
  const auto times = members.times(kTimestamp, identity, Required::no);
  if (members.rejected()) return members.rejection();

  record.begin_row();
  record.uuid(identity.id);
  record.text(context.tenant);
  record.text(user_id);
  record.text(app_version);
  put_text(record, os_version);
  record.text(crash_type);
  record.text(message);
  put_text(record, stack);
  record.text(fingerprint(crash_type, message, stack));
  put_json(record, details);
  record.time(times.event);
  record.time(times.client);
  record.time(context.now);
  record.end_row();
  return {};
}

}  // namespace

const WireForm& crash_form() {
  static const WireForm form{
      RecordKind::crashes,
      {"user_id", "app_version", "os_version", "crash_type", "error_message", "stack_trace",
       "context", "timestamp", "crash_id", "event_id", "sent_at"},
      kSentAt,
      encode};
  return form;
}

}  // namespace weir
