// Writes a JSON object, member after member, behind what is there.
//
//   std::string body;
//   {
//     JsonObject object(body);
//     object.text("status", "ok");
//     JsonObject inner(object.member("redis"));   // ends before `object` goes on
//   }                                             // {"status":"ok","redis":{}}
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/json/text.h"

namespace weir {

class JsonObject {
 public:
  explicit JsonObject(std::string& out) : out_(out) { out_ += '{'; }
  ~JsonObject() { out_ += '}'; }
  JsonObject(const JsonObject&) = delete;
  JsonObject& operator=(const JsonObject&) = delete;

  std::string& member(std::string_view name) {
    if (out_.back() != '{') out_ += ',';
    return out_.append("\"").append(name).append("\":");
  }
  void text(std::string_view name, std::string_view value) {
    append_json_string(member(name), value);
  }
  void boolean(std::string_view name, bool value) { member(name) += value ? "true" : "false"; }
  void number(std::string_view name, std::optional<std::uint64_t> value) {
    member(name) += value ? std::to_string(*value) : "null";
  }

 private:
  std::string& out_;
};

}  // namespace weir
