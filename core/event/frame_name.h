// Takes out of a stack frame's function and file what changes from build to build and from machine
// to machine. docs/fingerprint.md lists the rules.
#pragma once

#include <string>
#include <string_view>

namespace weir {

// "Shop::pay(int) const [clone .cold]" becomes "Shop::pay". Empty for what means "unknown".
std::string clean_function(std::string_view function);

// "https://example.com/assets/shop-3f2a1b9c.js?v=2:12:7" becomes "shop.js".
std::string clean_file(std::string_view location);

}  // namespace weir
