// What Redis says that an entry's id is: none, or one that is written down as it can be read again.
#include <cstdint>
#include <string_view>

#include "flusher/stream_id.h"
#include "t/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir::flusher;
  const auto id = parse_stream_id({reinterpret_cast<const char*>(data), size});
  if (!id) return 0;
  const auto again = parse_stream_id(format_stream_id(*id));
  REQUIRE(again && *again == *id);
  const StreamId next = next_stream_id(*id);
  REQUIRE(*id < next || next == *id);
  return 0;
}
