#include "ctl/demo/random.h"

#include <cmath>

namespace weir::demo {
namespace {

constexpr std::uint64_t kStep = 0x9E3779B97F4A7C15U;

std::uint64_t mixed(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9U;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBU;
  return value ^ (value >> 31);
}

}  // namespace

Random::Random(std::initializer_list<std::uint64_t> words) {
  for (const std::uint64_t word : words) state_ = mixed(state_ + kStep + mixed(word + kStep));
}

std::uint64_t Random::bits() { return mixed(state_ += kStep); }

double Random::share() { return static_cast<double>(bits() >> 11) * 0x1.0p-53; }

int Random::whole(int least, int most) {
  return least + static_cast<int>(share() * (static_cast<double>(most) - least + 1));
}

double Random::wait(double mean) { return -mean * std::log1p(-share()); }

double Random::around(double median, double spread) {
  const double radius = std::sqrt(-2 * std::log1p(-share()));
  return median * std::exp(spread * radius * std::cos(2 * M_PI * share()));
}

int Random::count(double mean) {
  int found = 0;
  double left = mean - wait(1);
  while (left >= 0) {
    ++found;
    left -= wait(1);
  }
  return found;
}

std::string Random::uuid() {
  static constexpr char kDigits[] = "0123456789abcdef";
  const std::uint64_t high = (bits() & ~0xF000U) | 0x8000U;
  const std::uint64_t low = (bits() & ~(std::uint64_t{3} << 62)) | (std::uint64_t{1} << 63);
  std::string text;
  text.reserve(36);
  for (int digit = 0; digit < 32; ++digit) {
    if (digit == 8 || digit == 12 || digit == 16 || digit == 20) text += '-';
    const std::uint64_t half = digit < 16 ? high : low;
    text += kDigits[(half >> (60 - 4 * (digit % 16))) & 15];
  }
  return text;
}

}  // namespace weir::demo
