#include "spool/spool.h"

#include <algorithm>

#include "core/spool/lines.h"
#include "spool/commits.h"
#include "spool/directory.h"
#include "spool/drains.h"
#include "spool/files.h"

namespace weir {

class Spool::State {
 public:
  State(const SpoolSettings& settings, Background& background, SpoolLog& log, Files* given)
      : directory(settings, given == nullptr ? own_files : *given),
        lines(log),
        commits(directory, background, lines, counted),
        drains(directory, background, lines, commits, counted) {
    counted.configured = true;
    counted.limit = settings.size;
  }

  Files own_files;
  Directory directory;
  Lines lines;
  SpoolStatus counted;
  Commits commits;
  Drains drains;
};

Spool::Spool(const SpoolSettings& settings, Background& background, SpoolLog& log, Files* files)
    : state_(std::make_unique<State>(settings, background, log, files)) {}

Spool::~Spool() = default;

void Spool::start(Time now) noexcept {
  state_->lines.tick(now);
  state_->commits.tick(now);
  state_->drains.start(now);
}

bool Spool::submit(std::string_view record, SpoolCustomer& customer,
                   std::uint8_t replicas) noexcept {
  return state_->commits.submit(record, customer, replicas);
}

SpoolStatus Spool::status() const noexcept {
  SpoolStatus status = state_->counted;
  state_->drains.fill(status);
  const Fault& fault = state_->commits.failing() ? state_->commits.fault() : state_->drains.fault();
  // A segment that is open has room for more, as far as is known.
  status.can_take = !state_->commits.failing() && (!fault || state_->commits.has_segment());
  status.why = status.can_take ? "" : fault.why();
  return status;
}

void Spool::tick(Time now, DrainSink* sink) noexcept {
  state_->lines.tick(now);
  state_->commits.tick(now);
  state_->drains.tick(now, sink);
}

Spool::Time Spool::due() const noexcept {
  const Time drains = state_->drains.due();
  return std::min(drains, state_->commits.due().value_or(drains));
}

void Spool::leave() noexcept {
  state_->commits.leave();
  state_->drains.leave();
}

bool Spool::busy() const noexcept { return state_->commits.busy(); }

}  // namespace weir
