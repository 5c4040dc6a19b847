#include "flusher/flusher.h"

#include <algorithm>
#include <utility>

#include "flusher/advice.h"
#include "flusher/health.h"
#include "daemon/log.h"
#include "daemon/notify.h"
#include "flusher/stop.h"

namespace weir::flusher {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kIdleWait{500};     // for news, when there is nothing to do
constexpr milliseconds kStandbyWait{200};  // between two looks at leases that others hold
constexpr milliseconds kMeasureEvery{1000};
constexpr milliseconds kPublishEvery{500};
constexpr std::chrono::seconds kGiveUp{10};  // Redis is away: others may still reach it
constexpr std::chrono::seconds kTooNewFor{
    30};  // until a record that was too new is looked at again
constexpr std::chrono::hours kPartitionsEvery{1};
constexpr std::chrono::minutes kPartitionsAgain{1};  // after a failure

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : " ") + text;
  return all;
}

// A session in which the batch failed is good for the next try, unless it is of a server that will
// not take one.
bool needs_another_session(const pg::Connection& connection) {
  return connection.is_broken() || connection.sqlstate() == "25006" ||
         connection.sqlstate().substr(0, 3) == "57P";
}

}  // namespace

Flusher::Flusher(const Options& options)
    : options_(options),
      leases_(options_),
      watch_(leases_),
      database_(options.postgres, watch_),
      link_(options_),
      postgres_outage_("PostgreSQL"),
      redis_outage_("Redis"),
      neighbours_(neighbours_of(options_.streams)),
      keeper_(options_, board_) {
  for (const std::string& stream : options_.streams) {
    shards_.push_back(std::make_unique<Shard>(options_, link_, stream));
  }
}

int Flusher::run() {
  daemon::log_info("weir-flusher starts",
                   {{"streams", joined(options_.streams)}, {"once", options_.once}});
  while_waiting([this] {
    leases_.tick();
    publish();
  });
  publish();
  if (!options_.once) keeper_.start();
  while (!stop_requested() && !exit_code_) {
    want();
    const bool redis = ensure_redis() && measure();
    const bool leases = ensure_database() && ensure_leases();
    if (redis) look_for_unread();
    if (leases && redis) round();
    publish();
  }
  while_waiting([] {});
  keeper_.stop();
  summary_.tell(/*now=*/true);
  daemon::notify_stopping();
  daemon::log_info("weir-flusher leaves",
                   {{"rows", summary_.rows()}, {"exit", exit_code_.value_or(0)}});
  return exit_code_.value_or(0);
}

bool Flusher::ensure_redis() {
  if (link_.is_connected()) return true;
  std::string error;
  if (link_.connect(error)) return true;
  lose_redis(error);
  return false;
}

// Looks at what waits, of streams that others hold and while PostgreSQL is away too.
bool Flusher::measure() {
  if (Clock::now() - measured_at_ < kMeasureEvery) return true;
  measured_at_ = Clock::now();
  for (const auto& shard : shards_) {
    std::string error;
    if (shard->measure(error)) continue;
    lose_redis(error);
    return false;
  }
  return true;
}

bool Flusher::ensure_database() {
  if (database_.is_open()) return true;
  std::string error;
  switch (database_.open(error)) {
    case Database::Open::ready:
      ++sessions_;
      store_.emplace(database_.connection());
      return true;
    case Database::Open::away:
      postgres_outage_.failed(error);
      return false;
    case Database::Open::refused:
      daemon::log_error(error);
      exit_code_ = 1;
      return false;
  }
  return false;
}

bool Flusher::ensure_leases() {
  if (leases_.is_lost()) {
    lose_database(leases_.error().message, leases_.error().sqlstate);
    return false;
  }
  std::string error;
  if (!leases_.is_open() && !leases_.open(database_.connection().backend_pid(), error)) {
    lose_database(error, leases_.error().sqlstate);
    return false;
  }
  leases_.tick();
  take_leases();
  const bool holds_any = std::any_of(shards_.begin(), shards_.end(),
                                     [](const auto& shard) { return shard->is_held(); });
  if (!holds_any) stand_by();
  if (holds_any) stands_by_ = false;
  return holds_any;
}

// Tells the shards what we hold; the leases are in the order of the streams, as they are.
void Flusher::take_leases() {
  for (const auto& shard : shards_) {
    const auto& held = leases_.held();
    const auto lease = std::find_if(held.begin(), held.end(), [&](const Lease& candidate) {
      return candidate.stream == shard->stream();
    });
    if (lease == held.end()) {
      if (shard->is_held()) daemon::log_info("the lease has ended", {{"stream", shard->stream()}});
      shard->drop();
    } else if (lease->surplus && shard->is_held()) {
      daemon::log_info("handing the stream over to another flusher", {{"stream", shard->stream()}});
      shard->drop();
      leases_.release(shard->stream());
    } else if (lease->token != shard->token()) {
      shard->lease(lease->token);
    }
  }
}

