// How many entries the next XREAD asks for. A batch ends at a number of rows or of bytes, but XREAD
// counts entries only, and an entry holds anything from 200 bytes to some megabytes. So a batch is
// read in several steps, each as long as the rest of the batch would hold of entries like the
// largest seen lately.
//
// Bound: a batch holds at most batch_bytes and one step; a step is at most kMostEntries entries,
// and at most twice as many as the step before. Where entries suddenly grow, one step is too long
// once. Where the rows of a step are not kept, a step may have kMostStreamed entries, of about
// kStreamedBytes by what was seen of the batch. A batch that took PostgreSQL too long makes the
// next one half as large, down to a 1024th; each that was quick doubles it again. So no transaction
// takes much longer than kLongest, however slow the server is, or however many rows it has to look
// for since they are there already: until its end nobody sees its rows, and no dead row goes.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace weir::flusher {

class ReadSize {
 public:
  static constexpr std::size_t kMostEntries = 64;
  static constexpr std::size_t kMostStreamed = 512;  // entries of a step whose rows are not kept
  static constexpr std::size_t kStreamedBytes = 256 << 10;  // of such a step, about
  static constexpr std::chrono::seconds kLongest{5};        // of a transaction
  static constexpr std::size_t kFirstGuess = 64 << 10;  // bytes of an entry, before any was seen

  ReadSize(std::size_t batch_rows, std::size_t batch_bytes)
      : batch_rows_(batch_rows), batch_bytes_(batch_bytes) {}

  // A new batch: large entries of the past count for half of what they did.
  void begin_batch() {
    if (largest_here_ > 0) largest_ = std::max<std::size_t>(largest_ / 2, largest_here_);
    largest_here_ = 0;
    last_step_ = kMostEntries / 2;
  }

  // PostgreSQL gave up on a batch, or took so long to store it.
  void too_long() { halvings_ = std::min(halvings_ + 1, kMostHalvings); }
  void stored_in(std::chrono::steady_clock::duration time) {
    if (time > kLongest) too_long();
    if (time < kLongest / 3) halvings_ = std::max(halvings_ - 1, 0);
  }

  // `entries` came, the largest of `largest` bytes.
  void took(std::size_t entries, std::size_t largest) {
    last_step_ = std::max<std::size_t>(entries, 1);
    largest = std::max<std::size_t>(largest, 1);
    largest_here_ = std::max(largest_here_, largest);
    largest_ = std::max(largest_, largest);
  }

  // Entries to ask for when the batch holds `rows` and `bytes`; 0 when it is full.
  std::size_t next(std::size_t rows, std::size_t bytes) const {
    const std::size_t most_rows = std::max<std::size_t>(1, batch_rows_ >> halvings_);
    const std::size_t most_bytes = std::max<std::size_t>(1, batch_bytes_ >> halvings_);
    if (rows >= most_rows || bytes >= most_bytes) return 0;
    const std::size_t fitting = (most_bytes - bytes) / largest_;
    const std::size_t most = std::min({kMostEntries, 2 * last_step_, most_rows - rows});
    return std::max<std::size_t>(1, std::min(fitting, most));
  }

  // The same where the rows of a step go on at once (Store::stream()), so that only it is in
  // memory. What was seen of this batch tells what the next step holds; who has seen nothing calls
  // next().
  std::size_t next_streamed() const {
    const std::size_t fitting =
        std::min(kStreamedBytes, batch_bytes_) / std::max<std::size_t>(largest_here_, 1);
    return std::max<std::size_t>(1, std::min({kMostStreamed, 2 * last_step_, fitting}));
  }

  // The last batch took PostgreSQL too long, or one of the batches before it.
  bool is_halved() const { return halvings_ > 0; }

 private:
  static constexpr int kMostHalvings = 10;

  std::size_t batch_rows_, batch_bytes_;
  int halvings_ = 0;
  std::size_t largest_ = kFirstGuess;
  std::size_t largest_here_ = 0;  // in this batch
  std::size_t last_step_ = kMostEntries / 2;
};

}  // namespace weir::flusher
