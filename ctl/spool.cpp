// weirctl spool list|check DIR: what lies in a spool's directory, without touching it. Servers may
// run meanwhile: what they remove under our hands is left out, and what they are writing is read as
// far as it goes. docs/spool.md tells what stands in the files.
#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iomanip>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "core/spool/amount.h"
#include "core/spool/format.h"
#include "core/spool/name.h"
#include "core/spool/reader.h"
#include "ctl/command.h"
#include "spool/fault.h"
#include "spool/files.h"

namespace weir::ctl {
namespace {

struct Look {
  HeaderState state = HeaderState::damaged;
  SegmentHeader header;
  std::uint64_t size = 0;
  int error = 0;  // it cannot be read: an errno
};

// What a whole look through a segment finds.
struct Contents {
  std::uint64_t records = 0, bytes = 0;  // whole ones
  std::uint64_t damaged = 0;             // places
  std::uint64_t torn = 0;                // bytes
  int error = 0;
};

// None where the file is gone.
std::optional<Look> look_at(Files& files, const std::string& path, Fd& fd) {
  Look look;
  fd = Fd(files.open(path, O_RDONLY, 0));
  if (fd.error() == ENOENT) return std::nullopt;
  look.error = fd.error();
  if (!fd) return look;
  struct stat status {};
  std::array<char, kSegmentHeaderSize> bytes{};
  const std::int64_t count = files.read(fd.number(), bytes.data(), bytes.size(), 0);
  look.error = count < 0 ? static_cast<int>(-count) : -files.status(fd.number(), status);
  if (look.error != 0) return look;
  look.size = static_cast<std::uint64_t>(status.st_size);
  look.state = read_segment_header({bytes.data(), static_cast<std::size_t>(count)}, look.header);
  return look;
}

Contents read_through(Files& files, const Fd& fd, const Look& look) {
  constexpr std::size_t kChunk = 1U << 20;
  SegmentReader reader(look.header, look.size);
  Contents contents;
  std::string window;
  std::uint64_t at = kSegmentHeaderSize;
  for (;;) {
    const auto step = reader.next(window);
    window.erase(0, step.used);
    switch (step.what) {
      case SegmentReader::What::record:
        ++contents.records;
        contents.bytes += step.record.size();
        break;
      case SegmentReader::What::damage:
        ++contents.damaged;
        break;
      case SegmentReader::What::end:
        contents.torn = reader.torn();
        return contents;
      case SegmentReader::What::more: {
        const std::size_t held = window.size();
        window.resize(std::max(kChunk, reader.wanted()));
        const std::int64_t count =
            files.read(fd.number(), window.data() + held, window.size() - held, at);
        // Shortened meanwhile: its worker has closed it.
        if (count <= 0) contents.error = static_cast<int>(-count);
        if (count <= 0) return contents;
        window.resize(held + static_cast<std::size_t>(count));
        at += static_cast<std::uint64_t>(count);
      }
    }
  }
}

std::string age(Timestamp created, Timestamp now) {
  const auto seconds = std::max<Timestamp>(now - created, 0) / kMicrosPerSecond;
  if (seconds < 120) return std::to_string(seconds) + " s";
  if (seconds < 7200) return std::to_string(seconds / 60) + " min";
  return std::to_string(seconds / 3600) + " h";
}

std::string describe(const Look& look, Timestamp now) {
  if (look.error != 0) return "cannot be read: " + Fault::of(look.error).sentence();
  switch (look.state) {
    case HeaderState::empty:
      return "not begun";
    case HeaderState::damaged:
      return "no segment, or its header is damaged";
    case HeaderState::newer:
      return "of version " + std::to_string(look.header.version) + ": it takes a newer Weir";
    case HeaderState::fine:
      break;
  }
  return amount(look.header.progress.records, "record", "records") + ", begun " +
         age(look.header.created, now) + " ago by process " + std::to_string(look.header.writer);
}

std::string describe(const Contents& contents) {
  std::string text = amount(contents.records, "whole record", "whole records") + " of " +
                     amount(contents.bytes, "byte", "bytes");
  if (contents.damaged > 0) {
    text += ", " + amount(contents.damaged, "damaged place", "damaged places");
  }
  if (contents.torn > 0) text += ", a torn tail of " + amount(contents.torn, "byte", "bytes");
  if (contents.error != 0) text += "; " + Fault::of(contents.error).sentence();
  return text;
}

// True: nothing is wrong with it.
bool show(Files& files, const std::string& directory, const std::string& name, bool check) {
  Fd fd;
  const auto look = look_at(files, directory + '/' + name, fd);
  if (!look) return true;
  std::cout << name << "  " << std::setw(10) << look->size << " bytes  "
            << describe(*look, files.clock());
  bool good =
      look->error == 0 && look->state != HeaderState::damaged && look->state != HeaderState::newer;
  if (check && look->error == 0 && look->state == HeaderState::fine) {
    const Contents contents = read_through(files, fd, *look);
    std::cout << "; " << describe(contents);
    good = contents.damaged == 0 && contents.error == 0;
  }
  std::cout << "\n";
  return good;
}

std::string why_not_listed(int error) {
  if (error == ENOENT) return "there is no such directory";
  if (error == ENOTDIR) return "it is no directory; name the one that weir_spool names";
  if (error == EACCES) return "this user may not read it; run weirctl as the web server's user";
  return Fault::of(error).sentence();
}

int show_all(const std::string& directory, bool check) {
  Files files;
  std::vector<std::string> names;
  if (const int error = files.list(directory, names); error < 0) {
    return fail("cannot list " + directory + ": " + why_not_listed(-error));
  }
  std::sort(names.begin(), names.end());
  std::size_t segments = 0, bad = 0, set_aside = 0;
  for (const std::string& name : names) {
    if (is_set_aside_name(name)) ++set_aside;
    if (!is_segment_name(name)) continue;
    ++segments;
    if (!show(files, directory, name, check)) ++bad;
  }
  std::cout << amount(segments, "segment", "segments") << ", " << amount(set_aside, "file", "files")
            << " with what was set aside" << std::endl;
  if (bad == 0) return kDone;
  return fail(amount(bad, "of them is", "of them are") +
              " damaged, of a newer version or out of reach: docs/spool.md says what to do");
}

void add_spool(CLI::App& app, int& status) {
  auto directory = std::make_shared<std::string>();
  CLI::App* spool = app.add_subcommand("spool", "Look into a spool's directory");
  spool->require_subcommand(1);
  const auto add = [&](const char* name, const char* about, bool check) {
    CLI::App* command = spool->add_subcommand(name, about);
    command->add_option("DIR", *directory, "The directory that weir_spool names")->required();
    command->callback([directory, check, &status] { status = show_all(*directory, check); });
  };
  add("list", "Tell of each segment how old it is and how much is in it", false);
  add("check", "Read all segments through, and exit with 1 if one is damaged", true);
}

const Register kRegistered(add_spool);

}  // namespace
}  // namespace weir::ctl