// A batch of each stream, and a wait when none of them has more.
void Flusher::round() {
  make_partitions();
  if (!database_.is_open()) return;
  bool may_be_more = false, in_trouble = false;
  for (const auto& shard : shards_) {
    if (!database_.is_open() || !link_.is_connected() || stop_requested()) return;
    if (shard->is_held() && !shard->has_to_wait() && step(*shard)) may_be_more = true;
    in_trouble = in_trouble || shard->has_to_wait();
    leases_.tick();
  }
  if (!in_trouble && database_.is_open()) postgres_outage_.recovered();
  if (is_done()) {
    exit_code_ = 0;
  } else if (!may_be_more && database_.is_open() && link_.is_connected()) {
    rest();
  }
}

// True if the shard may have more to do at once.
bool Flusher::step(Shard& shard) {
  std::string error;
  const Step step = shard.step(database_, *store_, summary_, error);
  if (step != Step::redis) redis_outage_.recovered();
  switch (step) {
    case Step::idle:
    case Step::partial:
      ready();
      return false;
    case Step::full:  // a backlog may last for hours; whoever waits for the start need not
      ready();
      return true;
    case Step::again:
      return true;
    case Step::postgres:
      postgres_failed(shard);
      return false;
    case Step::redis:
      lose_redis(error);
      return false;
    case Step::fenced:
      shard.drop();
      leases_.hurry();
      return false;
    case Step::too_new:
      set_aside(shard);
      return false;
  }
  return false;
}

// Another flusher, which is newer, may take it; after a while we look again whether it has.
void Flusher::set_aside(Shard& shard) {
  daemon::log_error(
      "a record of a newer Weir is the next one: upgrade weir-flusher, which then goes on; until"
      " then this stream waits",
      {{"stream", shard.stream()}});
  daemon::notify_status("needs an upgrade");
  ready();
  shard.drop();
  leases_.release(shard.stream());
  too_new_.push_back({shard.stream(), Clock::now() + kTooNewFor});
  if (options_.once) exit_code_ = 1;
}

// The streams that this flusher is ready to read.
void Flusher::want() {
  const auto now = Clock::now();
  too_new_.erase(std::remove_if(too_new_.begin(), too_new_.end(),
                                [&](const TooNew& one) { return one.until < now; }),
                 too_new_.end());
  std::vector<std::string> streams;
  const bool reaches_redis = link_.is_connected() || redis_outage_.lasts() < kGiveUp;
  for (const std::string& stream : options_.streams) {
    const bool is_aside = std::any_of(too_new_.begin(), too_new_.end(),
                                      [&](const TooNew& one) { return one.stream == stream; });
    if (reaches_redis && !is_aside) streams.push_back(stream);
  }
  if (!reaches_redis) {
    for (const auto& shard : shards_) {
      if (!shard->is_held()) continue;
      shard->drop();
      leases_.release(shard->stream());
    }
  }
  leases_.want(std::move(streams));
}

void Flusher::stand_by() {
  postgres_outage_.recovered();
  if (link_.is_connected()) redis_outage_.recovered();
  if (is_done()) {
    exit_code_ = 0;
    return;
  }
  if (!database_.is_alive()) return lose_database(database_.error(), "");
  if (!redis_outage_.is_on() && too_new_.empty() && !std::exchange(stands_by_, true)) {
    daemon::log_info("other flushers hold the leases on all streams, standing by",
                     {{"streams", joined(options_.streams)}});
    ready();
    daemon::notify_status("standing by");
  }
  wait_for(kStandbyWait);
}

// Nothing is left to read: waits for what comes, and a little longer for more of it.
void Flusher::rest() {
  summary_.tell();
  if (!database_.is_alive()) return lose_database(database_.error(), "");
  std::vector<Place> places;
  for (const auto& shard : shards_) {
    if (auto place = shard->place()) places.push_back(*std::move(place));
  }
  if (places.empty() || options_.once)
    return wait_for(options_.once ? milliseconds(10) : kStandbyWait);
  std::string error;
  switch (wait_for_news(link_, places, kIdleWait, error)) {
    case News::some:
      return wait_for(milliseconds(options_.linger_ms));
    case News::away:
      return lose_redis(error);
    case News::none:
      if (!link_.is_still_master(error)) return lose_redis(error);
      [[fallthrough]];
    case News::stop:
      redis_outage_.recovered();
  }
}

