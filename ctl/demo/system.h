// The five systems of a demo, each with its people, its rhythm and what a visit to it leaves
// behind. A system is a line of kSystems (systems.cpp) and a file with its visit.
#pragma once

#include <cstddef>

#include "ctl/demo/calendar.h"

namespace weir::demo {

class Visit;

enum class SystemId { stories, sales, command_line, ledger, features };

struct Choice {
  const char* name;
  double weight;
};

struct System {
  SystemId id;
  const char* name;
  double share;    // of all users
  double leaving;  // who never comes again after a try
  double staying;  // how long the others stay; smaller is longer
  const Rhythm* rhythm;
  const Country* countries;
  std::size_t country_count;
  const Choice* platforms;
  std::size_t platform_count;
  void (*visit)(Visit& visit);
};

constexpr std::size_t kSystemCount = 5;
extern const System kSystems[kSystemCount];

void visit_stories(Visit& visit);
void visit_sales(Visit& visit);
void visit_command_line(Visit& visit);
void visit_ledger(Visit& visit);
void visit_features(Visit& visit);

}  // namespace weir::demo
