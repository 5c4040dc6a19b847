#include "api/program.h"

#include <sys/resource.h>

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "api/allowance.h"
#include "api/machine.h"
#include "api/metrics.h"
#include "api/pace.h"
#include "api/pool.h"
#include "api/proof.h"
#include "api/server.h"
#include "api/service.h"
#include "daemon/log.h"
#include "daemon/notify.h"
#include "pg/conninfo.h"
#include "pg/connection.h"

namespace weir::api {
namespace {

using boost::system::error_code;
using daemon::log_error;
using daemon::log_info;
using daemon::log_warn;

constexpr std::chrono::seconds kDrainTime{10}, kAliveTime{1};
constexpr std::chrono::milliseconds kLookTime{500};  // at how busy the machine is
constexpr std::chrono::milliseconds kTurnTime{20};   // between looks at who waits for his turn
constexpr double kEnoughIdle = 0.5;                  // of the machine's CPU time
constexpr double kTakingIn = 0.1;  // seconds of CPU in a second, of the web server
constexpr std::chrono::duration<double> kHandingOn{0.0001};  // one answer, of the web server's CPU
constexpr int kPermissionSeconds = 5;
constexpr std::size_t kOwnFiles = 64;  // besides connections and sessions

PoolSettings pool_settings(const Options& options, std::size_t sessions, int statement_seconds) {
  PoolSettings settings;
  settings.conninfo = options.postgres;
  settings.sessions = sessions;
  settings.queue = options.queue;
  settings.queue_time = std::chrono::seconds(options.queue_seconds);
  settings.statement_time = std::chrono::seconds(statement_seconds);
  return settings;
}

Day today() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<Day>(std::chrono::duration_cast<std::chrono::hours>(now).count() / 24);
}

class Program {
 public:
  Program(const Options& options, const std::string& proof)
      : options_(options),
        permissions_(loop_, pool_settings(options, 1, kPermissionSeconds),
                     [this](const std::string& why) { tell_change(why); }),
        allowance_(options.busy_share / 100.0, static_cast<double>(options.sessions)),
        answer_allowance_(allowance_),
        pace_(answer_allowance_, options.connections, std::chrono::seconds(options.queue_seconds)),
        figures_(loop_, figure_settings(), [this](const std::string& why) { tell_change(why); }),
        streams_(loop_, pool_settings(options, options.stream_sessions, options.stream_seconds),
                 [](const std::string&) {}),
        service_(world(), settings(options, proof)),
        server_(loop_,
                {options.socket, options.group, options.connections,
                 std::chrono::seconds(options.write_seconds)},
                [this](const Request& request, const std::shared_ptr<Client>& client) {
                  if (!request.viewers.empty()) web_.is(request.process);
                  service_.answer(request, client);
                }) {}

  int run();

 private:
  static Settings settings(const Options& options, const std::string& proof) {
    Settings settings;
    settings.proof = proof;
    settings.cache_bytes = options.cache_bytes;
    settings.cache_time = std::chrono::seconds(options.cache_seconds);
    return settings;
  }
  PoolSettings figure_settings();
  World world();
  std::string why_away() const;
  void tell_change(const std::string& why_away);
  void stay_alive();
  void look_at_machine();
  bool are_cores_wanted(std::chrono::steady_clock::time_point now);
  void tell_what_is_hidden();
  void in_turn(const std::shared_ptr<Client>& client, Pace::Call call);
  void tick_pace();
  void leave();

