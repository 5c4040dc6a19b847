// Stories (source 004): somebody opens it, dictates, and gets a text. Its crashes are what figures
// of stability are about; trains.h tells which release has which.
#include "ctl/demo/trains.h"
#include "ctl/demo/visit.h"

namespace weir::demo {
namespace {

constexpr double kCostPerMinute = 0.006;
constexpr double kCrashesInPowerUse = 0.6;  // who uses it daily knows its weak points

struct Group {
  Failure failure;
  double rate[8];  // of visits, by release
};

constexpr Group kGroups[] = {
    {{"renderer_crash", "Cannot read properties of null (reading 'duration')",
      "TypeError: Cannot read properties of null (reading 'duration')\n"
      "    at Waveform.draw (app://stories/dist/waveform.js:214:17)\n"
      "    at Recorder.render (app://stories/dist/recorder.js:88:9)"},
     {0, .009, .008, .008, .006, .006, .006, .006}},
    {{"main_crash", "read ECONNRESET",
      "Error: read ECONNRESET\n"
      "    at Uploader.flush (app://stories/main/uploader.js:61:13)\n"
      "    at Session.close (app://stories/main/session.js:140:5)"},
     {0, .007, .007, .006, .006, .005, .005, .005}},
    {{"uncaught_error", "No microphone was found",
      "NotFoundError: No microphone was found\n"
      "    at Devices.pick (app://stories/dist/devices.js:37:11)\n"
      "    at Recorder.start (app://stories/dist/recorder.js:41:20)"},
     {0, .008, .008, .007, 0, 0, 0, .01}},
    {{"renderer_crash", "Maximum call stack size exceeded",
      "RangeError: Maximum call stack size exceeded\n"
      "    at Dictionary.expand (app://stories/dist/dictionary.js:19:22)\n"
      "    at Editor.paste (app://stories/dist/editor.js:302:7)"},
     {0, 0, .005, .005, .004, .004, .004, .004}},
    {{"main_crash", "Invalid array length",
      "RangeError: Invalid array length\n"
      "    at Encoder.grow (app://stories/main/encoder.js:77:15)\n"
      "    at Encoder.push (app://stories/main/encoder.js:53:10)"},
     {0, 0, 0, 0, 0, .11, 0, 0}},
};

constexpr Choice kMacVersions[] = {{"macOS 14.6", 4}, {"macOS 15.1", 5}, {"macOS 13.7", 2}};
constexpr Choice kWindowsVersions[] = {{"Windows 11", 7}, {"Windows 10", 3}};
constexpr Choice kErrors[] = {
    {"network", 40}, {"api_timeout", 28}, {"rate_limited", 18}, {"audio_too_short", 14}};

// For two or three days the service that writes the texts was down half of the time.
bool is_outage(const Visit& visit) { return visit.progress() > 0.52 && visit.progress() < 0.545; }

void crash_perhaps(Visit& visit) {
  Random& chance = visit.chance();
  const bool is_mac = std::string_view(visit.person().platform) == "macOS";
  const char* os = is_mac ? chance.one_of(kMacVersions).name : chance.one_of(kWindowsVersions).name;
  const double often = visit.person().habit == Habit::power ? kCrashesInPowerUse : 1;
  for (const Group& group : kGroups) {
    if (!chance.happens(group.rate[visit.release()] * often)) continue;
    Object context;
    context.whole("memory_mb", chance.whole(180, 1400)).text("last_action", "recording_started");
    visit.crash(group.failure, os, context);
    visit.pass(25);
    visit.track("app_opened", Object().number("startup_time_seconds", chance.around(2.4, 0.4), 2));
    return;
  }
}

void transcribe(Visit& visit, double seconds) {
  Random& chance = visit.chance();
  for (int attempt = 0; attempt < 3; ++attempt) {
    const double processing = chance.around(1.2 + seconds * 0.03, 0.35);
    visit.pass(processing);
    Object properties;
    properties.number("processing_time_seconds", processing, 2);
    if (!chance.happens(is_outage(visit) ? 0.5 : 0.035)) {
      properties.truth("success", true);
      return visit.track("transcription_completed", properties);
    }
    const char* error = is_outage(visit) ? "service_unavailable" : chance.one_of(kErrors).name;
    visit.track("transcription_failed",
                properties.truth("success", false).text("error_type", error));
    if (!chance.happens(0.7)) return;
    visit.pass(6);
    visit.track("retry_attempted", Object().text("error_type", error));
  }
}

void record(Visit& visit, bool by_widget) {
  Random& chance = visit.chance();
  const char* source = by_widget ? "widget" : "main_window";
  visit.pass(30);
  visit.track("recording_started", Object().text("source", source));
  if (chance.happens(0.04)) return;  // thought better of it
  const double seconds = chance.around(75, 0.9);
  visit.pass(seconds);
  Object done;
  done.number("audio_duration_seconds", seconds, 1).text("source", source).truth("success", true);
  done.number("estimated_cost_usd", seconds / 60 * kCostPerMinute, 6);
  visit.track("recording_completed", done);
  transcribe(visit, seconds);
}

void look_around(Visit& visit) {
  Random& chance = visit.chance();
  if (chance.happens(visit.is_first() ? 0.2 : 0.015)) {
    const bool enabled = chance.happens(0.8);
    visit.track("feature_toggled",
                Object().text("feature", "auto_paste").truth("enabled", enabled));
  }
  if (chance.happens(0.06))
    visit.track("feature_toggled", Object().text("feature", "dictionary").truth("enabled", true));
  if (visit.age() < 14 || !chance.happens(0.025)) return;
  // Those who are there daily like it; while it crashes, nobody does.
  const double liking =
      (visit.person().habit == Habit::power ? 9.2 : 8.2) - (visit.release() == k270 ? 2.5 : 0);
  const double score = liking + 2.2 * (chance.share() + chance.share() + chance.share() - 1.6);
  visit.track("nps_answered", Object().whole("score", score < 0    ? 0
                                                      : score > 10 ? 10
                                                                   : static_cast<int>(score)));
}

}  // namespace

void visit_stories(Visit& visit) {
  Random& chance = visit.chance();
  visit.track("app_opened", Object().number("startup_time_seconds", chance.around(1.9, 0.4), 2));
  const bool likes_widget = visit.person().number % 5 < 2;
  const int recordings = chance.count(visit.person().habit == Habit::power ? 2.6 : 1.5);
  for (int n = 0; n < recordings; ++n) record(visit, chance.happens(likes_widget ? 0.85 : 0.12));
  look_around(visit);
  crash_perhaps(visit);
}

}  // namespace weir::demo
