#include "flusher/summary.h"

#include "daemon/log.h"
#include "daemon/notify.h"

namespace weir::flusher {

void Summary::add(const Stored& stored, std::size_t entries, Clock::duration took) {
  stored_.rows += stored.rows;
  stored_.duplicates += stored.duplicates;
  stored_.dead += stored.dead;
  if (stored_.first_sqlstate.empty()) stored_.first_sqlstate = stored.first_sqlstate;
  entries_ += entries;
  ++batches_;
  took_ += took;
  all_rows_ += stored.rows;
  all_duplicates_ += stored.duplicates;
  all_dead_ += stored.dead;
  all_entries_ += entries;
  ++all_batches_;
  rows_.Observe(static_cast<double>(stored.rows + stored.duplicates + stored.dead));
  seconds_.Observe(std::chrono::duration<double>(took).count());
  tell();
}

void Summary::tell(bool now) {
  if (batches_ == 0 || (!now && Clock::now() - told_at_ < std::chrono::seconds(1))) return;
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(took_).count();
  daemon::log_info("stored", {{"rows", stored_.rows},
                              {"duplicates", stored_.duplicates},
                              {"dead", stored_.dead},
                              {"entries", entries_},
                              {"batches", batches_},
                              {"duration_ms", ms}});
  if (stored_.dead > 0) {
    daemon::log_warn("some rows or records could not be stored, see the table dead_letters",
                     {{"dead", stored_.dead}, {"sqlstate", stored_.first_sqlstate}});
  }
  daemon::notify_status("stored " + std::to_string(all_rows_) + " rows since the start");
  stored_ = {};
  entries_ = batches_ = 0;
  took_ = {};
  told_at_ = Clock::now();
}

}  // namespace weir::flusher