void Flusher::make_partitions() {
  if (Clock::now() < partitions_due_) return;
  const auto made = database_.make_partitions();
  partitions_due_ = Clock::now() + (made ? Clock::duration(kPartitionsEvery) : kPartitionsAgain);
  if (made) {
    if (*made > 0) daemon::log_info("made partitions", {{"partitions", *made}});
    partitions_failed_ = false;
  } else if (database_.connection().is_broken()) {
    lose_database(database_.error(), database_.connection().sqlstate());
  } else if (!std::exchange(partitions_failed_, true)) {
    daemon::log_warn("could not make partitions, rows without one go to the default partition",
                     {{"error", database_.error()}});
  }
}

// Streams that nobody reads, see unread_streams.h. Where PostgreSQL does not tell, the next batch
// says why.
void Flusher::look_for_unread() {
  if (Clock::now() < unread_due_ || !database_.is_open() || !link_.is_connected()) return;
  unread_due_ = Clock::now() + unread_.pause();
  const auto names = database_.unread_streams(neighbours_);
  if (!names) return;
  std::string error;
  const auto lengths = lengths_of(link_, *names, error);
  if (!lengths) return lose_redis(error);
  std::vector<UnreadStream> seen;
  for (std::size_t i = 0; i < names->size(); ++i) {
    const bool is_ours =
        std::binary_search(options_.streams.begin(), options_.streams.end(), (*names)[i]);
    if ((*lengths)[i] > 0 && !is_ours) seen.push_back({(*names)[i], (*lengths)[i]});
  }
  if (unread_.took(std::move(seen))) tell_unread();
  unread_due_ = Clock::now() + unread_.pause();
}

void Flusher::tell_unread() const {
  std::vector<std::string> names;
  for (const UnreadStream& one : unread_.found()) names.push_back(one.stream);
  if (names.empty())
    return daemon::log_info("no entries wait any more in streams that no flusher reads");
  daemon::log_warn(
      "entries wait in streams that no flusher reads, and are not stored: tell weir_redis and"
      " weir-flusher the same shards= and stream=",
      {{"streams", joined(names)}});
}

void Flusher::postgres_failed(Shard& shard) {
  const std::string error = database_.error(), sqlstate = database_.connection().sqlstate();
  if (needs_another_session(database_.connection())) return lose_database(error, sqlstate);
  shard.try_again_in(postgres_outage_.noted(error, advice_on(sqlstate)));
}

void Flusher::lose_database(const std::string& error, const std::string& sqlstate) {
  store_.reset();
  database_.close();
  leases_.close();
  partitions_due_ = {};
  for (const auto& shard : shards_) shard->drop();
  postgres_outage_.failed(error, advice_on(sqlstate));
}

void Flusher::lose_redis(const std::string& error) {
  link_.close();
  for (const auto& shard : shards_) shard->lose_place();
  redis_outage_.failed(error);
}

bool Flusher::is_done() const {
  return options_.once && std::all_of(shards_.begin(), shards_.end(),
                                      [](const auto& shard) { return shard->is_done(); });
}

// Whoever waited for the start and asks at once is told so, too.
void Flusher::ready() {
  if (!std::exchange(is_ready_, true)) published_at_ = {};
  publish();
  daemon::notify_ready();
}

// Word to those who ask and to systemd. It comes from every wait, so that a loop which hangs falls
// silent.
void Flusher::publish() {
  if (Clock::now() - published_at_ < kPublishEvery) return;
  published_at_ = Clock::now();
  Status now = status();
  if (!is_case_for_restart(now, published_at_)) daemon::notify_alive();
  board_.publish(std::move(now));
}

Status Flusher::status() const {
  const auto server = [](const Outage& outage, bool is_connected) {
    return ServerStatus{is_connected && !outage.is_on(), outage.is_on(), outage.error(),
                        outage.outages(), outage.failures()};
  };
  Status status;
  status.postgres = server(postgres_outage_, database_.is_open());
  status.redis = server(redis_outage_, link_.is_connected());
  for (const auto& shard : shards_) status.shards.push_back(shard->status());
  status.stored = summary_.rows();
  status.duplicates = summary_.duplicates();
  status.dead = summary_.dead();
  status.batches = summary_.batches();
  status.entries = summary_.entries();
  status.batch_rows = summary_.batch_rows();
  status.batch_seconds = summary_.batch_seconds();
  status.session = sessions_;
  status.started = started_;
  status.published = published_at_;
  status.stands_by = stands_by_;
  status.unread = unread_.found();
  status.roll_ups = keeper_.read();
  return status;
}

}  // namespace weir::flusher
