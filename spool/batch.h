// Records that wait for the disk together, each with room in front of it for its frame's header.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/host/memory.h"
#include "core/spool/format.h"
#include "core/spool/writer.h"

namespace weir {

struct Batch {
  struct Item {
    SpoolCustomer* customer;
    std::uint32_t length;
    std::uint8_t replicas;
  };

  bool empty() const { return items.empty(); }

  // Throws std::bad_alloc, with nothing changed.
  void add(std::string_view record, SpoolCustomer& customer, std::uint8_t replicas) {
    items.reserve(items.size() + 1 > items.capacity() ? 2 * items.size() + 64 : items.size() + 1);
    const std::size_t before = bytes.size();
    const std::size_t after = before + kFrameHeaderSize + record.size();
    if (after > bytes.capacity()) bytes.reserve(after > 2 * before ? after : 2 * before);
    bytes.append(kFrameHeaderSize, '\0').append(record);
    items.push_back({&customer, static_cast<std::uint32_t>(record.size()), replicas});
  }

  void drop_last() {
    bytes.resize(bytes.size() - kFrameHeaderSize - items.back().length);
    items.pop_back();
  }

  // Keeps memory for the next, but not all that a rush needed.
  void clear() {
    constexpr std::size_t kKept = 1U << 20;
    empty_keeping(bytes, kKept);
    empty_keeping(items, kKept / sizeof(Item));
  }

  std::string bytes;
  std::vector<Item> items;
};

}  // namespace weir
