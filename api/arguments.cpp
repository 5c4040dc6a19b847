#include "api/arguments.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <string_view>

namespace weir::api {
namespace {

using Fault = std::optional<Problem>;

Fault check_date(const Parameter& parameter, const std::string& value) {
  if (parse_day(value)) return std::nullopt;
  return bad_parameter(parameter.name, std::string(parameter.name) +
                                           " is no day from 1970 to 2999: write it as 2026-11-21");
}

bool is_zone_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '/' || c == '+' || c == '-';
}

// Whether there is a zone of that name is for PostgreSQL to say.
Fault check_zone(const Parameter& parameter, const std::string& value) {
  const bool fits = !value.empty() && value.size() <= kMostZone &&
                    std::all_of(value.begin(), value.end(), is_zone_letter);
  if (fits) return std::nullopt;
  return bad_parameter(
      parameter.name,
      std::string(parameter.name) +
          " is no name of a time zone: write it as Europe/Berlin, with %2B for a +");
}

Fault check_name(std::string_view name, int most, const std::string& value) {
  if (!value.empty() && value.size() <= static_cast<std::size_t>(most)) return std::nullopt;
  return bad_parameter(name, std::string(name) + " has to be 1 to " + std::to_string(most) +
                                 " bytes long: leave it out, or write a shorter one");
}

Fault check_count(const Parameter& parameter, const std::string& value) {
  int count = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), count);
  const bool is_number = error == std::errc() && end == value.data() + value.size();
  if (is_number && count >= 1 && count <= parameter.most && value[0] != '0') return std::nullopt;
  return bad_parameter(parameter.name, std::string(parameter.name) +
                                           " has to be a whole number from 1 to " +
                                           std::to_string(parameter.most));
}

Fault check(const Parameter& parameter, const std::string& value) {
  switch (parameter.type) {
    case Type::date:
      return check_date(parameter, value);
    case Type::zone:
      return check_zone(parameter, value);
    case Type::count:
      return check_count(parameter, value);
    case Type::name:
    case Type::json:
      break;
  }
  return check_name(parameter.name, parameter.most, value);
}

std::string known_names(const Route& route) {
  std::string names(kTenant);
  names += ", ";
  (names += kFormat) += ", ";
  names += kTable;
  for (const Parameter& parameter : route.parameters) (names += ", ") += parameter.name;
  return names;
}

// A name that a client made up is told back only if it could be one of ours.
Problem unknown(const Route& route, const std::string& name) {
  const bool is_word =
      !name.empty() && name.size() <= 32 && std::all_of(name.begin(), name.end(), [](char c) {
        return is_zone_letter(c) && c != '/' && c != '+';
      });
  if (route.kind != Kind::figure) {
    return {400, "unknown_parameter", "This path takes no parameters: leave the query out",
            is_word ? name : ""};
  }
  return {400, "unknown_parameter",
          (is_word ? name : "One of the names") +
              std::string(" is no parameter of this path; it takes ") + known_names(route),
          is_word ? name : ""};
}

Fault read_format(const std::string& value, Arguments& arguments) {
  if (value == "csv") arguments.format = Format::csv;
  if (value == "csv" || value == "json") return std::nullopt;
  return bad_parameter(kFormat, "format is json or csv");
}

Fault read_table(const std::string& value, Arguments& arguments) {
  arguments.table = value;
  return check_name(kTable, kMostTable, value);
}

// A stream has one table.
Fault check_table(const Route& route, const Arguments& arguments) {
  if (!arguments.table) return std::nullopt;
  if (arguments.format != Format::csv) {
    return bad_parameter(kTable, "table goes with format=csv: JSON has all lists of the answer");
  }
  if (route.csv == nullptr || *arguments.table == route.table) return std::nullopt;
  return bad_parameter(kTable, "table has to be days");
}

Fault read_pair(const Route& route, const Pair& pair, Arguments& arguments) {
  if (route.kind != Kind::figure) return unknown(route, pair.name);
  if (pair.name == kTenant) {
    arguments.tenant = pair.value;
    return check_name(kTenant, kMostTenant, pair.value);
  }
  if (pair.name == kFormat) return read_format(pair.value, arguments);
  if (pair.name == kTable) return read_table(pair.value, arguments);
  for (std::size_t i = 0; i < route.parameters.size(); ++i) {
    const Parameter& parameter = route.parameters[i];
    if (pair.name != parameter.name) continue;
    arguments.values[i] = pair.value;
    return check(parameter, pair.value);
  }
  return unknown(route, pair.name);
}

Fault check_once(const std::vector<Pair>& query, std::size_t place) {
  for (std::size_t i = 0; i < place; ++i) {
    if (query[i].name != query[place].name) continue;
    return bad_parameter(query[i].name, query[i].name + " is given twice: give it once");
  }
  return std::nullopt;
}

std::optional<Day> day_of(const Route& route, const Arguments& arguments, std::string_view name) {
  for (std::size_t i = 0; i < route.parameters.size(); ++i) {
    if (route.parameters[i].name == name && arguments.values[i]) {
      return parse_day(*arguments.values[i]);
    }
  }
  return std::nullopt;
}

Fault check_window(const Route& route, const Arguments& arguments, Day today) {
  const auto from = day_of(route, arguments, kFrom);
  if (!from) return std::nullopt;
  const Day to = day_of(route, arguments, kTo).value_or(std::max(today + 1, *from));
  if (to < *from) return bad_parameter(kFrom, "from comes after to: change them round");
  if (to - *from < kMostDays) return std::nullopt;
  return bad_parameter(kFrom, "The window is longer than " + std::to_string(kMostDays) +
                                  " days: let it begin later, or ask for its parts");
}

}  // namespace

std::variant<Arguments, Problem> read_arguments(const Route& route, const std::vector<Pair>& query,
                                                Day today) {
  Arguments arguments;
  arguments.values.resize(route.parameters.size());
  for (std::size_t i = 0; i < query.size(); ++i) {
    if (auto fault = read_pair(route, query[i], arguments)) return *fault;
    if (auto fault = check_once(query, i)) return *fault;
  }
  if (auto fault = check_table(route, arguments)) return *fault;
  if (auto fault = check_window(route, arguments, today)) return *fault;
  return arguments;
}

}  // namespace weir::api
