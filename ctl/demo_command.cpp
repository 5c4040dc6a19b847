// weirctl demo: fills a Weir through its front door with months of believable events. docs/demo.md
// tells what there is to find in them; ctl/demo/ makes them up.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <ctime>
#include <iostream>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "ctl/command.h"
#include "ctl/demo/world.h"
#include "ctl/demo_sender.h"
#include "ctl/demo_stored.h"
#include "ctl/http_client.h"
#include "ctl/progress.h"

namespace weir::ctl {
namespace {

using demo::World;

struct Options {
  std::string url = "http://127.0.0.1:8080";
  std::string until;
  demo::Options demo;
  std::uint64_t events = 0;  // 0: users say how much
  int patience = 120;
};

// A signal sets it, and the work ends between two batches. A second one ends the program.
volatile std::sig_atomic_t stopped = 0;
bool is_stopped() { return stopped != 0; }

void stop_on_signals() {
  struct sigaction action {};
  action.sa_handler = [](int) { stopped = 1; };
  action.sa_flags = SA_RESETHAND;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

std::int64_t now_in_milliseconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

// Fills in the day and the end. Empty, or what is wrong.
std::string prepare(Options& options) {
  const std::string fault = HttpClient::fault_of(options.url);
  if (!fault.empty()) return "--url " + options.url + " is no address of a web server: " + fault;
  const std::int64_t now = now_in_milliseconds();
  const auto today = static_cast<demo::Day>(now / demo::kMillisecondsPerDay);
  const auto until = options.until.empty() ? today : demo::parse_day(options.until);
  if (!until) return "--until " + options.until + " is no day: give one as 2026-11-26";
  if (*until > today)
    return "--until " + options.until + " is still to come: give today or a day before";
  options.demo.until = *until;
  options.demo.end = now;
  if (options.demo.first() < 11'000) return "--days goes back beyond the year 2001";
  if (options.events > 0) options.demo.users = demo::users_for(options.demo, options.events);
  return {};
}

std::string repetition(const Options& options) {
  const demo::Options& demo = options.demo;
  return "weirctl demo --url " + options.url + " --seed " + std::to_string(demo.seed) +
         " --users " + std::to_string(demo.users) + " --days " + std::to_string(demo.days) +
         " --until " + demo::format_day(demo.until);
}

std::string told(const demo::Sums& sums) {
  return std::to_string(sums.events[0]) + " events of " + std::to_string(sums.users) + " users, " +
         std::to_string(sums.events[1]) + " crash reports, " + std::to_string(sums.events[2]) +
         " commands";
}

void tell_plan(const Options& options, const demo::Sums& sums) {
  std::cout << told(sums) << "\nfrom " << demo::format_day(options.demo.first()) << " to "
            << demo::format_day(options.demo.until) << ", to " << options.url << std::endl;
}

bool send_all(const World& world, DemoSender& sender) {
  const demo::Options& options = world.options();
  for (demo::Day day = options.first(); day <= options.until; ++day) {
    if (!world.live(day, sender) || !sender.flush()) return false;
  }
  return true;
}

// 0 where all was taken.
int send(const Options& options, const World& world, const demo::Sums& sums, HttpClient& client) {
  Progress progress("sending", sums.all(), "events");
  DemoSender sender(client, std::chrono::seconds(options.patience), is_stopped,
                    [&](std::size_t events) { progress.step(events); });
  if (send_all(world, sender)) return kDone;
  progress.clear();
  return fail(
      sender.error() + "; " + std::to_string(sender.taken()) + " of " + std::to_string(sums.all()) +
      " were taken. The same again completes it, and stores nothing twice: " + repetition(options));
}

void tell_next(const Options& options, const HttpClient& client) {
  const std::string window = "?from=" + demo::format_day(options.demo.first()) +
                             "&to=" + demo::format_day(options.demo.until);
  std::cout << "\nFigures follow within minutes (`weirctl rollup refresh`, by who runs `weirctl "
               "migrate`, builds them "
               "now). Then look:\n";
  for (const char* path : {"users", "crashes", "crash_releases", "usage"}) {
    std::cout << "  curl -s '" << client.base() << "/v1/" << path << window << "'\n";
  }
  std::cout << "docs/demo.md tells what there is to find, docs/sql.md how to ask by SQL.\n"
            << "This again, and nothing is stored twice: " << repetition(options) << std::endl;
}

int run(Options& options) {
  const std::string fault = prepare(options);
  if (!fault.empty()) return fail(fault);
  stop_on_signals();
  HttpClient client(options.url, is_stopped);
  std::string error;
  if (!client.get("/health", error)) {
    return fail("no web server answers at " + client.base() + " (" + error +
                "): start it (make up), or name another with --url");
  }
  const World world(options.demo);
  const demo::Sums sums = demo::sums_of(world);
  tell_plan(options, sums);
  const int status = send(options, world, sums, client);
  if (status != kDone) return status;
  switch (await_stored(client, std::chrono::seconds(options.patience), is_stopped, error)) {
    case Stored::no:
      return fail("all of it was taken, but " + error);
    case Stored::yes:
      std::cout << "stored: " << told(sums) << "\n";
      break;
    case Stored::unknown:
      std::cout << "taken: " << told(sums) << "\nWhether they are stored yet, " << client.base()
                << "/health does not tell.\n";
  }
  tell_next(options, client);
  return kDone;
}

constexpr const char* kExplanation =
    "Five systems are made up: Stories, which dictates and crashes now and then; a sales system in "
    "the\n"
    "browser; a command line; an adoption ledger; a shop's features. What would be later than now "
    "is\n"
    "left out. All of it lands in the tenant `default`, as every event does: no client names one.\n"
    "The same options make the same events with the same ids: sent again, they are stored once.\n"
    "\n"
    "Examples:\n"
    "  weirctl demo\n"
    "  weirctl demo --users 200 --days 30 --seed 7\n"
    "  weirctl demo --events 1000000 --days 180 --url https://events.example.com";

void add_demo(CLI::App& app, int& status) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("demo", "Fill a Weir with months of made-up events");
  command->footer(kExplanation);
  command->add_option("--url", options->url, "The web server that takes events, without a path")
      ->envname("WEIR_URL")
      ->capture_default_str();
  command->add_option("--seed", options->demo.seed, "Another number makes other events")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  CLI::Option* users =
      command->add_option("--users", options->demo.users, "How many people there are");
  users->check(CLI::Range(1, demo::kMostUsers))->capture_default_str();
  command
      ->add_option("--events", options->events,
                   "So many events, within some 2 %, instead of --users")
      ->check(CLI::Range(100, 200'000'000))
      ->excludes(users);
  command->add_option("--days", options->demo.days, "How many days")
      ->check(CLI::Range(1, 730))
      ->capture_default_str();
  command
      ->add_option("--until", options->until,
                   "The last of these days (UTC), as 2026-11-26; default: today")
      ->type_name("DAY");
  command
      ->add_option("--patience", options->patience,
                   "Seconds for which a web server may take nothing")
      ->check(CLI::Range(1, 86'400))
      ->capture_default_str();
  command->callback([options, &status] { status = run(*options); });
}

const Register kRegistered(add_demo);

}  // namespace
}  // namespace weir::ctl
