#include "api/pg_session.h"

#include <map>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <postgresql/libpq-fe.h>

#include "api/failure.h"
#include "pg/one_line.h"

namespace weir::api {
namespace {

using boost::asio::posix::stream_descriptor;
using boost::system::error_code;
using pg::one_line;

constexpr std::chrono::seconds kGrace{2};  // beyond statement_timeout

// A function's result has other columns since a migration: what was prepared is of no use, and is
// prepared anew, once for a query.
constexpr std::string_view kFeatureNotSupported = "0A000";

constexpr const char* kSettings =
    "SELECT set_config('statement_timeout', $1, false), "
    "set_config('client_connection_check_interval', $2, false), "
    "set_config('default_transaction_read_only', 'on', false), "
    "set_config('idle_session_timeout', '0', false), "
    "set_config('client_min_messages', 'error', false), "
    "set_config('client_encoding', 'UTF8', false), "
    "set_config('DateStyle', 'ISO, YMD', false), "
    "set_config('TimeZone', 'UTC', false)";

constexpr const char* kAlone = "SET max_parallel_workers = 0";
constexpr const char* kNotAlone = "RESET max_parallel_workers";

constexpr const char* kWarmUp = "SELECT weir_api.warm_up()";

struct Clear {
  void operator()(PGresult* result) const { PQclear(result); }
};
using ResultPtr = std::unique_ptr<PGresult, Clear>;

struct Finish {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};

std::string_view field(const PGresult* result, int code) {
  const char* text = PQresultErrorField(result, code);
  return text == nullptr ? std::string_view() : std::string_view(text);
}

class PgRow final : public Row {
 public:
  PgRow(const PGresult* result, int row) : result_(result), row_(row) {}
  int columns() const override { return PQnfields(result_); }
  std::string_view name(int column) const override { return PQfname(result_, column); }
  std::optional<std::string_view> value(int column) const override {
    if (row_ < 0 || PQgetisnull(result_, row_, column) != 0) return std::nullopt;
    return std::string_view(PQgetvalue(result_, row_, column),
                            static_cast<std::size_t>(PQgetlength(result_, row_, column)));
  }

 private:
  const PGresult* result_;
  int row_;
};

}  // namespace

class PgSession::Impl : public std::enable_shared_from_this<PgSession::Impl> {
 public:
  Impl(boost::asio::io_context& loop, std::chrono::milliseconds statement_time, Events events,
       PgSession& owner)
      : loop_(loop),
        statement_time_(statement_time),
        events_(std::move(events)),
        owner_(owner),
        descriptor_(loop) {}

  void connect(const std::string& conninfo);
  void run(const std::shared_ptr<Query>& query, bool alone);
  void process();
  void drop();
  void lose(const std::string& why);
  void check(Time now);

  State state = State::resting;
  std::shared_ptr<Query> query;

 private:
  void poll_connection();
  void wait(stream_descriptor::wait_type direction, void (Impl::*then)());
  void connected();
  void send(bool sent);
  void flush();
  void flushed() { flush(); }
  void arm();
  void readable();
  bool take_result();
  void handle(const PGresult* result);
  void prepare_or_execute();
  void execute();
  void end_of_command();
  void end_of_query();

