// One visit of a person to a system: a clock that runs, and events at its times.
//
//   visit.track("app_opened");
//   visit.pass(40);                                   // about 40 seconds
//   visit.track("recording_started", properties);
//
// Ids come from the words of the visit and count on with each event.
#pragma once

#include <cstdint>
#include <string>

#include "ctl/demo/event.h"
#include "ctl/demo/object.h"
#include "ctl/demo/random.h"
#include "ctl/demo/world.h"

namespace weir::demo {

// For what of a person's day numbers are drawn.
enum Purpose : std::uint64_t { kVisits = 101, kOneVisit, kIds, kSpeed };

struct Failure {
  const char *type, *message, *trace;
};

class Visit {
 public:
  Visit(const World& world, const Person& person, Day day, int number, Sink& sink);

  Random& chance() { return chance_; }
  const Person& person() const { return person_; }
  bool is_first() const { return number_ == 0 && day_ == person_.arrived(); }
  int age() const { return day_ - person_.arrived(); }  // in days
  double progress() const;                              // of the demo's days, 0 to 1
  std::size_t release() const { return release_; }
  // The sink wanted no more.
  bool is_over() const { return is_over_; }

  void pass(double seconds);
  void track(const char* event, const Object& properties = {});
  void crash(const Failure& failure, const char* os_version, const Object& context);
  // `command` has what a command is about, without its identity, time and version.
  void command(const Object& command);

 private:
  Object identified(const char* id);
  void add_version(Object& event);
  void give(Door door, const Object& event);

  const World& world_;
  const Person& person_;
  Day day_;
  int number_;
  Sink& sink_;
  Random chance_, ids_;
  std::int64_t at_;
  std::string session_id_;
  std::size_t release_ = 0;
  bool is_over_ = false;
};

}  // namespace weir::demo
