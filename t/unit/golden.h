// The bytes of a file in t/golden: hexadecimal digits, and comments from a '#' on.
#pragma once

#include <fstream>
#include <string>

#include "t/unit/suite.h"

namespace weir_test {

inline std::string golden(const std::string& name) {
  std::ifstream file("t/golden/" + name);
  ck_assert_msg(file.good(), "t/golden/%s is missing: run from the root", name.c_str());
  std::string bytes, line, digits;
  while (std::getline(file, line)) {
    for (const char c : line.substr(0, line.find('#'))) {
      if (c != ' ') digits += c;
    }
  }
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

}  // namespace weir_test
