#include "ctl/demo/visit.h"

namespace weir::demo {
namespace {

std::uint64_t word(int number) { return static_cast<std::uint64_t>(number); }

}  // namespace

Visit::Visit(const World& world, const Person& person, Day day, int number, Sink& sink)
    : world_(world),
      person_(person),
      day_(day),
      number_(number),
      sink_(sink),
      chance_({world.options().seed, person.words(), word(day), kOneVisit, word(number)}),
      ids_({world.options().seed, person.words(), word(day), kIds, word(number)}),
      at_(at_clock(day, hour_by(*person.system->rhythm, chance_), *person.country)),
      session_id_(ids_.uuid()) {
  const Releases* releases = world.releases(person.system->id);
  if (releases == nullptr) return;
  const std::int64_t began = person.arrived() * kMillisecondsPerDay;
  release_ = releases->used_by(world.options().seed ^ kSpeed, person.words(), began, at_);
}

double Visit::progress() const {
  return static_cast<double>(day_ - world_.options().first()) / world_.options().days;
}

void Visit::pass(double seconds) {
  at_ += static_cast<std::int64_t>(1000 * chance_.around(seconds, 0.5)) + 1;
}

void Visit::track(const char* event, const Object& properties) {
  Object all = identified("event_id");
  all.text("user_id", person_.user_id).text("event", event).text("session_id", session_id_);
  add_version(all);
  const bool is_program = world_.releases(person_.system->id) != nullptr;
  all.text("platform", is_program ? person_.platform : "web");
  all.text("country", person_.country->code);
  if (!properties.is_empty()) all.object("properties", properties);
  give(Door::track, all);
}

void Visit::crash(const Failure& failure, const char* os_version, const Object& context) {
  Object all = identified("crash_id");
  all.text("user_id", person_.user_id).text("crash_type", failure.type);
  all.text("error_message", failure.message).text("stack_trace", failure.trace);
  add_version(all);
  all.text("os_version", os_version).object("context", context);
  give(Door::crash, all);
}

void Visit::command(const Object& command) {
  Object all = identified("event_id");
  all.text("session_id", session_id_)
      .text("version", world_.releases(SystemId::command_line)->version(release_));
  all.members_of(command);
  give(Door::command, all);
}

Object Visit::identified(const char* id) {
  Object all;
  all.text(id, ids_.uuid()).whole("timestamp", at_);
  return all;
}

void Visit::add_version(Object& event) {
  const Releases* releases = world_.releases(person_.system->id);
  if (releases != nullptr) event.text("app_version", releases->version(release_));
}

void Visit::give(Door door, const Object& event) {
  const Options& options = world_.options();
  const bool is_within = at_ >= options.first() * kMillisecondsPerDay &&
                         at_ < (options.until + 1) * kMillisecondsPerDay && at_ < options.end;
  if (is_within && !is_over_) is_over_ = !sink_.take({door, at_, event.json()});
}

}  // namespace weir::demo