  const Options& options_;
  boost::asio::io_context loop_{1};
  boost::asio::signal_set signals_{loop_, SIGTERM, SIGINT, SIGHUP};
  boost::asio::steady_timer alive_{loop_}, look_{loop_}, turn_{loop_}, drain_{loop_};
  Idle idle_;
  WebServer web_;
  bool told_hidden_ = false;
  std::optional<bool> told_away_;
  std::chrono::steady_clock::time_point looked_at_ = std::chrono::steady_clock::now();
  std::uint64_t answers_ = 0;
  Pool permissions_;
  Allowance allowance_, answer_allowance_;
  Pace pace_;
  Pool figures_, streams_;
  Service service_;
  Server server_;
};

// Where PostgreSQL is on another machine, it takes nothing from those who take events in here.
PoolSettings Program::figure_settings() {
  auto settings = pool_settings(options_, options_.sessions, options_.statement_seconds);
  if (pg::is_local(options_.postgres)) settings.allowance = &allowance_;
  return settings;
}

World Program::world() {
  return {permissions_,
          figures_,
          streams_,
          [] { return std::chrono::steady_clock::now(); },
          today,
          [this] { return why_away(); },
          [this] {
            return metrics_page(server_.counts(), service_,
                                {{"permissions", permissions_.status()},
                                 {"figures", figures_.status()},
                                 {"streams", streams_.status()}},
                                allowance_.rate());
          },
          [](std::string_view error) {
            log_error("a query failed in a way that it should not", {{"error", error}});
          },
          [this](const std::shared_ptr<Client>& client, Pace::Call call) {
            in_turn(client, std::move(call));
          }};
}

// A figure is asked for once the viewer's permission is known: while that cannot be asked for, what
// figures are asked by hears nothing of an outage.
std::string Program::why_away() const {
  const std::string why = figures_.status().why_away;
  return why.empty() ? permissions_.status().why_away : why;
}

// Of one pool; an outage is told once, and its end when it is over for both.
void Program::tell_change(const std::string& why_away) {
  const bool is_away = !why_away.empty();
  if (told_away_ == is_away || (!is_away && !this->why_away().empty())) return;
  told_away_ = is_away;
  if (is_away) {
    log_warn("PostgreSQL cannot be asked: requests are answered 503 until it is back",
             {{"error", why_away}});
  } else {
    log_info("PostgreSQL can be asked");
  }
}

int Program::run() {
  std::string error;
  if (!server_.listen(error)) {
    log_error(error);
    return EXIT_FAILURE;
  }
  log_info("serving", {{"socket", options_.socket}});
  daemon::notify_ready();
  signals_.async_wait([this](const error_code& failed, int) {
    if (!failed) leave();
  });
  stay_alive();
  look_at_machine();
  loop_.run();
  log_info("left");
  return EXIT_SUCCESS;
}

void Program::stay_alive() {
  daemon::notify_alive();
  alive_.expires_after(kAliveTime);
  alive_.async_wait([this](const error_code& failed) {
    if (!failed) stay_alive();
  });
}

void Program::look_at_machine() {
  const auto now = std::chrono::steady_clock::now();
  const bool is_wanted = are_cores_wanted(now);
  allowance_.look(now, is_wanted);
  answer_allowance_.look(now, is_wanted);
  look_.expires_after(kLookTime);
  look_.async_wait([this](const error_code& failed) {
    if (!failed) look_at_machine();
  });
}

// By the web server, for more than handing our answers on, and there are not many left.
bool Program::are_cores_wanted(std::chrono::steady_clock::time_point now) {
  const std::chrono::duration<double> passed = now - std::exchange(looked_at_, now);
  const auto idle = idle_.since_last();
  const auto answers = server_.counts().answers();
  const auto handed_on = static_cast<double>(answers - std::exchange(answers_, answers));
  const double worked = web_.worked_since_last() - handed_on * kHandingOn.count();
  tell_what_is_hidden();
  return idle && *idle < kEnoughIdle && worked > kTakingIn * passed.count();
}

// Once: nobody would notice else that --busy-share holds nothing back.
void Program::tell_what_is_hidden() {
  if (told_hidden_ || !(idle_.is_hidden() || web_.is_hidden())) return;
  told_hidden_ = true;
  log_warn(
      "figures do not give way while many events are taken in: this process cannot see what the "
      "machine works",
      {{"hidden", idle_.is_hidden() ? "/proc/stat" : "the web server in /proc"},
       {"advice",
        "it has to see the web server's processes: no ProtectProc= and no ProcSubset= in its "
        "unit, no hidepid= of /proc, and the same process ids as the web server's"}});
}

void Program::in_turn(const std::shared_ptr<Client>& client, Pace::Call call) {
  pace_.ask(client, std::move(call), std::chrono::steady_clock::now());
  if (pace_.waiting() == 1) tick_pace();
}

void Program::tick_pace() {
  pace_.tick(std::chrono::steady_clock::now());
  if (pace_.waiting() == 0) return;
  turn_.expires_after(kTurnTime);
  turn_.async_wait([this](const error_code& failed) {
    if (!failed) tick_pace();
  });
}

void Program::leave() {
  log_info("leaving", {{"connections", server_.counts().connections}});
  daemon::notify_stopping();
  drain_.expires_after(kDrainTime);
  drain_.async_wait([this](const error_code& failed) {
    if (failed) return;
    log_warn("some answers are not finished: they are cut off",
             {{"connections", server_.counts().connections}});
    loop_.stop();
  });
  server_.leave([this] { loop_.stop(); });
}

// As many files as the bounds ask for; false: the system does not allow that.
bool raise_open_files(std::size_t wanted) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return true;
  if (limit.rlim_max < wanted) return false;
  limit.rlim_cur = wanted;
  return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

struct Proof {
  std::string secret;  // empty where none is asked for
  std::string fault, warning;
};

Proof proof_of(const Options& options) {
  Proof proof;
  if (!options.proof_file.empty())
    proof.fault = read_proof(options.proof_file, proof.secret, proof.warning);
  return proof;
}

}  // namespace

int run(const Options& options) {
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
  const Proof proof = proof_of(options);
  if (!proof.warning.empty()) log_warn(proof.warning);
  if (!proof.fault.empty()) {
    log_error(proof.fault);
    return EXIT_FAILURE;
  }
  const std::size_t files =
      options.connections + options.sessions + options.stream_sessions + kOwnFiles;
  if (!raise_open_files(files)) {
    log_error("this process may not have " + std::to_string(files) +
              " files open, which --connections asks for: raise its limit (LimitNOFILE=)");
    return EXIT_FAILURE;
  }
  return Program(options, proof.secret).run();
}

int check(const Options& options) {
  const Proof proof = proof_of(options);
  if (!proof.warning.empty()) std::cerr << "weir-api: " << proof.warning << "\n";
  if (!proof.fault.empty()) {
    std::cerr << "weir-api: " << proof.fault << "\n";
    return EXIT_FAILURE;
  }
  for (const std::string& fault : {fault_of_path(options.socket), fault_of_group(options.group)}) {
    if (fault.empty()) continue;
    std::cerr << "weir-api: " << fault << "\n";
    return EXIT_FAILURE;
  }
  std::string error;
  auto db = pg::Connection::open(options.postgres, error, "weir-api");
  if (!db) {
    std::cerr << "weir-api: cannot connect to PostgreSQL: " << error << "\n";
    return EXIT_FAILURE;
  }
  if (!db->exec("SELECT FROM weir_api.tenants('')")) {
    std::cerr << "weir-api: the figures cannot be asked for (" << db->error().message
              << "): run `weirctl migrate`, and connect as weir_api\n";
    return EXIT_FAILURE;
  }
  std::cout << "PostgreSQL can be asked" << std::endl;
  return EXIT_SUCCESS;
}

}  // namespace weir::api
