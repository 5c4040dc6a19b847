// A JSON object, a member at a time.
//
//   Object properties;
//   properties.text("source", "widget").number("seconds", 12.5).truth("success", true);
//   event.object("properties", properties);
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::demo {

class Object {
 public:
  Object& text(std::string_view name, std::string_view value);
  Object& whole(std::string_view name, std::int64_t value);
  // With up to `places` digits behind the point, 0 to 6.
  Object& number(std::string_view name, double value, int places);
  Object& truth(std::string_view name, bool value);
  Object& object(std::string_view name, const Object& value);
  Object& members_of(const Object& other);

  bool is_empty() const { return json_.size() == 1; }
  std::string json() const { return json_ + '}'; }

 private:
  std::string& member(std::string_view name);

  std::string json_ = "{";
};

}  // namespace weir::demo
