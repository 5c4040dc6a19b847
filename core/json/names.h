// The names of the members that a wire form knows, and the place of each among them: what a member
// of an event is looked up in, so every body asks ten times and more.
//
//   const MemberNames names{"user_id", "event"};
//   names.find("event");   // 1
//   names.find("other");   // MemberNames::kNone
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string_view>

namespace weir {

class MemberNames {
 public:
  static constexpr std::size_t kNone = ~std::size_t{0};

  // At most kMost names, no two of them the same.
  static constexpr std::size_t kMost = 16;
  MemberNames(std::initializer_list<std::string_view> names)
      : MemberNames(names.begin(), names.size()) {}
  MemberNames(const std::string_view* names, std::size_t count);

  std::size_t size() const { return size_; }
  std::string_view operator[](std::size_t place) const { return names_[place]; }

  std::size_t find(std::string_view name) const {
    for (std::size_t slot = first_slot(name); slots_[slot] != 0; slot = next_slot(slot)) {
      const std::size_t place = slots_[slot] - std::size_t{1};
      if (names_[place].size() == name.size() && same(names_[place].data(), name)) return place;
    }
    return kNone;
  }

 private:
  // A table with room to spare: mostly, a name stands in its first slot, or nothing does. What a
  // client sends is looked up, never stored, so no client can fill it.
  static constexpr std::size_t kSlots = 64;
  static std::size_t first_slot(std::string_view name) {
    const auto byte = [](char c) {
      return static_cast<std::size_t>(static_cast<unsigned char>(c));
    };
    if (name.empty()) return 0;
    return (name.size() * 9 + byte(name.front()) + byte(name.back())) % kSlots;
  }
  static std::size_t next_slot(std::size_t slot) { return (slot + 1) % kSlots; }

  // Up to 16 bytes by two words that may overlap: a call would take longer than to compare.
  static bool same(const char* bytes, std::string_view name) {
    const std::size_t size = name.size();
    if (size >= 8 && size <= 16) return same_ends<std::uint64_t>(bytes, name);
    if (size >= 4 && size < 8) return same_ends<std::uint32_t>(bytes, name);
    return std::memcmp(bytes, name.data(), size) == 0;
  }
  template <typename Word>
  static bool same_ends(const char* bytes, std::string_view name) {
    const std::size_t last = name.size() - sizeof(Word);
    return word_at<Word>(bytes) == word_at<Word>(name.data()) &&
           word_at<Word>(bytes + last) == word_at<Word>(name.data() + last);
  }
  template <typename Word>
  static Word word_at(const char* bytes) {
    Word word;
    std::memcpy(&word, bytes, sizeof word);
    return word;
  }

  std::array<std::string_view, kMost> names_;
  std::size_t size_;
  std::array<std::uint8_t, kSlots> slots_{};  // a name's place + 1; 0: none
};

}  // namespace weir
