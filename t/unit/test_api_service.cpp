#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/figure.h"
#include "api/service.h"
#include "t/unit/suite.h"

namespace {

using namespace weir::api;
using namespace std::chrono_literals;

constexpr std::size_t kChunk = Figure::kChunk;

class Texts final : public Row {
 public:
  explicit Texts(std::vector<std::string> texts) : texts_(std::move(texts)) {}
  int columns() const override { return static_cast<int>(texts_.size()); }
  std::string_view name(int) const override { return "v"; }
  std::optional<std::string_view> value(int column) const override {
    return texts_[static_cast<std::size_t>(column)];
  }

 private:
  std::vector<std::string> texts_;
};

// Keeps what it is asked until a test answers.
class Asked final : public Database {
 public:
  void run(const std::shared_ptr<Query>& query) override { queries.push_back(query); }
  void cancel(Query& query) override {
    forget_functions(query);
    ++cancelled;
  }
  void resume(Query& query) override {
    query.paused = false;
    ++resumed;
  }

  std::shared_ptr<Query> take() {
    ck_assert(!queries.empty());
    auto first = queries.front();
    queries.erase(queries.begin());
    return first;
  }
  void answer(const std::string& text) {
    const auto query = take();
    query->on_row(Texts({text}));
    end_query(query, nullptr);
  }
  void refuse(Failure::Kind kind) {
    const Failure failure{kind, "no"};
    end_query(take(), &failure);
  }

  std::vector<std::shared_ptr<Query>> queries;
  int cancelled = 0, resumed = 0;
};

class Reader final : public Client {
 public:
  void send(Response response) override { status = response.status; }
  void begin(Response head) override { status = head.status; }
  void write(std::string bytes, std::function<void()> when_written) override {
    taken += bytes.size();
    next = std::move(when_written);
  }
  void finish() override { finished = true; }
  // What was to be called once bytes are written goes with the connection.
  void cut() override {
    was_cut = true;
    next = nullptr;
  }
  void when_gone(std::function<void()> call) override { leave = std::move(call); }

  void go() {
    leave();
    next = nullptr;
  }
  void read_on() { std::exchange(next, nullptr)(); }

  int status = 0;
  std::size_t taken = 0;
  bool finished = false, was_cut = false;
  std::function<void()> next, leave;
};

struct Served {
  Asked permissions, figures, streams;
  Flights::Time now{};
  Service service{
      World{permissions, figures, streams, [this] { return now; }, [] { return 20'000; },
            [] { return std::string(); }, [] { return std::string(); }, [](std::string_view) {}},
      settings()};

  static Settings settings() {
    Settings settings;
    settings.ahead_bytes = 1 << 20;
    return settings;
  }

  std::shared_ptr<Reader> ask(const std::string& viewer, const std::string& target = "/v1/daily") {
    auto reader = std::make_shared<Reader>();
    service.answer({"GET", target, {viewer}, "", {}, true}, reader);
    return reader;
  }
  std::shared_ptr<Reader> permitted(const std::string& viewer,
                                    const std::string& target = "/v1/daily") {
    auto reader = ask(viewer, target);
    permissions.answer("acme");
    return reader;
  }
};

}  // namespace

START_TEST(who_waited_with_somebody_that_may_no_more_asks_for_himself) {
  Served served;
  const auto ada = served.permitted("ada"), eve = served.permitted("eve");
  ck_assert_uint_eq(served.figures.queries.size(), 1);
  ck_assert_view_eq(served.figures.queries[0]->owner, "ada");
  served.figures.refuse(Failure::Kind::forbidden);
  ck_assert_uint_eq(served.figures.queries.size(), 2);
  served.figures.refuse(Failure::Kind::forbidden);
  ck_assert_int_eq(ada->status, 403);
  ck_assert_int_eq(eve->status, 0);
  ck_assert_view_eq(served.figures.queries[0]->params[0].value(), "eve");
  served.figures.answer("{}");
  ck_assert_int_eq(eve->status, 200);
}
END_TEST

START_TEST(permissions_are_looked_up_apart_and_not_cancelled) {
  Served served;
  const auto ada = served.ask("ada");
  ck_assert_uint_eq(served.figures.queries.size(), 0);
  ada->go();
  ck_assert_int_eq(served.permissions.cancelled, 0);
  served.permissions.answer("acme");
  ck_assert_uint_eq(served.figures.queries.size(), 0);
  served.ask("ada");
  ck_assert_uint_eq(served.figures.queries.size(), 1);
}
END_TEST

// 64 kB a row, so that each is a chunk.
START_TEST(rows_are_read_ahead_of_a_slow_reader_and_no_further_than_allowed) {
  Served served;
  const auto slow = served.permitted("ada", "/v1/daily?format=csv");
  const auto rows = served.streams.take();
  const Texts row({std::string(kChunk, 'x')});
  int count = 0;
  while (!rows->paused && ++count < 1000) rows->on_row(row);
  ck_assert_int_ge(count, 16);
  ck_assert_int_le(count, 18);
  ck_assert_uint_le(served.service.stream_scale().bytes(), (1 << 20) + 2 * kChunk);
  const auto other = served.permitted("eve", "/v1/daily?format=csv");
  const auto others = served.streams.take();
  others->on_row(row);
  others->on_row(row);
  ck_assert_msg(others->paused, "what all hold together is bounded");
  others->on_end = [](const Failure*) {};
  while (served.streams.resumed == 0) slow->read_on();
  end_query(rows, nullptr);
  while (!slow->finished) slow->read_on();
  ck_assert_uint_ge(slow->taken, static_cast<std::size_t>(count) * kChunk);
  other->go();
  ck_assert_uint_eq(served.service.stream_scale().bytes(), 0);
}
END_TEST

START_TEST(a_stream_that_fails_in_its_midst_is_cut_off) {
  Served served;
  const auto slow = served.permitted("ada", "/v1/daily?format=csv");
  served.streams.queries[0]->on_row(Texts({std::string(kChunk, 'x')}));
  served.streams.refuse(Failure::Kind::too_slow);
  ck_assert(slow->was_cut && !slow->finished);
}
END_TEST

static const weir_test::Register kRegistered(
    "api_service", {who_waited_with_somebody_that_may_no_more_asks_for_himself,
                    permissions_are_looked_up_apart_and_not_cancelled,
                    rows_are_read_ahead_of_a_slow_reader_and_no_further_than_allowed,
                    a_stream_that_fails_in_its_midst_is_cut_off});
