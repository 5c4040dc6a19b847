// Capture's verdict on a body, and what it captures, against yajl, another parser: it takes what
// yajl takes, but for what yajl overlooks; what it refuses cannot go on at the offset that it
// tells; and the events are those of a tree that is built from yajl's callbacks.
#include <yajl/yajl_parse.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/json/capture.h"
#include "core/json/text.h"
#include "t/fuzz/require.h"

namespace {

using weir::CapturedEvent;
using weir::CaptureStatus;
using weir::JsonValue;
using Type = JsonValue::Type;

struct Node {
  Type type = Type::absent;
  std::string text;  // of a string decoded, of a number as it stands
  std::vector<std::string> keys;
  std::vector<Node> values;

  bool operator==(const Node& other) const {
    return type == other.type && text == other.text && keys == other.keys && values == other.values;
  }
};

// A document as a tree. `open` holds the containers that are open; the tree is in the first of
// them.
struct Tree {
  std::vector<Node> open{1};

  int add(Node node) { return open.back().values.push_back(std::move(node)), 1; }
  int close() {
    Node node = std::move(open.back());
    open.pop_back();
    return add(std::move(node));
  }
};

Tree& tree(void* context) { return *static_cast<Tree*>(context); }
std::string string_of(const void* bytes, std::size_t size) {
  return {static_cast<const char*>(bytes), size};
}
int null(void* context) { return tree(context).add({Type::null, "", {}, {}}); }
int boolean(void* context, int value) {
  return tree(context).add({Type::boolean, value != 0 ? "true" : "false", {}, {}});
}
int number(void* context, const char* bytes, std::size_t size) {
  return tree(context).add({Type::number, string_of(bytes, size), {}, {}});
}
int string(void* context, const unsigned char* bytes, std::size_t size) {
  return tree(context).add({Type::string, string_of(bytes, size), {}, {}});
}
int key(void* context, const unsigned char* bytes, std::size_t size) {
  return tree(context).open.back().keys.push_back(string_of(bytes, size)), 1;
}
int open_object(void* context) {
  return tree(context).open.push_back({Type::object, "", {}, {}}), 1;
}
int open_array(void* context) { return tree(context).open.push_back({Type::array, "", {}, {}}), 1; }
int close(void* context) { return tree(context).close(); }

constexpr yajl_callbacks kCallbacks = {null,        boolean, nullptr, nullptr,    number, string,
                                       open_object, key,     close,   open_array, close};

// Is `json` whole, and JSON? Then `root` is its tree.
bool parse(std::string_view json, Node* root) {
  Tree built;
  yajl_handle parser = yajl_alloc(&kCallbacks, nullptr, &built);
  const bool good = yajl_parse(parser, reinterpret_cast<const unsigned char*>(json.data()),
                               json.size()) == yajl_status_ok &&
                    yajl_complete_parse(parser) == yajl_status_ok && built.open.size() == 1;
  yajl_free(parser);
  if (good && root != nullptr) *root = built.open.front().values.at(0);
  return good;
}

bool begins_well(const std::string& json) {
  yajl_handle parser = yajl_alloc(nullptr, nullptr, nullptr);
  const auto* bytes = reinterpret_cast<const unsigned char*>(json.data());
  const bool good = yajl_parse(parser, bytes, json.size()) == yajl_status_ok;
  yajl_free(parser);
  return good;
}

// Can a JSON text begin with `json`? yajl looks at a token only when it has all of it, so the last
// one is completed, in each way that there is. Behind a whole token no '!' can stand.
bool can_go_on(std::string_view json) {
  for (const char* rest : {" ", "\" ", "n\" ", "0000\" ", "000\" ", "00\" ", "0\" ", "0 ", "rue ",
                           "ue ", "e ", "alse ", "lse ", "se ", "ull ", "ll ", "l "}) {
    const std::string completed = std::string(json) + rest;
    if (begins_well(completed) && !begins_well(completed + '!')) return true;
  }
  return false;
}

// yajl overlooks a string that begins behind the document.
bool behind_document(std::string_view body, std::size_t offset) {
  return body[offset] == '"' && parse(body.substr(0, offset), nullptr);
}

void check_refusal(const weir::Capture& capture, std::string_view body) {
  const std::size_t offset = capture.error_offset();
  const auto reason = capture.error_reason();
  REQUIRE(capture.events().empty());
  if (reason == "unexpected_end") REQUIRE(offset == body.size() && can_go_on(body));
  if (reason != "unexpected_character") return;
  REQUIRE(offset < body.size() && can_go_on(body.substr(0, offset)));
  REQUIRE(behind_document(body, offset) || !can_go_on(body.substr(0, offset + 1)));
}

const weir::MemberNames kNames{"a", "bb", "event", "sent_at", "user_id"};

void check_value(const JsonValue& value, const Node& node) {
  REQUIRE(value.type == node.type);
  if (value.fault != weir::Reason::none) return;  // yajl makes something else of lone surrogates
  Node again;
  REQUIRE(parse(value.raw, &again) && again == node);
  if (node.values.empty() && node.type < Type::object) REQUIRE(value.text == node.text);
}

void check_event(const CapturedEvent& event, const Node& node) {
  REQUIRE(event.is_object == (node.type == Type::object));
  for (std::size_t place = 0; place < kNames.size(); ++place) {
    const Node* last = nullptr;
    for (std::size_t i = 0; i < node.keys.size(); ++i) {
      if (node.keys[i] == kNames[place]) last = &node.values[i];
    }
    if (last != nullptr) check_value(event.members[place], *last);
    if (last == nullptr) REQUIRE(event.members[place].type == Type::absent);
  }
}

// The events of a document: its elements, those of its lists, or itself.
std::vector<Node> events_of(const Node& root) {
  if (root.type == Type::array) return root.values;
  std::vector<Node> events;
  bool is_batch = false;
  for (std::size_t i = 0; i < root.keys.size(); ++i) {
    const bool named = root.keys[i] == "events" || root.keys[i] == "batch";
    if (!named || root.values[i].type != Type::array) continue;
    is_batch = true;
    events.insert(events.end(), root.values[i].values.begin(), root.values[i].values.end());
  }
  return is_batch ? events : std::vector<Node>{root};
}

void check(weir::Capture& capture, std::string_view body) {
  const CaptureStatus status = capture.read(body, kNames, weir::Limits());
  if (status == CaptureStatus::invalid_json) return check_refusal(capture, body);
  Node root;
  if (status == CaptureStatus::too_many_events) return;
  REQUIRE(!weir::find_bad_text(body));
  REQUIRE(parse(body, &root));
  const auto events = events_of(root);
  REQUIRE(capture.events().size() == events.size());
  for (std::size_t i = 0; i < events.size(); ++i) check_event(capture.events()[i], events[i]);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static weir::Capture capture;
  // In memory of just its size, so that AddressSanitizer sees who reads behind it.
  const std::unique_ptr<char[]> bytes(new char[size]);
  if (size > 0) std::memcpy(bytes.get(), data, size);
  check(capture, {bytes.get(), size});
  return 0;
}
