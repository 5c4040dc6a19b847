// weirctl dead-letters: looks at what could not be stored, puts it back, or gives it up.
// docs/dead-letters.md is its page.
#include <unistd.h>

#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "core/record/record.h"
#include "core/redis/stream.h"
#include "ctl/command.h"
#include "ctl/dead_letter_text.h"
#include "ctl/dead_letters.h"
#include "ctl/redis_client.h"
#include "ctl/terminal.h"
#include "fault/fault_point.h"

namespace weir::ctl {
namespace {

constexpr std::size_t kMostReason = 160;       // bytes of it in a table
constexpr std::int64_t kProgressEvery = 1000;  // letters

struct Options {
  std::string postgres;
  Filter filter;
  RedisOptions redis;
  std::string stream{kDefaultStream};
  bool json = false, by_reason = false, all = false, yes = false;
  std::int64_t limit = 0;  // 0: none
};

std::optional<DeadLetters> open(const Options& options, std::string& error) {
  return DeadLetters::open(options.postgres, options.filter, error);
}

// No output, and everything chosen by mistake, are alike dangerous: what changes something wants to
// be told which.
bool names_some(const Options& options) {
  const Filter& filter = options.filter;
  return options.all || !filter.ids.empty() || !filter.tenant.empty() || !filter.reason.empty() ||
         !filter.older_than.empty() || !filter.newer_than.empty();
}

int misused() {
  fail("say which: ids, --tenant, --reason, --older-than, --newer-than, or --all");
  return kMisused;
}

int print_lines(const std::optional<std::vector<std::string>>& lines, const std::string& error) {
  if (!lines) return fail(error);
  for (const std::string& line : *lines) std::cout << line << "\n";
  return kDone;
}

int list_as_json(DeadLetters& letters) {
  std::string error;
  while (true) {
    const auto lines = letters.json_lines(error);
    const int status = print_lines(lines, error);
    if (status != kDone || lines->empty()) return status;
  }
}

int list_as_table(DeadLetters& letters) {
  std::string error;
  std::int64_t count = 0;
  while (true) {
    const auto page = letters.next(DeadLetters::Payload::no, error);
    if (!page) return fail(error);
    if (page->empty()) break;
    if (count == 0) std::cout << "id  received_at  tenant  bytes  reason\n";
    for (const DeadLetter& letter : *page) {
      std::cout << letter.id << "  " << letter.received_at << "  " << terminal_text(letter.tenant)
                << "  " << letter.bytes << "  " << terminal_text(letter.reason, kMostReason)
                << "\n";
    }
    count += static_cast<std::int64_t>(page->size());
  }
  std::cout << count << (count == 1 ? " dead letter" : " dead letters") << std::endl;
  return kDone;
}

int list(const Options& options) {
  std::string error;
  auto letters = open(options, error);
  if (!letters) return fail(error);
  if (options.by_reason) return print_lines(letters->lines_by_reason(options.json, error), error);
  return options.json ? list_as_json(*letters) : list_as_table(*letters);
}

int show(const Options& options) {
  std::string error;
  auto letters = open(options, error);
  if (!letters) return fail(error);
  std::size_t shown = 0;
  while (true) {
    const auto page = letters->next(DeadLetters::Payload::yes, error);
    if (!page) return fail(error);
    if (page->empty()) break;
    for (const DeadLetter& letter : *page) {
      if (shown++ > 0) std::cout << "\n";
      print_letter(std::cout, letter);
    }
  }
  std::cout << std::flush;
  return shown > 0 ? kDone : fail("there is no such dead letter");
}

// Puts letters back and deletes each once Redis has acknowledged its record. In this order a crash
// loses nothing: at worst a record is in the stream and its letter still there, and storing ignores
// what is stored already.
class Retry {
 public:
  Retry(DeadLetters& letters, RedisClient& redis, const Options& options)
      : letters_(letters), redis_(redis), options_(options) {}

  int run();

 private:
  bool page(const std::vector<DeadLetter>& page);
  bool put_back(const DeadLetter& letter);
  bool is_enough() const { return options_.limit > 0 && done_ >= options_.limit; }

