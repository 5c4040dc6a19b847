#include "flusher/numbers_in.h"

#include <yajl/yajl_parse.h>

#include <algorithm>
#include <memory>

namespace weir::flusher {
namespace {

struct Search {
  const std::vector<std::string_view>& names;
  std::vector<std::string_view>& literals;
  int depth = 0;
  std::size_t at = 0;  // which name the next value belongs to; names.size(): to none

  void take(std::string_view literal) {
    if (depth == 1 && at < names.size()) literals[at] = literal;
  }
};

Search& search(void* context) { return *static_cast<Search*>(context); }

int other(void* context) { return search(context).take({}), 1; }
int boolean(void* context, int) { return other(context); }
int string(void* context, const unsigned char*, std::size_t) { return other(context); }
int number(void* context, const char* bytes, std::size_t size) {
  return search(context).take({bytes, size}), 1;
}
// Of an array at the top nothing counts: its values belong to no name.
int open(void* context) {
  Search& found = search(context);
  found.take({});
  if (found.depth++ == 0) found.at = found.names.size();
  return 1;
}
int close(void* context) { return --search(context).depth, 1; }
int key(void* context, const unsigned char* bytes, std::size_t size) {
  Search& found = search(context);
  const std::string_view name(reinterpret_cast<const char*>(bytes), size);
  if (found.depth == 1) {
    const auto place = std::find(found.names.begin(), found.names.end(), name);
    found.at = static_cast<std::size_t>(place - found.names.begin());
  }
  return 1;
}

constexpr yajl_callbacks kCallbacks{other, boolean, nullptr, nullptr, number, string,
                                    open,  key,     close,   open,    close};

struct Free {
  void operator()(yajl_handle handle) const { yajl_free(handle); }
};

}  // namespace

void numbers_in(std::string_view json, const std::vector<std::string_view>& names,
                std::vector<std::string_view>& literals) {
  literals.assign(names.size(), {});
  Search found{names, literals};
  const std::unique_ptr<yajl_handle_t, Free> parser(yajl_alloc(&kCallbacks, nullptr, &found));
  if (!parser) return;
  yajl_config(parser.get(), yajl_dont_validate_strings, 1);
  const auto* bytes = reinterpret_cast<const unsigned char*>(json.data());
  const bool whole = yajl_parse(parser.get(), bytes, json.size()) == yajl_status_ok &&
                     yajl_complete_parse(parser.get()) == yajl_status_ok;
  if (!whole) literals.assign(names.size(), {});
}

}  // namespace weir::flusher
