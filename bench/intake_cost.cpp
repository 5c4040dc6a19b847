// Takes the same body many times, as a server's worker does: from bytes to a record. For counting
// instructions, which do not depend on how busy the machine is:
//
//   valgrind --tool=callgrind build/bench/intake_cost track bench/bodies/event.json 1000
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "core/http/intake.h"

int main(int count, char** words) {
  if (count != 4) {
    std::fputs("usage: intake_cost track|crash|cli BODY COUNT\n", stderr);
    return EXIT_FAILURE;
  }
  weir::LocationSettings settings;
  std::ifstream file(words[2], std::ios::binary);
  const std::string body{std::istreambuf_iterator<char>(file), {}};
  if (const auto fault = settings.set_kind({words[1]}); !fault.empty() || body.empty()) {
    std::fprintf(stderr, "intake_cost: %s\n", fault.empty() ? "no such body" : fault.c_str());
    return EXIT_FAILURE;
  }
  weir::Metrics metrics;
  weir::Intake intake(metrics);
  weir::RequestHead head;
  head.method = "POST";
  head.content_type = "application/json";
  head.content_length = body.size();
  std::size_t bytes = 0;
  constexpr weir::Timestamp kNow = 1'795'262'400'123'000;
  for (long n = std::atol(words[3]); n > 0; --n) {
    const auto refused = intake.screen(settings.location(), head);
    const auto decision = intake.take(settings.location(), head, body, kNow + n * 1000);
    if (refused || decision.record.empty()) {
      std::fprintf(stderr, "intake_cost: refused: %s\n", std::string(decision.answer.body).c_str());
      return EXIT_FAILURE;
    }
    bytes += decision.record.size();
  }
  std::printf("%zu bytes of records\n", bytes);
}
