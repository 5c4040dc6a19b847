// weirctl rollup: looks after what the analytics read instead of rows. docs/rollups.md tells when.
#include <algorithm>
#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <thread>

#include <CLI/CLI.hpp>

#include "ctl/command.h"
#include "ctl/database.h"
#include "ctl/progress.h"
#include "ctl/rebuilder.h"
#include "ctl/roll_ups.h"
#include "ctl/terminal.h"
#include "pg/connection.h"

namespace weir::ctl {
namespace {

constexpr std::size_t kShown = 20;  // differences, by name
constexpr std::chrono::milliseconds kBusyPause{200};

struct Options {
  std::string postgres;
  std::string tenant;
  std::string add, drop;  // a zone
  bool forget = false;
  int sessions = 2;
};

pg::Param tenant_of(const Options& options) {
  return options.tenant.empty() ? pg::Param() : pg::Param(options.tenant);
}

std::string shown(const std::string& text) { return terminal_text(text, 200); }

// A name that is misspelled has nothing that could be wrong. Another value: it says why it ends.
std::optional<int> look_for_tenant(RollUps& roll_ups, const Options& options) {
  if (options.tenant.empty()) return std::nullopt;
  std::string error;
  const auto is_known = roll_ups.is_known(options.tenant, error);
  if (!is_known) return fail(error);
  if (*is_known) return std::nullopt;
  fail("there is no tenant " + shown(options.tenant) +
       ", with rows or roll-ups: `SELECT weir.tenants_with_rows()` lists those with rows; without "
       "--tenant all are meant");
  return kMisused;
}

// Looking --------------------------------------------------------------------------------------

int status(const Options& options) {
  std::string error;
  auto database = connect(options.postgres, error);
  if (!database) return fail(error);
  RollUps roll_ups(*database);
  const auto backlog = roll_ups.backlog(error);
  const auto zones = backlog ? roll_ups.zones(error) : std::nullopt;
  if (!zones) return fail(error);
  if (backlog->days == 0) {
    std::cout << "everything that is stored is counted\n";
  } else {
    std::cout << backlog->days
              << (backlog->days == 1 ? " day of a tenant is to be built"
                                     : " days of tenants are to be built");
    std::cout << (backlog->oldest == "-infinity" ? ", of them those of a rebuild\n"
                                                 : ", marked since " + backlog->oldest + "\n");
  }
  if (backlog->failing > 0) {
    std::cout << backlog->failing << " of them failed and are tried again, less and less often: "
              << "weirctl rollup refresh tries them at once and says why\n";
  }
  for (const Zone& zone : *zones) {
    std::cout << "zone " << shown(zone.zone) << " of " << shown(zone.tenant)
              << (zone.is_ready ? "" : ", still being built") << "\n";
  }
  std::cout << std::flush;
  return kDone;
}

void tell(const Part& part, const Difference& difference) {
  const std::string kept = shown(difference.kept), counted = shown(difference.counted);
  std::cout << "differs: " << difference.part << " " << shown(part.tenant);
  if (!part.zone.empty()) std::cout << " " << part.zone;
  if (!part.day.empty()) std::cout << " " << part.day;
  std::cout << " " << shown(difference.subject) << " " << shown(difference.value) << ": kept "
            << kept << ", by the rows " << counted
            << (kept == counted ? ": what differs is not shown" : "") << "\n";
}

bool tell_left_out(RollUps& roll_ups, const pg::Param& tenant, std::string& error) {
  const auto found = roll_ups.left_out(tenant, error);
  if (!found) return false;
  for (const LeftOut& left_out : *found) {
    std::cout << "left out: " << left_out.rows << " rows of " << shown(left_out.tenant)
              << ", from before the year 1 or after 9999\n";
  }
  return true;
}

struct Verdict {
  std::size_t differences = 0, marked = 0, thinned = 0;
};

void judge(const Part& part, const std::vector<Difference>& found, Progress& progress,
           Verdict& verdict) {
  for (const Difference& difference : found) {
    if (difference.part == "marked") {
      ++verdict.marked;
    } else if (difference.part == "thinned") {
      ++verdict.thinned;
    } else if (++verdict.differences <= kShown) {
      progress.clear();
      tell(part, difference);
    }
  }
}

int conclude(const Verdict& verdict, std::size_t parts) {
  if (verdict.marked > 0)
    std::cout << verdict.marked << " parts not compared: they are still to be built\n";
  if (verdict.thinned > 0)
    std::cout << verdict.thinned << " parts not compared: rows of theirs are gone\n";
  std::cout << std::flush;
  if (verdict.differences > 0) {
    return fail(std::to_string(verdict.differences) +
                " differences between rows and roll-ups: `weirctl rollup rebuild` makes them anew");
  }
  std::cout << "the roll-ups are what the rows say: " << parts << " parts compared" << std::endl;
  return kDone;
}

int verify(const Options& options) {
  std::string error;
  auto database = connect(options.postgres, error);
  if (!database) return fail(error);
  RollUps roll_ups(*database);
  if (const auto over = look_for_tenant(roll_ups, options)) return *over;
  const auto parts = roll_ups.parts(tenant_of(options), error);
  if (!parts) return fail(error);
  Verdict verdict;
  {
    Progress progress("comparing", parts->size());
    for (const Part& part : *parts) {
      const auto found = roll_ups.verify(part, error);
      if (!found) return fail(error);
      judge(part, *found, progress, verdict);
      progress.step();
    }
  }
  if (!tell_left_out(roll_ups, tenant_of(options), error)) return fail(error);
  return conclude(verdict, parts->size() - verdict.marked - verdict.thinned);
}

// Building -------------------------------------------------------------------------------------

void tell(const Day& day, const std::string& trouble) {
  std::cout << "failed: " << shown(day.tenant) << (day.day.empty() ? "" : " " + day.day) << ": "
            << shown(trouble) << std::endl;
}

struct Done {
  std::size_t built = 0, failed = 0;
};

std::optional<Done> build_marked(RollUps& roll_ups, const pg::Param& tenant, std::string& error) {
  const auto marked = roll_ups.marked(tenant, error);
  if (!marked) return std::nullopt;
  Done done;
  Progress progress("building", static_cast<std::size_t>(marked->days));
  for (;;) {
    const auto step = roll_ups.refresh(tenant, *marked, error);
    if (!step) return std::nullopt;
    if (step->state == "idle") return done;
    if (step->state == "busy") {
      std::this_thread::sleep_for(kBusyPause);
      continue;
    }
    const auto left = roll_ups.still_marked(tenant, *marked, error);
    if (!left) return std::nullopt;
    progress.step_to(static_cast<std::size_t>(*left));
    ++(step->state == "built" ? done.built : done.failed);
    if (step->state == "built") continue;
    progress.clear();
    tell({step->tenant, step->day}, step->trouble);
  }
}

int refresh(const Options& options) {
  std::string error;
  auto database = connect(options.postgres, error);
  if (!database) return fail(error);
  RollUps roll_ups(*database);
  if (const auto over = look_for_tenant(roll_ups, options)) return *over;
  const auto done = build_marked(roll_ups, tenant_of(options), error);
  if (!done) return fail(error);
  const auto left = roll_ups.marked(tenant_of(options), error);
  if (!left) return fail(error);
  std::cout << done->built << (done->built == 1 ? " day built" : " days built");
  if (left->days > 0) {
    std::cout << "; " << left->days
              << " still marked: their rows came meanwhile, or they cannot be built";
  }
  std::cout << std::endl;
  return done->failed == 0 ? kDone
                           : fail(std::to_string(done->failed) + " days could not be built");
}

int conclude(const Rebuilt& rebuilt) {
  std::cout << rebuilt.days << " days rebuilt";
  if (rebuilt.kept > 0) {
    std::cout << "; " << rebuilt.kept
              << " kept figures of rows that are gone (--forget would drop them)";
  }
  std::cout << std::endl;
  const std::size_t shown_ones = std::min(rebuilt.failed.size(), kShown);
  for (std::size_t i = 0; i < shown_ones; ++i) tell(rebuilt.failed[i].day, rebuilt.failed[i].error);
  if (rebuilt.failed.empty()) return kDone;
  return fail(std::to_string(rebuilt.failed.size()) +
              " could not be rebuilt: their figures are as they were, and they stay marked");
}

int rebuild(const Options& options) {
  std::string error;
  auto database = connect(options.postgres, error);
  if (!database) return fail(error);
  RollUps roll_ups(*database);
  if (const auto over = look_for_tenant(roll_ups, options)) return *over;
  Rebuilder rebuilder(options.postgres, options.forget, options.sessions);
  const auto rebuilt = rebuilder.run(tenant_of(options), error);
  if (!rebuilt) return fail(error);
  if (!tell_left_out(roll_ups, tenant_of(options), error)) return fail(error);
  return conclude(*rebuilt);
}

int zones(const Options& options) {
  std::string error;
  auto database = connect(options.postgres, error);
  if (!database) return fail(error);
  RollUps roll_ups(*database);
  if (!options.add.empty()) {
    const auto marks = roll_ups.keep_zone({options.tenant, options.add}, error);
    if (!marks) return fail(error);
    std::cout << "kept from now on; " << *marks << " days are to be built: the flusher does so, or"
              << " weirctl rollup refresh" << std::endl;
    return kDone;
  }
  if (!options.drop.empty()) {
    const auto dropped = roll_ups.drop_zone({options.tenant, options.drop}, error);
    if (!dropped) return fail(error);
    if (!*dropped) return fail("that zone was not kept for this tenant");
    std::cout << "dropped: answers in this zone are read from the rows now" << std::endl;
    return kDone;
  }
  const auto all = roll_ups.zones(error);
  if (!all) return fail(error);
  for (const Zone& zone : *all) {
    if (!options.tenant.empty() && zone.tenant != options.tenant) continue;
    std::cout << shown(zone.tenant) << " " << shown(zone.zone)
              << (zone.is_ready ? "" : " (being built)") << "\n";
  }
  std::cout << std::flush;
  return kDone;
}

// Reading the command line ---------------------------------------------------------------------

CLI::App& add(CLI::App& parent, const std::shared_ptr<Options>& options, int& status_out,
              const char* name, const char* about, int (*run)(const Options&)) {
  CLI::App* command = parent.add_subcommand(name, about);
  command->add_option("--postgres", options->postgres,
                      "Connection string or URI; by default the PG* environment variables decide");
  command->callback([options, &status_out, run] { status_out = run(*options); });
  return *command;
}

void add_tenant(CLI::App& command, Options& options) {
  command.add_option("--tenant", options.tenant, "Only this tenant's")->type_name("NAME");
}

constexpr const char* kExamples =
    "Examples:\n"
    "  weirctl rollup status\n"
    "  weirctl rollup refresh                   # without waiting for the flusher\n"
    "  weirctl rollup verify --tenant acme      # exits with 1 where something differs\n"
    "  weirctl rollup rebuild                   # after rows were loaded by COPY\n"
    "  weirctl rollup zones --tenant acme --add Europe/Berlin\n"
    "refresh, verify and rebuild refuse a --tenant of whom nothing is stored, with exit status 2.\n"
    "Connect as a member of weir_owner; weir_reader may use status and verify.";

void add_rollup(CLI::App& app, int& status_out) {
  auto options = std::make_shared<Options>();
  CLI::App* all = app.add_subcommand("rollup", "Look after the figures that are kept by the day");
  all->require_subcommand(1);
  all->footer(kExamples);
  add(*all, options, status_out, "status", "What is still to be counted", status);
  add_tenant(add(*all, options, status_out, "refresh", "Build what is marked, now", refresh),
             *options);
  add_tenant(add(*all, options, status_out, "verify", "Compare with the rows", verify), *options);

  CLI::App& rebuilds =
      add(*all, options, status_out, "rebuild", "Make all of it anew from the rows", rebuild);
  add_tenant(rebuilds, *options);
  rebuilds.add_flag("--forget", options->forget,
                    "Drop figures of rows that are gone, too (retention, erasure)");
  rebuilds
      .add_option("--sessions", options->sessions, "How many days to make at once, a session each")
      ->check(CLI::Range(1, 16))
      ->capture_default_str();

  CLI::App& zone = add(*all, options, status_out, "zones",
                       "List, add or drop time zones in which days are kept beside UTC", zones);
  auto* tenant = zone.add_option("--tenant", options->tenant, "The tenant")->type_name("NAME");
  auto* adds = zone.add_option("--add", options->add, "Keep its days in this zone too");
  adds->type_name("ZONE")->needs(tenant);
  zone.add_option("--drop", options->drop, "Keep them there no longer")
      ->type_name("ZONE")
      ->needs(tenant)
      ->excludes(adds);
}

const Register kRegistered(add_rollup);

}  // namespace
}  // namespace weir::ctl
