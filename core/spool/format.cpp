#include "core/spool/format.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>

namespace weir {
namespace {

// "WEIRSP", and an end of line as on no Unix: a copy that was mistaken for text is noticed.
constexpr std::string_view kMagic{"WEIRSP\r\n", 8};

// 0xf5 and 0xf6 are in no UTF-8 text, so hardly in a record.
constexpr std::string_view kMarker{"\xf5WR\xf6", 4};

constexpr std::size_t kHeaderChecksumAt = 28;
constexpr std::size_t kFrameChecksumAt = 12;

template <class T>
void put(char* to, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    to[i] = static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * (sizeof(T) - 1 - i)));
  }
}

template <class T>
T get(std::string_view from, std::size_t at) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value = value << 8 | static_cast<unsigned char>(from[at + i]);
  }
  return static_cast<T>(value);
}

std::uint32_t checksum(std::uint32_t salt, std::string_view bytes) {
  char salted[4];
  put(salted, salt);
  const auto* start = reinterpret_cast<const Bytef*>(salted);
  const auto* data = reinterpret_cast<const Bytef*>(bytes.data());
  return static_cast<std::uint32_t>(crc32_z(crc32_z(0, start, sizeof salted), data, bytes.size()));
}

bool all_zero(std::string_view bytes) {
  return bytes.find_first_not_of('\0') == std::string_view::npos;
}

void read_progress(std::string_view bytes, SegmentHeader& header) {
  const std::string_view progress = bytes.substr(kProgressAt, kProgressSize);
  if (get<std::uint32_t>(progress, 16) != checksum(header.salt, progress.substr(0, 16))) return;
  header.progress = {get<std::uint64_t>(progress, 0), get<std::uint64_t>(progress, 8)};
}

}  // namespace

std::array<char, kProgressSize> encode_progress(const SegmentHeader& header) {
  std::array<char, kProgressSize> bytes{};
  put(bytes.data(), header.progress.bytes);
  put(bytes.data() + 8, header.progress.records);
  put(bytes.data() + 16, checksum(header.salt, {bytes.data(), 16}));
  return bytes;
}

std::array<char, kSegmentHeaderSize> encode_segment_header(const SegmentHeader& header) {
  std::array<char, kSegmentHeaderSize> bytes{};
  std::memcpy(bytes.data(), kMagic.data(), kMagic.size());
  put(bytes.data() + 8, header.version);
  put(bytes.data() + 12, header.salt);
  put(bytes.data() + 16, header.created);
  put(bytes.data() + 24, header.writer);
  put(bytes.data() + kHeaderChecksumAt, checksum(0, {bytes.data(), kHeaderChecksumAt}));
  const auto progress = encode_progress(header);
  std::memcpy(bytes.data() + kProgressAt, progress.data(), progress.size());
  return bytes;
}

HeaderState read_segment_header(std::string_view bytes, SegmentHeader& header) {
  bytes = bytes.substr(0, kSegmentHeaderSize);
  if (all_zero(bytes)) return HeaderState::empty;
  if (bytes.size() < kSegmentHeaderSize || bytes.substr(0, kMagic.size()) != kMagic ||
      get<std::uint32_t>(bytes, kHeaderChecksumAt) !=
          checksum(0, bytes.substr(0, kHeaderChecksumAt))) {
    return HeaderState::damaged;
  }
  header = {};
  header.version = get<std::uint32_t>(bytes, 8);
  header.salt = get<std::uint32_t>(bytes, 12);
  header.created = get<Timestamp>(bytes, 16);
  header.writer = get<std::uint32_t>(bytes, 24);
  if (header.version > kSpoolVersion) return HeaderState::newer;
  if (header.version != kSpoolVersion) return HeaderState::damaged;
  read_progress(bytes, header);
  return HeaderState::fine;
}

void fill_frame_header(char* frame, std::uint32_t length, std::uint32_t salt,
                       std::uint8_t replicas) {
  std::memcpy(frame, kMarker.data(), kMarker.size());
  put(frame + 4, length);
  put(frame + 8, static_cast<std::uint32_t>(replicas) << 24);
  put(frame + kFrameChecksumAt, checksum(salt, {frame, kFrameChecksumAt}));
  put(frame + 16, checksum(salt, {frame + kFrameHeaderSize, length}));
}

std::optional<FrameHeader> read_frame_header(std::string_view bytes, std::uint32_t salt) {
  if (bytes.substr(0, kMarker.size()) != kMarker) return std::nullopt;
  if (get<std::uint32_t>(bytes, kFrameChecksumAt) !=
      checksum(salt, bytes.substr(0, kFrameChecksumAt))) {
    return std::nullopt;
  }
  FrameHeader header;
  header.length = get<std::uint32_t>(bytes, 4);
  header.replicas = static_cast<std::uint8_t>(bytes[8]);
  header.checksum = get<std::uint32_t>(bytes, 16);
  if (header.length > kMostSpoolRecord) return std::nullopt;
  return header;
}

bool record_is_whole(const FrameHeader& header, std::string_view record, std::uint32_t salt) {
  return record.size() == header.length && checksum(salt, record) == header.checksum;
}

std::size_t find_frame(std::string_view bytes, std::uint32_t salt) {
  for (std::size_t at = 0; (at = bytes.find(kMarker, at)) != std::string_view::npos; ++at) {
    if (bytes.size() - at < kFrameHeaderSize) return at;
    if (read_frame_header(bytes.substr(at), salt)) return at;
  }
  return bytes.size() - std::min(bytes.size(), kMarker.size() - 1);
}

}  // namespace weir
