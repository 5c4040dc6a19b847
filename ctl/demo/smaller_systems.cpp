// The three others: a command line that draws icons (source 001), the adoption ledger of a platform
// (002), and a shop's admin pages, bot and API with their features (000).
#include "ctl/demo/visit.h"

namespace weir::demo {
namespace {

constexpr Choice kCommands[] = {{"icon", 62}, {"variation", 18}, {"upscale", 11}, {"config", 9}};
constexpr Choice kOutputs[] = {{"png", 64}, {"svg", 24}, {"webp", 12}};
constexpr Choice kModels[] = {{"dall-e-3", 72}, {"dall-e-2", 28}};
constexpr Choice kCliErrors[] = {
    {"rate_limit", 34}, {"invalid_key", 26}, {"network", 24}, {"content_policy", 16}};

struct Milestone {
  const char *event, *area, *subject;
  double weight;
};
constexpr Milestone kMilestones[] = {
    {"operation_started", "operations", "operation_run", 58},
    {"stored_report_created", "reporting", "stored_report", 20},
    {"support_diagnostics_opened", "support", "diagnostic_bundle", 8},
    {"review_pack_generation_requested", "reviews", "review_pack", 14}};

struct Feature {
  const char *name, *source, *path;
  double weight;
};
constexpr Feature kFeatures[] = {
    {"pos", "admin", "/pos", 40},          {"purchases", "admin", "/purchases", 16},
    {"stock", "admin", "/stock", 14},      {"campaigns", "admin", "/campaigns", 6},
    {"plugins", "admin", "/plugins", 3},   {"orders", "bot", "/bot/orders", 12},
    {"catalog", "bot", "/bot/catalog", 6}, {"invoicing", "api", "/api/arca", 8}};

void run_command(Visit& visit) {
  Random& chance = visit.chance();
  const char* name = chance.one_of(kCommands).name;
  const bool draws = std::string_view(name) != "config";
  const bool success = chance.happens(draws ? 0.93 : 0.99);
  Object command;
  command.text("command", name).truth("success", success);
  command.whole("execution_time", static_cast<std::int64_t>(draws ? chance.around(5200, 0.5)
                                                                  : chance.around(90, 0.4)));
  if (draws) command.whole("prompt_length", static_cast<std::int64_t>(chance.around(48, 0.6)) + 3);
  if (!success) command.text("error_type", chance.one_of(kCliErrors).name);
  if (draws && success) {
    command.text("output_format", chance.one_of(kOutputs).name);
    command.text("model_used", chance.one_of(kModels).name);
  }
  visit.command(command);
  visit.pass(60);
}

}  // namespace

void visit_command_line(Visit& visit) {
  for (int n = 1 + visit.chance().count(2.5); n > 0; --n) run_command(visit);
}

void visit_ledger(Visit& visit) {
  Random& chance = visit.chance();
  const auto milestone = [&](const Milestone& reached) {
    Object properties;
    properties.text("workspace_id", visit.person().workspace).text("feature_area", reached.area);
    visit.track(reached.event, properties.text("subject_type", reached.subject));
    visit.pass(400);
  };
  if (visit.age() < 5 && chance.happens(0.6)) {
    milestone({"onboarding_checkpoint_completed", "onboarding", "onboarding_session", 0});
  }
  for (int n = 1 + chance.count(1.2); n > 0; --n) milestone(chance.one_of(kMilestones));
}

void visit_features(Visit& visit) {
  Random& chance = visit.chance();
  for (int n = 2 + chance.count(4); n > 0; --n) {
    const Feature& feature = chance.one_of(kFeatures);
    const bool is_seen = std::string_view(feature.source) == "admin" && chance.happens(0.7);
    Object properties;
    properties.text("feature", feature.name).text("action", is_seen ? "view" : "execute");
    if (!is_seen) {
      properties.whole("response_time_ms", static_cast<std::int64_t>(chance.around(180, 0.5)));
    }
    visit.track("feature_usage",
                properties.text("pathname", feature.path).text("source", feature.source));
    visit.pass(120);
  }
}

}  // namespace weir::demo