  boost::asio::io_context& loop_;
  const std::chrono::milliseconds statement_time_;
  const Events events_;
  PgSession& owner_;
  stream_descriptor descriptor_;
  std::unique_ptr<PGconn, Finish> connection_;
  std::map<std::string_view, std::string> prepared_;  // by statement: its name
  Time deadline_{};
  std::uint64_t life_ = 0;  // what waits for a descriptor of a life that is over does nothing
  std::uint64_t names_ = 0;
  bool armed_ = false, preparing_ = false, told_columns_ = false, stale_ = false, again_ = false;
  bool is_alone_ = false, turning_ = false;  // into one that is alone, or is not any more
  std::unique_ptr<Failure> failure_;
};

// Connecting ----------------------------------------------------------------------------------

void PgSession::Impl::connect(const std::string& conninfo) {
  const char* const names[] = {"dbname", "fallback_application_name", nullptr};
  const char* const values[] = {conninfo.c_str(), "weir-api", nullptr};
  ++life_;
  state = State::connecting;
  deadline_ = std::chrono::steady_clock::now() + kConnectTime;
  connection_.reset(PQconnectStartParams(names, values, /*expand_dbname=*/1));
  PQsetNoticeProcessor(
      connection_.get(), [](void*, const char*) {}, nullptr);
  boost::asio::post(loop_, [self = shared_from_this(), life = life_] {
    if (life != self->life_) return;
    if (PQstatus(self->connection_.get()) == CONNECTION_BAD) {
      return self->lose(one_line(PQerrorMessage(self->connection_.get())));
    }
    self->wait(stream_descriptor::wait_write, &Impl::poll_connection);
  });
}

// libpq may go on to another socket at each step.
void PgSession::Impl::poll_connection() {
  descriptor_.release();
  switch (PQconnectPoll(connection_.get())) {
    case PGRES_POLLING_OK:
      return connected();
    case PGRES_POLLING_READING:
      return wait(stream_descriptor::wait_read, &Impl::poll_connection);
    case PGRES_POLLING_WRITING:
      return wait(stream_descriptor::wait_write, &Impl::poll_connection);
    default:
      return lose(one_line(PQerrorMessage(connection_.get())));
  }
}

void PgSession::Impl::wait(stream_descriptor::wait_type direction, void (Impl::*then)()) {
  error_code error;
  if (!descriptor_.is_open()) descriptor_.assign(PQsocket(connection_.get()), error);
  if (error) return lose(error.message());
  descriptor_.async_wait(direction,
                         [self = shared_from_this(), life = life_, then](const error_code& failed) {
                           if (life == self->life_ && !failed) ((*self).*then)();
                         });
}

void PgSession::Impl::connected() {
  PQsetnonblocking(connection_.get(), 1);
  const std::string time = std::to_string(statement_time_.count());
  const std::string interval = std::to_string(kCheckInterval.count());
  const char* const values[] = {time.c_str(), interval.c_str()};
  state = State::setting;
  armed_ = is_alone_ = false;
  prepared_.clear();
  failure_.reset();
  send(PQsendQueryParams(connection_.get(), kSettings, 2, nullptr, values, nullptr, nullptr, 0) ==
       1);
}

// Queries -------------------------------------------------------------------------------------

void PgSession::Impl::run(const std::shared_ptr<Query>& next, bool alone) {
  query = next;
  state = State::busy;
  deadline_ = std::chrono::steady_clock::now() + statement_time_ + kGrace;
  failure_.reset();
  preparing_ = told_columns_ = stale_ = again_ = false;
  turning_ = std::exchange(is_alone_, alone) != alone;
  if (!turning_) return prepare_or_execute();
  send(PQsendQuery(connection_.get(), alone ? kAlone : kNotAlone) == 1);
}

void PgSession::Impl::prepare_or_execute() {
  const auto [place, is_new] = prepared_.try_emplace(query->sql, "weir" + std::to_string(names_));
  if (is_new) ++names_;
  preparing_ = is_new;
  if (!is_new) return execute();
  const std::string sql(query->sql);
  send(PQsendPrepare(connection_.get(), place->second.c_str(), sql.c_str(), 0, nullptr) == 1);
}

void PgSession::Impl::execute() {
  std::vector<const char*> values;
  for (const auto& param : query->params) values.push_back(param ? param->c_str() : nullptr);
  const bool sent =
      PQsendQueryPrepared(connection_.get(), prepared_.at(query->sql).c_str(),
                          static_cast<int>(values.size()), values.data(), nullptr, nullptr, 0) == 1;
  if (sent) PQsetSingleRowMode(connection_.get());
  send(sent);
}

void PgSession::Impl::send(bool sent) {
  if (!sent) return lose(one_line(PQerrorMessage(connection_.get())));
  flush();
  if (state != State::resting) arm();
}

void PgSession::Impl::flush() {
  const int left = PQflush(connection_.get());
  if (left < 0) return lose(one_line(PQerrorMessage(connection_.get())));
  if (left > 0) wait(stream_descriptor::wait_write, &Impl::flushed);
}

// An idle session listens too, so that the end of PostgreSQL is noticed at once.
void PgSession::Impl::arm() {
  if (armed_ || (query && query->paused)) return;
  armed_ = true;
  wait(stream_descriptor::wait_read, &Impl::readable);
}

void PgSession::Impl::readable() {
  armed_ = false;
  if (PQconsumeInput(connection_.get()) != 1) {
    return lose(one_line(PQerrorMessage(connection_.get())));
  }
  process();
}

void PgSession::Impl::process() {
  const auto self = shared_from_this();
  const std::uint64_t life = life_;
  while (life == life_ && state >= State::setting && state != State::idle &&
         !(query && query->paused) && PQisBusy(connection_.get()) == 0) {
    if (!take_result()) end_of_command();
  }
  if (life == life_ && state >= State::setting) arm();
}

// False: that was the command's last one.
bool PgSession::Impl::take_result() {
  const ResultPtr result(PQgetResult(connection_.get()));
  if (!result) return false;
  handle(result.get());
  return true;
}

void PgSession::Impl::handle(const PGresult* result) {
  const ExecStatusType status = PQresultStatus(result);
  const bool is_data = status == PGRES_SINGLE_TUPLE || status == PGRES_TUPLES_OK;
  if (is_data && query && !told_columns_) {
    told_columns_ = true;
    query->on_columns(PgRow(result, -1));
  }
  if (status == PGRES_SINGLE_TUPLE && query) return query->on_row(PgRow(result, 0));
  if (is_data || status == PGRES_COMMAND_OK) return;
  const std::string_view sqlstate = field(result, PG_DIAG_SQLSTATE);
  stale_ = sqlstate == kFeatureNotSupported;
  failure_ = std::make_unique<Failure>(
      failure_of(sqlstate, one_line(PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY)),
                 field(result, PG_DIAG_COLUMN_NAME)));
}