  DeadLetters& letters_;
  RedisClient& redis_;
  const Options& options_;
  std::int64_t done_ = 0, unreadable_ = 0;
  std::string error_;
};

int Retry::run() {
  while (!is_enough()) {
    const auto letters = letters_.next(DeadLetters::Payload::yes, error_);
    if (!letters || !page(*letters)) break;
  }
  std::cout << done_ << " put back into " << options_.stream;
  if (unreadable_ > 0) std::cout << ", " << unreadable_ << " left: no record that can be read";
  std::cout << std::endl;
  if (!error_.empty()) return fail(error_ + "; the rest is untouched, say it again to go on");
  return unreadable_ > 0 ? kFailed : kDone;
}

// False: it is over.
bool Retry::page(const std::vector<DeadLetter>& page) {
  for (const DeadLetter& letter : page) {
    if (is_enough() || !put_back(letter)) return false;
  }
  return !page.empty();
}

bool Retry::put_back(const DeadLetter& letter) {
  std::string why;
  if (!read_record(letter.payload, why)) {
    ++unreadable_;
    std::cerr << "weirctl: dead letter " << letter.id << " stays: " << terminal_text(why) << "\n";
    return true;
  }
  if (!redis_.add(options_.stream, letter.payload, error_)) return false;
  WEIR_FAULT_POINT(before_forgetting);
  if (!letters_.remove(letter, error_)) return false;
  if (++done_ % kProgressEvery == 0) std::cerr << "weirctl: " << done_ << " put back\n";
  return true;
}

int retry(const Options& options) {
  if (!names_some(options)) return misused();
  std::string error;
  auto letters = open(options, error);
  if (!letters) return fail(error);
  auto redis = RedisClient::open(options.redis, error);
  if (!redis) return fail(terminal_text(error));
  return Retry(*letters, *redis, options).run();
}

// Asks a person at a terminal; elsewhere --yes has to have said it.
bool is_confirmed(const Options& options, std::int64_t count) {
  if (options.yes) return true;
  if (isatty(STDIN_FILENO) == 0) return false;
  std::cout << "Drop " << count << " dead letters for good? Type yes: " << std::flush;
  std::string answer;
  return std::getline(std::cin, answer) && answer == "yes";
}

int drop(const Options& options) {
  if (!names_some(options)) return misused();
  std::string error;
  auto letters = open(options, error);
  if (!letters) return fail(error);
  const auto count = letters->count(error);
  if (!count) return fail(error);
  if (*count > 0 && !is_confirmed(options, *count)) {
    return fail("nothing was dropped: " + std::to_string(*count) +
                " dead letters would go; say --yes");
  }
  std::int64_t done = 0;
  while (true) {
    const auto page = letters->next(DeadLetters::Payload::no, error);
    if (!page) return fail(error);
    if (page->empty()) break;
    for (const DeadLetter& letter : *page) {
      if (!letters->remove(letter, error)) return fail(error);
      ++done;
    }
  }
  std::cout << done << " dropped" << std::endl;
  return kDone;
}

// Reading the command line ----------------------------------------------------------------------

void add_filter(CLI::App& command, Options& options) {
  command.add_option("--tenant", options.filter.tenant, "Only this tenant's")->type_name("NAME");
  command.add_option("--reason", options.filter.reason, "Only those whose reason begins so")
      ->type_name("TEXT");
  command
      .add_option("--older-than", options.filter.older_than,
                  "Only those received before this long ago, as in \"2 days\"")
      ->type_name("INTERVAL");
  command
      .add_option("--newer-than", options.filter.newer_than,
                  "Only those received since this long ago")
      ->type_name("INTERVAL");
}

CLI::Option* add_ids(CLI::App& command, Options& options) {
  return command.add_option("id", options.filter.ids,
                            "Numbers of dead letters, as `list` shows them");
}

void add_redis(CLI::App& command, Options& options) {
  command
      .add_option("--redis", options.redis.address, "Where Redis listens: unix:/path or host:port")
      ->capture_default_str();
  command.add_option("--redis-user", options.redis.user, "Redis' user");
  command.add_option("--redis-password-file", options.redis.password_file,
                     "File whose first line is that user's password");
  command.add_option("--stream", options.stream, "The stream that the flusher reads")
      ->capture_default_str();
}

CLI::App& add(CLI::App& parent, const std::shared_ptr<Options>& options, int& status,
              const char* name, const char* about, int (*run)(const Options&)) {
  CLI::App* command = parent.add_subcommand(name, about);
  command->add_option("--postgres", options->postgres,
                      "Connection string or URI; by default the PG* environment variables decide");
  command->callback([options, &status, run] { status = run(*options); });
  return *command;
}

constexpr const char* kExamples =
    "Examples:\n"
    "  weirctl dead-letters list --by-reason\n"
    "  weirctl dead-letters list --tenant acme --newer-than \"1 day\" --json\n"
    "  weirctl dead-letters show 17\n"
    "  weirctl dead-letters retry 17 18\n"
    "  weirctl dead-letters retry --reason XX000 --limit 1000 --redis unix:/run/redis/redis.sock\n"
    "  weirctl dead-letters drop --older-than \"90 days\" --yes\n"
    "Connect as weir_operator, who may do just this.";

void add_dead_letters(CLI::App& app, int& status) {
  auto options = std::make_shared<Options>();
  CLI::App* all = app.add_subcommand("dead-letters", "Look after what could not be stored");
  all->require_subcommand(1);
  all->footer(kExamples);

  CLI::App& lists = add(*all, options, status, "list", "List them, oldest id first", list);
  add_filter(lists, *options);
  lists.add_flag("--json", options->json, "One JSON object a line");
  lists.add_flag("--by-reason", options->by_reason, "Count them by reason instead");

  CLI::App& shows = add(*all, options, status, "show", "Show them with every row's columns", show);
  add_ids(shows, *options)->required();

  CLI::App& retries = add(*all, options, status, "retry",
                          "Put their records back into the stream, and delete them", retry);
  add_ids(retries, *options);
  add_filter(retries, *options);
  add_redis(retries, *options);
  retries.add_flag("--all", options->all, "All of them");
  retries.add_option("--limit", options->limit, "At most so many")->check(CLI::PositiveNumber);

  CLI::App& drops = add(*all, options, status, "drop", "Delete them for good", drop);
  add_ids(drops, *options);
  add_filter(drops, *options);
  drops.add_flag("--all", options->all, "All of them");
  drops.add_flag("--yes", options->yes, "Do not ask");
}

const Register kRegistered(add_dead_letters);

}  // namespace
}  // namespace weir::ctl
