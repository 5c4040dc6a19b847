#include "ctl/demo/system.h"

namespace weir::demo {
namespace {

constexpr Country kWorld[] = {{"US", 30, -6}, {"MX", 11, -6}, {"ES", 10, 1}, {"DE", 9, 1},
                              {"GB", 8, 0},   {"BR", 7, -3},  {"FR", 6, 1},  {"IN", 6, 5.5},
                              {"CA", 4, -5},  {"AR", 3, -3},  {"JP", 3, 9},  {"AU", 2, 10},
                              {"PT", 1.5, 0}};
constexpr Country kBrazil[] = {{"BR", 94, -3}, {"PT", 6, 0}};
constexpr Country kEurope[] = {{"DE", 45, 1}, {"GB", 25, 0}, {"FR", 15, 1}, {"US", 15, -5}};
constexpr Country kArgentina[] = {{"AR", 80, -3}, {"MX", 12, -6}, {"ES", 8, 1}};

constexpr Choice kDesktops[] = {{"macOS", 68}, {"Windows", 32}};
constexpr Choice kBrowsers[] = {{"Chrome", 66}, {"Edge", 14}, {"Safari", 12}, {"Firefox", 8}};
constexpr Choice kShells[] = {{"Linux", 44}, {"macOS", 41}, {"Windows", 15}};
constexpr Choice kServer[] = {{"web", 1}};

template <std::size_t kCountries, std::size_t kPlatforms>
constexpr System system(SystemId id, const char* name, double share, double leaving, double staying,
                        const Rhythm& rhythm, const Country (&countries)[kCountries],
                        const Choice (&platforms)[kPlatforms], void (*visit)(Visit&)) {
  return {id,        name,       share,     leaving,    staying, &rhythm,
          countries, kCountries, platforms, kPlatforms, visit};
}

}  // namespace

const System kSystems[kSystemCount] = {
    system(SystemId::stories, "Stories", 0.5, 0.36, 0.55, kAtHome, kWorld, kDesktops,
           visit_stories),
    system(SystemId::sales, "sales", 0.22, 0.14, 0.3, kShop, kBrazil, kBrowsers, visit_sales),
    system(SystemId::command_line, "command line", 0.16, 0.45, 0.6, kAtHome, kWorld, kShells,
           visit_command_line),
    system(SystemId::ledger, "ledger", 0.06, 0.1, 0.25, kOffice, kEurope, kServer, visit_ledger),
    system(SystemId::features, "features", 0.06, 0.1, 0.25, kShop, kArgentina, kServer,
           visit_features),
};

}  // namespace weir::demo
