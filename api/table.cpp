#include "api/table.h"

#include <algorithm>
#include <vector>

#include <simdjson.h>

#include "api/csv.h"
#include "api/route.h"

namespace weir::api {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr int kDeepest = 6;

// Every call throws what it cannot do: the answer is PostgreSQL's own JSON, and table_csv()
// catches.
void find_lists(ondemand::object object, const std::string& place, int depth,
                std::vector<std::string>& names) {
  for (auto field : object) {
    const std::string name = place + std::string(std::string_view(field.unescaped_key()));
    ondemand::value value = field.value();
    const ondemand::json_type type = value.type();
    if (type == ondemand::json_type::array) names.push_back(name);
    if (type == ondemand::json_type::object && depth < kDeepest) {
      find_lists(value.get_object(), name + '.', depth + 1, names);
    }
  }
}

std::string trimmed(std::string_view text) {
  const std::size_t end = text.find_last_not_of(" \t\r\n");
  return std::string(text.substr(0, end == std::string_view::npos ? 0 : end + 1));
}

std::string cell_of(ondemand::value value) {
  switch (value.type()) {
    case ondemand::json_type::string:
      return std::string(std::string_view(value.get_string()));
    case ondemand::json_type::object:
      return trimmed(ondemand::object(value.get_object()).raw_json());
    case ondemand::json_type::array:
      return trimmed(ondemand::array(value.get_array()).raw_json());
    case ondemand::json_type::null:
      return {};
    default:
      return trimmed(value.raw_json_token());
  }
}

// Seven rows of 24 hours, which are known by their places alone: 1 is Monday, and 0 the hour after
// midnight.
bool is_by_weekday(std::string_view place) {
  constexpr std::string_view kHours = "peak_hours";
  return place.substr(place.rfind('.') + 1) == kHours;
}

class Table {
 public:
  explicit Table(std::string_view place = {}) : by_weekday_(is_by_weekday(place)) {}

  void add(ondemand::value row) {
    cells_.emplace_back();
    if (by_weekday_) put("weekday", std::to_string(cells_.size()));
    if (row.type() == ondemand::json_type::object) {
      for (auto field : row.get_object()) {
        const std::string name{std::string_view(field.unescaped_key())};
        put(name, cell_of(field.value()));
      }
    } else if (row.type() == ondemand::json_type::array) {
      int place = by_weekday_ ? 0 : 1;
      for (auto value : row.get_array()) put(std::to_string(place++), cell_of(value.value()));
    } else {
      put("value", cell_of(row));
    }
  }

  // An answer as one line: what is nested is named by its place.
  void add_flat(ondemand::object object) {
    cells_.emplace_back();
    put_all(object, "", 1);
  }

  std::string csv() {
    std::string text;
    if (names_.empty()) return text;
    append_line(text, names_);
    for (auto& row : cells_) {
      row.resize(names_.size());
      append_line(text, row);
    }
    return text;
  }

 private:
  void put_all(ondemand::object object, const std::string& place, int depth) {
    for (auto field : object) {
      const std::string name = place + std::string(std::string_view(field.unescaped_key()));
      ondemand::value value = field.value();
      if (value.type() == ondemand::json_type::object && depth < kDeepest) {
        put_all(value.get_object(), name + '.', depth + 1);
      } else {
        put(name, cell_of(value));
      }
    }
  }

  // Rows name the same columns in the same order, mostly.
  void put(const std::string& name, std::string cell) {
    auto& row = cells_.back();
    std::size_t column = row.size();
    if (column >= names_.size() || names_[column] != name) {
      column =
          static_cast<std::size_t>(std::find(names_.begin(), names_.end(), name) - names_.begin());
    }
    if (column == names_.size()) names_.push_back(name);
    if (row.size() <= column) row.resize(column + 1);
    row[column] = std::move(cell);
  }

  const bool by_weekday_;
  std::vector<std::string> names_;
  std::vector<std::vector<std::string>> cells_;
};

ondemand::array list_at(ondemand::document& document, std::string_view place) {
  ondemand::object object = document.get_object();
  for (;;) {
    const std::size_t dot = place.find('.');
    ondemand::value value = object.find_field_unordered(place.substr(0, dot));
    if (dot == std::string_view::npos) return value.get_array();
    object = value.get_object();
    place.remove_prefix(dot + 1);
  }
}

Problem no_such_list(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  return bad_parameter(kTable, names.empty() ? "This answer has no lists: leave table out"
                                             : "table has to be one of " + all);
}

}  // namespace

std::optional<Problem> table_csv(std::string_view answer, std::string_view place,
                                 std::string& csv) {
  try {
    const simdjson::padded_string text(answer);
    ondemand::parser parser;
    ondemand::document document = parser.iterate(text);
    Table table(place);
    if (place.empty()) {
      table.add_flat(document.get_object());
    } else {
      std::vector<std::string> names;
      find_lists(document.get_object(), "", 1, names);
      if (std::find(names.begin(), names.end(), place) == names.end()) return no_such_list(names);
      document.rewind();
      for (auto row : list_at(document, place)) table.add(row.value());
    }
    csv = table.csv();
    return std::nullopt;
  } catch (const simdjson::simdjson_error&) {
    return internal_problem();
  }
}

}  // namespace weir::api
