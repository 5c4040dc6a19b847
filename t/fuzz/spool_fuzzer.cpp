// Whatever a disk holds, SegmentReader walks through it once: each byte belongs to a record, to
// damage, to a torn tail or to the zeros behind, in order, and the same come out in pieces of any
// size.
//
// The first byte says how large the pieces are. The rest is a segment; where the second byte says
// so, its frames' checksums are made right, so that the fuzzer gets past them.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/spool/format.h"
#include "core/spool/reader.h"
#include "t/fuzz/require.h"

namespace {

using weir::SegmentReader;

struct Found {
  SegmentReader::What what;
  std::uint64_t from, to;

  bool operator==(const Found& other) const {
    return what == other.what && from == other.from && to == other.to;
  }
};

// Pretends that the writer knew what it did: wherever a marker stands, a frame of up to 200 bytes.
void mend(std::string& file, std::uint32_t salt) {
  std::size_t at = weir::kSegmentHeaderSize;
  while ((at = file.find("\xf5WR\xf6", at)) != std::string::npos) {
    if (file.size() - at < weir::kFrameHeaderSize) return;
    const auto wanted = static_cast<unsigned char>(file[at + 7]) % 200U;
    const std::size_t room = file.size() - at - weir::kFrameHeaderSize;
    if (wanted <= room) weir::fill_frame_header(file.data() + at, wanted, salt, 1);
    at += weir::kFrameHeaderSize + std::min<std::size_t>(wanted, room);
  }
}

std::vector<Found> read(const weir::SegmentHeader& header, std::string_view file,
                        std::size_t piece) {
  SegmentReader reader(header, file.size());
  std::vector<Found> found;
  std::size_t begin = weir::kSegmentHeaderSize, end = begin;
  std::uint64_t last = begin;
  for (std::size_t steps = 0;; ++steps) {
    REQUIRE(steps <= 4 * file.size() + 4);
    const auto step = reader.next(file.substr(begin, end - begin));
    REQUIRE(step.used <= end - begin);
    begin += step.used;
    if (step.what == SegmentReader::What::more) {
      REQUIRE(begin == reader.position());
      REQUIRE(begin + reader.wanted() > end && begin + reader.wanted() <= file.size());
      end = std::min(file.size(), begin + std::max(reader.wanted(), piece));
      continue;
    }
    if (step.what == SegmentReader::What::record) {
      found.push_back({step.what, begin - step.record.size(), begin});
      REQUIRE(file.substr(begin - step.record.size(), step.record.size()) == step.record);
    } else if (step.what == SegmentReader::What::damage) {
      found.push_back({step.what, step.from, step.to});
    } else {
      REQUIRE(reader.torn() <= file.size() - last);
      found.push_back({step.what, reader.torn(), 0});
      return found;
    }
    REQUIRE(found.back().from >= last && found.back().to >= found.back().from);
    REQUIRE(found.back().to <= file.size());
    last = found.back().to;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t piece = 1 + data[0];
  std::string file(reinterpret_cast<const char*>(data + 2), size - 2);
  weir::SegmentHeader header;
  if (weir::read_segment_header(file, header) != weir::HeaderState::fine) {
    file.resize(std::max(file.size(), weir::kSegmentHeaderSize));
    header = {};
    header.progress.bytes = data[1] / 2;
  }
  if (data[1] % 2 == 1) mend(file, header.salt);
  REQUIRE(read(header, file, piece) == read(header, file, file.size()));
  return 0;
}
