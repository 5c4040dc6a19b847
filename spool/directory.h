// The spool's directory, which all workers share: what lies in it, who may have which file, and how
// much there may be. Runs in the background, for several jobs at once; it keeps no state.
//
//   Directory directory(settings, files);
//   Fault fault = directory.create(size, created);   // a new segment, locked and reserved
//   Fault fault = directory.look(view);              // what there is
//   directory.take(skip, taken);                     // the oldest segment that nobody has
//
// Whoever has a segment open for writing or draining holds a lock (flock) on it, which the kernel
// takes back when the process ends, however it ends. Whoever makes or takes a file holds the lock
// of the file `lock` for that moment, so that the sum of all files is exact and none is taken
// before its maker has locked it. That lock is waited for 200 ms: its holder may be stopped.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/spool/format.h"
#include "core/spool/settings.h"
#include "spool/fault.h"
#include "spool/files.h"

namespace weir {

// A segment that this process has locked.
struct Segment {
  std::string name;
  Fd fd;
  std::uint64_t size = 0;
  SegmentHeader header;
};

// All of the directory at one moment.
struct SpoolView {
  // A segment whose header is damaged, of a newer version or out of reach.
  struct LeftAlone {
    std::string name;
    const char* why;
  };

  std::uint64_t bytes = 0;  // as the limit counts them
  std::uint64_t records = 0;
  std::uint64_t segments = 0;  // with records that can be drained
  Timestamp oldest = 0;        // when the oldest of these was begun; 0: there are none
  std::vector<LeftAlone> left_alone;
  Fault fault;       // why no new segment could be made now
  Fault take_fault;  // why none could be taken over
};

class Directory {
 public:
  Directory(SpoolSettings settings, Files& files);

  const SpoolSettings& settings() const { return settings_; }
  Files& files() const { return files_; }
  std::string path(std::string_view name) const;

  // Makes a segment of `size` bytes, with its header, not yet synced.
  Fault create(std::uint64_t size, Segment& made) const;

  // Segments that `hidden` names neither count as left alone nor as records to come.
  using Hidden = std::function<bool(const std::string& name)>;
  Fault look(const Hidden& hidden, SpoolView& view) const;

  // Takes the oldest segment over that nobody holds, with its header read; `taken.fd` is empty
  // where there is none. Segments in which nothing was ever written are removed on the way.
  Fault take(const Hidden& hidden, Segment& taken) const;

  // Puts `ranges` of the segment, each from and to, into NAME.bad, synced.
  using Ranges = std::vector<std::pair<std::uint64_t, std::uint64_t>>;
  Fault set_aside(const Segment& segment, const Ranges& ranges) const;

  // Puts whole frames into NAME.refused, likewise, which is a segment as soon as its name says so.
  Fault set_refused_aside(const Segment& segment, const Ranges& frames) const;

  // Removes the segment for good.
  Fault remove(const Segment& segment) const;

  Fault sync() const;

  // The segment's name still leads to it.
  bool has(const Segment& segment) const { return is_linked(segment.fd.number(), segment.name); }

  // It is no longer as long as it was made.
  bool is_shortened(const Segment& segment) const;

 private:
  struct Entry {
    std::string name;
    std::uint64_t bytes;
    std::uint64_t inode;
  };

  Fault lock(Fd& held) const;
  Fault list(std::vector<Entry>& entries, std::uint64_t& bytes) const;
  Fault room_for(std::uint64_t bytes) const;
  Fault fill(Segment& segment) const;
  Fault write_zeros(int fd, std::uint64_t size) const;
  Fault open_named(Timestamp created, Segment& made) const;
  bool take_one(const Entry& entry, Segment& taken) const;
  bool is_linked(int fd, const std::string& name) const;
  bool is_zero(int fd, std::uint64_t size) const;
  Fault copy(int from, int to, const Ranges& ranges, std::uint64_t at) const;
  Fault copy_aside(const Segment& segment, const Ranges& ranges, const std::string& name,
                   std::string_view header) const;
  int read_header(int fd, HeaderState& state, SegmentHeader& header) const;
  void count(const Entry& entry, SpoolView& view) const;

  SpoolSettings settings_;
  Files& files_;
};

// Writes all of `bytes` at `at`.
Fault write_all(Files& files, int fd, std::string_view bytes, std::uint64_t at);

}  // namespace weir
