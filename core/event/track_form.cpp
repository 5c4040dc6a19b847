// POST /track: product events (row A1 of the product, source 004).
#include "core/event/form.h"
#include "core/event/members.h"

namespace weir {
namespace {

enum Place : std::size_t {
  kUserId,
  kEvent,
  kTimestamp,
  kEventId,
  kSessionId,
  kProperties,
  kAppVersion,
  kPlatform,
  kCountry,
  kTimeZone,
  kSentAt,
};

Rejection encode(const CapturedEvent& event, const FormContext& context, RecordWriter& record) {
  Members members(event, track_form(), context);
  const auto user_id = members.name(kUserId, Required::yes);
  const auto name = members.name(kEvent, Required::yes);
  const auto identity = members.identity({kEventId});
  const auto times = members.times(kTimestamp, identity, Required::no);
  const auto session_id = members.name(kSessionId, Required::no);
  const auto properties = members.object(kProperties);
  const auto app_version = members.name(kAppVersion, Required::no);
  const auto platform = members.name(kPlatform, Required::no);
  const auto country = members.country(kCountry, kTimeZone);
  if (members.rejected()) return members.rejection();

  record.begin_row();
  record.uuid(identity.id);
  record.text(context.tenant);
  record.text(user_id);
  put_text(record, session_id);
  record.text(name);
  put_text(record, app_version);
  put_text(record, platform);
  put_text(record, country ? country->view() : std::string_view());
  put_json(record, properties);
  record.time(times.event);
  record.time(times.client);
  record.time(context.now);
  record.end_row();
  return {};
}

}  // namespace

const WireForm& track_form() {
  static const WireForm form{
      RecordKind::events,
      {"user_id", "event", "timestamp", "event_id", "session_id", "properties", "app_version",
       "platform", "country", "time_zone", "sent_at"},
      kSentAt,
      encode};
  return form;
}

}  // namespace weir
