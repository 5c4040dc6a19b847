// The releases of the two programs of a demo, and what about them is worth finding: 2.7.0 of
// Stories crashes for many, 2.7.1 mends that, and 2.8.0 brings a crash back that 2.6.0 had mended
// (stories.cpp).
//
// The command line's are both there from the start: a release of another program between two of
// Stories would stand between them in the figures of crashes, too, since all is one tenant's.
#pragma once

#include "ctl/demo/release.h"

namespace weir::demo {

enum StoriesRelease : std::size_t { k230, k231, k240, k250, k260, k270, k271, k280 };

constexpr Release kStoriesTrain[] = {{"2.3.0", 0},    {"2.3.1", 0.14}, {"2.4.0", 0.3},
                                     {"2.5.0", 0.45}, {"2.6.0", 0.6},  {"2.7.0", 0.76},
                                     {"2.7.1", 0.81}, {"2.8.0", 0.91}};
constexpr Release kCommandLineTrain[] = {{"1.4.2", 0}, {"1.5.0", 0.06}};

}  // namespace weir::demo
