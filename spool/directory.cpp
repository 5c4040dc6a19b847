#include "spool/directory.h"

#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "core/spool/name.h"

namespace weir {
namespace {

constexpr std::uint64_t kBlock = 4096;
constexpr int kLockTries = 100;
constexpr int kNameTries = 16;
constexpr mode_t kMode = 0600;

// A file with holes may claim any size, and takes as long to read as if it had it.
constexpr const char* kTooLarge = "it is larger than a segment can be";

// What a file may take of the disk: its size or its blocks, and one block for the file system's own
// notes on where these are.
std::uint64_t cost(const struct stat& status) {
  const auto size = static_cast<std::uint64_t>(status.st_size);
  return std::max(size + kBlock, static_cast<std::uint64_t>(status.st_blocks) * 512);
}

const char* unreadable(int error) {
  return error == EACCES || error == EPERM ? "it belongs to another user" : "it cannot be read";
}

const char* unknown(HeaderState state) {
  return state == HeaderState::newer ? "it was written by a newer Weir"
                                     : "its header is damaged, or it is no segment";
}

std::uint32_t random_salt(Timestamp created) {
  std::uint32_t salt = 0;
  if (getrandom(&salt, sizeof salt, GRND_NONBLOCK) == sizeof salt) return salt;
  return static_cast<std::uint32_t>(created * 2654435761);
}

std::uint64_t bytes_in(const Directory::Ranges& ranges) {
  std::uint64_t bytes = 0;
  for (const auto& [from, to] : ranges) bytes += to - from;
  return bytes;
}

}  // namespace

Fault write_all(Files& files, int fd, std::string_view bytes, std::uint64_t at) {
  while (!bytes.empty()) {
    const std::int64_t written = files.write(fd, bytes.data(), bytes.size(), at);
    if (written <= 0) return Fault::of(written == 0 ? ENOSPC : static_cast<int>(-written));
    bytes.remove_prefix(static_cast<std::size_t>(written));
    at += static_cast<std::uint64_t>(written);
  }
  return {};
}

Directory::Directory(SpoolSettings settings, Files& files)
    : settings_(std::move(settings)), files_(files) {}

std::string Directory::path(std::string_view name) const {
  return settings_.directory + '/' + std::string(name);
}

Fault Directory::lock(Fd& held) const {
  const std::string name(kSpoolLock);
  for (int i = 0; i < kLockTries; ++i) {
    if (!held) held = Fd(files_.open(path(name), O_RDWR | O_CREAT, kMode));
    if (!held) return Fault::of(held.error());
    const int error = -files_.lock(held.number());
    if (error == 0 && is_linked(held.number(), name)) return {};
    if (error != 0 && error != EWOULDBLOCK) return Fault::of(error);
    // Somebody removed the file by hand: its lock keeps nobody away.
    if (error == 0) held.close();
    files_.pause();
  }
  return Fault("another process holds the lock of its directory");
}

Fault Directory::list(std::vector<Entry>& entries, std::uint64_t& bytes) const {
  std::vector<std::string> names;
  if (const int error = files_.list(settings_.directory, names); error < 0) {
    return Fault::of(-error);
  }
  std::sort(names.begin(), names.end());
  bytes = 0;
  for (const std::string& name : names) {
    struct stat status {};
    // It counts itself too, and may have been drained since.
    if (name == ".." || files_.status(path(name), status) < 0) continue;
    bytes += cost(status);
    if (S_ISREG(status.st_mode) && is_segment_name(name)) {
      entries.push_back({name, static_cast<std::uint64_t>(status.st_size), status.st_ino});
    }
  }
  return {};
}

Fault Directory::room_for(std::uint64_t bytes) const {
  std::vector<Entry> entries;
  std::uint64_t held = 0;
  if (auto fault = list(entries, held)) return fault;
  if (held + bytes + kBlock > settings_.size) return Fault("it is as large as its size= allows");
  struct statvfs space {};
  if (const int error = files_.space(settings_.directory, space); error < 0) {
    return Fault::of(-error);
  }
  const std::uint64_t block = space.f_frsize;
  if (space.f_bavail * block < bytes + reserve(settings_, space.f_blocks * block)) {
    return Fault("its file system has no more room than its free= leaves to others");
  }
  return {};
}

Fault Directory::open_named(Timestamp created, Segment& made) const {
  const auto writer = static_cast<std::uint32_t>(getpid());
  for (int i = 0; i < kNameTries; ++i, ++created) {
    made.name = segment_name(created, writer);
    made.fd = Fd(files_.open(path(made.name), O_RDWR | O_CREAT | O_EXCL, kMode));
    if (made.fd || made.fd.error() != EEXIST) break;
  }
  if (!made.fd) return Fault::of(made.fd.error());
  made.header = {};
  made.header.salt = random_salt(created);
  made.header.created = created;
  made.header.writer = writer;
  return Fault::of(-files_.lock(made.fd.number()));
}

Fault Directory::write_zeros(int fd, std::uint64_t size) const {
  const std::string zeros(static_cast<std::size_t>(std::min<std::uint64_t>(size, 1U << 20)), '\0');
  for (std::uint64_t at = 0; at < size; at += zeros.size()) {
    const auto piece = static_cast<std::size_t>(std::min<std::uint64_t>(zeros.size(), size - at));
    if (auto fault = write_all(files_, fd, {zeros.data(), piece}, at)) return fault;
  }
  return {};
}

// Reserves the disk for it, so that a disk that is full says so now and not in the middle of a
// write.
Fault Directory::fill(Segment& segment) const {
  const int fd = segment.fd.number();
  const int error = -files_.reserve(fd, segment.size);
  if (error == EOPNOTSUPP || error == ENOSYS) {
    if (auto fault = write_zeros(fd, segment.size)) return fault;
  } else if (error != 0) {
    return Fault::of(error);
  }
  segment.header.progress = {kSegmentHeaderSize, 0};
  const auto header = encode_segment_header(segment.header);
  return write_all(files_, fd, {header.data(), header.size()}, 0);
}

Fault Directory::create(std::uint64_t size, Segment& made) const {
  size = (size + kBlock - 1) / kBlock * kBlock;
  Fd held;
  if (auto fault = lock(held)) return fault;
  if (auto fault = room_for(size)) return fault;
  Fault fault = open_named(files_.clock(), made);
  if (!fault) {
    made.size = size;
    fault = fill(made);
  }
  if (!fault) return {};
  if (made.fd) files_.remove(path(made.name));
  made.fd.close();
  return fault;
}

bool Directory::is_linked(int fd, const std::string& name) const {
  struct stat opened {
  }, named{};
  if (files_.status(fd, opened) < 0 || opened.st_nlink == 0) return false;
  if (files_.status(path(name), named) < 0) return false;
  return opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

// What is written behind the end of such a file leaves a hole where the header was.
bool Directory::is_shortened(const Segment& segment) const {
  struct stat status {};
  if (files_.status(segment.fd.number(), status) < 0) return true;
  return static_cast<std::uint64_t>(status.st_size) < segment.size;
}

int Directory::read_header(int fd, HeaderState& state, SegmentHeader& header) const {
  std::array<char, kSegmentHeaderSize> bytes{};
  const std::int64_t count = files_.read(fd, bytes.data(), bytes.size(), 0);
  if (count < 0) return static_cast<int>(-count);
  state = read_segment_header({bytes.data(), static_cast<std::size_t>(count)}, header);
  return 0;
}

void Directory::count(const Entry& entry, SpoolView& view) const {
  if (entry.bytes > kMostSegment) {
    view.left_alone.push_back({entry.name, kTooLarge});
    return;
  }
  const Fd fd(files_.open(path(entry.name), O_RDONLY, 0));
  if (!fd && fd.error() == ENOENT) return;
  HeaderState state = HeaderState::damaged;
  SegmentHeader header;
  const int error = fd ? read_header(fd.number(), state, header) : fd.error();
  if (error == 0 && state == HeaderState::empty && !is_zero(fd.number(), entry.bytes)) {
    state = HeaderState::damaged;
  }
  if (error != 0 || state == HeaderState::damaged || state == HeaderState::newer) {
    view.left_alone.push_back({entry.name, error != 0 ? unreadable(error) : unknown(state)});
    return;
  }
  // A count that the file cannot hold is none.
  const std::uint64_t records = std::min(header.progress.records, entry.bytes / kFrameHeaderSize);
  if (state == HeaderState::empty || (records == 0 && header.progress.bytes != 0)) return;
  view.records += records;
  ++view.segments;
  if (view.oldest == 0 || header.created < view.oldest) view.oldest = header.created;
}

Fault Directory::look(const Hidden& hidden, SpoolView& view) const {
  view = {};
  std::vector<Entry> entries;
  view.fault = list(entries, view.bytes);
  if (view.fault) return view.fault;
  for (const Entry& entry : entries) {
    if (!hidden(entry.name)) count(entry, view);
  }
  view.fault = Fault::of(-files_.may_write(settings_.directory));
  if (!view.fault) view.fault = room_for(settings_.segment);
  return {};
}

bool Directory::is_zero(int fd, std::uint64_t size) const {
  std::string bytes(64 << 10, '\0');
  for (std::uint64_t at = 0; at < size;) {
    const std::int64_t count = files_.read(fd, bytes.data(), bytes.size(), at);
    if (count <= 0) return count == 0;
    const std::string_view seen(bytes.data(), static_cast<std::size_t>(count));
    if (seen.find_first_not_of('\0') != std::string_view::npos) return false;
    at += static_cast<std::uint64_t>(count);
  }
  return true;
}

bool Directory::take_one(const Entry& entry, Segment& taken) const {
  if (entry.bytes > kMostSegment) return false;
  Fd fd(files_.open(path(entry.name), O_RDONLY, 0));
  if (!fd || files_.lock(fd.number()) != 0 || !is_linked(fd.number(), entry.name)) return false;
  struct stat status {};
  HeaderState state = HeaderState::damaged;
  if (files_.status(fd.number(), status) < 0) return false;
  if (read_header(fd.number(), state, taken.header) != 0) return false;
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (state == HeaderState::empty && is_zero(fd.number(), size)) files_.remove(path(entry.name));
  if (state != HeaderState::fine) return false;
  taken.name = entry.name;
  taken.fd = std::move(fd);
  taken.size = size;
  return true;
}

Fault Directory::take(const Hidden& hidden, Segment& taken) const {
  Fd held;
  if (auto fault = lock(held)) return fault;
  std::vector<Entry> entries;
  std::uint64_t bytes = 0;
  if (auto fault = list(entries, bytes)) return fault;
  for (const Entry& entry : entries) {
    if (!hidden(entry.name) && take_one(entry, taken)) break;
  }
  return {};
}

// To `to`, from its byte `written` on.
Fault Directory::copy(int from, int to, const Ranges& ranges, std::uint64_t written) const {
  std::string bytes;
  for (auto [at, end] : ranges) {
    while (at < end) {
      bytes.resize(static_cast<std::size_t>(std::min<std::uint64_t>(end - at, 1U << 20)));
      const std::int64_t count = files_.read(from, bytes.data(), bytes.size(), at);
      if (count < 0) return Fault::of(static_cast<int>(-count));
      if (count == 0) break;
      bytes.resize(static_cast<std::size_t>(count));
      if (auto fault = write_all(files_, to, bytes, written)) return fault;
      written += bytes.size();
      at += bytes.size();
    }
  }
  return {};
}

Fault Directory::copy_aside(const Segment& segment, const Ranges& ranges, const std::string& name,
                            std::string_view header) const {
  Fd held;
  if (auto fault = lock(held)) return fault;
  if (auto fault = room_for(header.size() + bytes_in(ranges))) return fault;
  const Fd fd(files_.open(path(name), O_RDWR | O_CREAT | O_TRUNC, kMode));
  if (!fd) return Fault::of(fd.error());
  Fault fault = write_all(files_, fd.number(), header, 0);
  if (!fault) fault = copy(segment.fd.number(), fd.number(), ranges, header.size());
  if (!fault) fault = Fault::of(-files_.sync(fd.number()));
  if (!fault) fault = sync();
  if (fault) files_.remove(path(name));
  return fault;
}

Fault Directory::set_aside(const Segment& segment, const Ranges& ranges) const {
  return copy_aside(segment, ranges, bad_name(segment.name), {});
}

Fault Directory::set_refused_aside(const Segment& segment, const Ranges& frames) const {
  SegmentHeader header = segment.header;
  header.progress = {kSegmentHeaderSize + bytes_in(frames), frames.size()};
  const auto bytes = encode_segment_header(header);
  return copy_aside(segment, frames, refused_name(segment.name), {bytes.data(), bytes.size()});
}

Fault Directory::remove(const Segment& segment) const {
  if (!has(segment)) return {};
  const int error = -files_.remove(path(segment.name));
  if (error != 0 && error != ENOENT) return Fault::of(error);
  // Should this fail, the segment may come back after a power cut and be sent again, no worse.
  static_cast<void>(sync());
  return {};
}

Fault Directory::sync() const {
  const Fd fd(files_.open(settings_.directory, O_RDONLY | O_DIRECTORY, 0));
  if (!fd) return Fault::of(fd.error());
  return Fault::of(-files_.sync(fd.number()));
}

}  // namespace weir