void PgSession::Impl::end_of_command() {
  if (PQstatus(connection_.get()) == CONNECTION_BAD) {
    return lose(failure_ ? failure_->sentence : one_line(PQerrorMessage(connection_.get())));
  }
  if (state == State::setting) {
    if (failure_) return lose(failure_->sentence);
    state = State::warming;
    return send(PQsendQuery(connection_.get(), kWarmUp) == 1);
  }
  if (state == State::warming) {
    failure_.reset();
    stale_ = false;
    state = State::idle;
    return events_.ready(owner_);
  }
  if (std::exchange(turning_, false) && !failure_) return prepare_or_execute();
  if (preparing_ && !failure_) {
    preparing_ = false;
    return execute();
  }
  if (preparing_ || stale_) prepared_.erase(query->sql);
  if (stale_ && !preparing_ && !std::exchange(again_, true)) {
    failure_.reset();
    stale_ = false;
    return prepare_or_execute();
  }
  end_of_query();
}

void PgSession::Impl::end_of_query() {
  const auto ended = std::exchange(query, nullptr);
  const auto failure = std::exchange(failure_, nullptr);
  const std::uint64_t life = life_;
  state = State::idle;
  end_query(ended, failure.get());
  if (life != life_ || state != State::idle) return;
  if (stale_) return lose("the schema has changed");
  events_.ready(owner_);
}

// The end -------------------------------------------------------------------------------------

void PgSession::Impl::drop() {
  ++life_;
  state = State::resting;
  armed_ = false;
  if (descriptor_.is_open()) descriptor_.release();
  connection_.reset();
  if (const auto dropped = std::exchange(query, nullptr)) forget_functions(*dropped);
}

void PgSession::Impl::lose(const std::string& why) {
  const auto self = shared_from_this();
  const auto ended = std::exchange(query, nullptr);
  const bool was_open = state == State::idle || state == State::busy;
  drop();
  events_.lost(owner_, why, was_open);
  if (!ended) return;
  const Failure failure{Failure::Kind::away, why};
  end_query(ended, &failure);
}

void PgSession::Impl::check(Time now) {
  if (state == State::resting || state == State::idle || now < deadline_) return;
  lose("PostgreSQL does not answer");
}

PgSession::PgSession(boost::asio::io_context& loop, std::chrono::milliseconds statement_time,
                     Events events)
    : impl_(std::make_shared<Impl>(loop, statement_time, std::move(events), *this)) {}

PgSession::~PgSession() { impl_->drop(); }

void PgSession::connect(const std::string& conninfo) { impl_->connect(conninfo); }
void PgSession::run(const std::shared_ptr<Query>& query, bool alone) { impl_->run(query, alone); }
void PgSession::drop() { impl_->drop(); }
void PgSession::check(Time now) { impl_->check(now); }
PgSession::State PgSession::state() const { return impl_->state; }
const Query* PgSession::query() const { return impl_->query.get(); }

void PgSession::resume() {
  impl_->query->paused = false;
  impl_->process();
}

}  // namespace weir::api
