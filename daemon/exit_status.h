// What a program leaves with besides EXIT_SUCCESS and EXIT_FAILURE.
#pragma once

namespace weir::daemon {

constexpr int kWrongUsage = 2;  // what it was told makes no sense: nothing was begun

}  // namespace weir::daemon
