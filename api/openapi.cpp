#include "api/openapi.h"

#include <string_view>

#include "api/route.h"
#include "core/json/text.h"

#ifndef WEIR_VERSION
#define WEIR_VERSION "0.0.0"
#endif

namespace weir::api {
namespace {

// Puts JSON together: commas come by themselves.
class Writer {
 public:
  Writer& open(char bracket) {
    comma();
    text += bracket;
    fresh_ = true;
    return *this;
  }
  Writer& close(char bracket) {
    text += bracket;
    fresh_ = false;
    return *this;
  }
  Writer& name(std::string_view name) {
    comma();
    append_json_string(text, name);
    text += ':';
    fresh_ = true;
    return *this;
  }
  Writer& string(std::string_view value) {
    comma();
    append_json_string(text, value);
    return *this;
  }
  Writer& raw(std::string_view value) {
    comma();
    text += value;
    return *this;
  }
  Writer& member(std::string_view key, std::string_view value) { return name(key).string(value); }

  std::string text;

 private:
  void comma() {
    if (!fresh_) text += ',';
    fresh_ = false;
  }
  bool fresh_ = true;
};

void write_schema(Writer& json, const Parameter& parameter) {
  json.name("schema").open('{');
  json.member("type", parameter.type == Type::count ? "integer" : "string");
  const std::string most = std::to_string(parameter.most);
  switch (parameter.type) {
    case Type::date:
      json.member("format", "date");
      break;
    case Type::zone:
      json.name("minLength").raw("1").name("maxLength").raw(std::to_string(kMostZone));
      break;
    case Type::name:
    case Type::json:
      json.name("minLength").raw("1").name("maxLength").raw(most);
      break;
    case Type::count:
      json.name("minimum").raw("1").name("maximum").raw(most);
      break;
  }
  json.close('}');
}

constexpr const char* kWhatJson = ". JSON: api-server.md, Parameters, says what may stand in it";

void write_parameter(Writer& json, const Parameter& parameter) {
  json.open('{').member("name", parameter.name).member("in", "query");
  json.member("description",
              std::string(parameter.about) + (parameter.type == Type::json ? kWhatJson : ""));
  if (parameter.needed) json.name("required").raw("true");
  if (!parameter.example.empty()) json.member("example", parameter.example);
  write_schema(json, parameter);
  json.close('}');
}

void write_format(Writer& json, const Route& route) {
  json.open('{').member("name", kFormat).member("in", "query");
  json.member("description", "The form of the answer; json if not given");
  json.name("schema").raw(R"({"type":"string","enum":["json","csv"]})");
  json.close('}');
  const std::string usual(route.table == kWholeAnswer ? "the whole answer as one line"
                                                      : route.table);
  const std::string which =
      "With format=csv: the list of the answer to have" +
      (route.csv != nullptr
           ? ", which is " + usual
           : ", by its place in it, such as days or cohorts.weeks; " + usual + " if not given");
  write_parameter(json, {kTable, Type::name, kMostTable, which});
}

void write_parameters(Writer& json, const Route& route) {
  if (route.kind != Kind::figure) return;
  json.name("parameters").open('[');
  write_parameter(json,
                  {kTenant, Type::name, kMostTenant,
                   "Whose figures. If not given: `default` for a viewer of every tenant, the only "
                   "one of a viewer of one; a viewer of several has to say it"});
  for (const Parameter& parameter : route.parameters) write_parameter(json, parameter);
  write_format(json, route);
  json.close(']');
}

void write_content(Writer& json, const Route& route) {
  json.name("content").open('{');
  if (route.kind == Kind::metrics) {
    json.name("text/plain").raw(R"({"schema":{"type":"string"}})");
  } else {
    json.name("application/json").raw(R"({"schema":{"type":"object"}})");
  }
  if (route.kind == Kind::figure) json.name("text/csv").raw(R"({"schema":{"type":"string"}})");
  json.close('}');
}

void write_problem(Writer& json, std::string_view status) {
  json.name(status).raw("{\"$ref\":\"#/components/responses/" + std::string(status) + "\"}");
}

void write_responses(Writer& json, const Route& route) {
  json.name("responses").open('{');
  json.name("200").open('{').member("description", route.about);
  write_content(json, route);
  json.close('}');
  write_problem(json, "400");
  write_problem(json, "405");
  if (route.kind == Kind::health) write_problem(json, "503");
  if (route.kind == Kind::figure) {
    json.name("304").raw(R"({"description":"If-None-Match names what would be sent"})");
    for (const char* status : {"401", "403", "413", "414", "431", "500", "503", "504", "505"})
      write_problem(json, status);
  }
  json.close('}');
}

void write_path(Writer& json, const Route& route) {
  json.name(route.path).open('{').name("get").open('{').member("summary", route.about);
  if (route.kind != Kind::figure) json.name("security").raw("[]");
  write_parameters(json, route);
  write_responses(json, route);
  json.close('}').close('}');
}

struct Said {
  std::string_view status, about;
};

// 404 is of no path that is listed.
constexpr Said kProblems[] = {
    {"400", "A parameter is unknown, given twice, of another form or past its bound"},
    {"401", "The web server named no viewer, or did not prove that it is the web server"},
    {"403", "The viewer may not see this tenant, be there one or not"},
    {"405", "The method is neither GET nor HEAD; Allow lists them"},
    {"413", "The answer would be larger than one may be: ask for a shorter window, or for less"},
    {"414", "Path and query are longer than 4,096 bytes"},
    {"431", "A header is longer than 16 kB"},
    {"500", "A fault of the server, which its log explains"},
    {"503",
     "PostgreSQL is away, too many ask, or its schema is older; Retry-After says when to try "
     "again"},
    {"504", "PostgreSQL took longer than a request may"},
    {"505", "format=csv needs HTTP/1.1 from the web server"},
};

constexpr std::string_view kProblemSchema =
    R"({"type":"object","required":["type","title","status","reason","detail"],"properties":{)"
    R"("type":{"const":"about:blank"},"title":{"type":"string"},"status":{"type":"integer"},)"
    R"("reason":{"type":"string","description":"A stable word"},)"
    R"("parameter":{"type":"string","description":"The parameter that is wrong"},)"
    R"("detail":{"type":"string","description":"What to do, for a person"}}})";

void write_components(Writer& json) {
  json.name("components").open('{').name("schemas").open('{');
  json.name("Problem").raw(kProblemSchema).close('}');
  json.name("securitySchemes").raw(R"({"basic":{"type":"http","scheme":"basic"}})");
  json.name("responses").open('{');
  for (const Said& said : kProblems) {
    json.name(said.status).open('{').member("description", said.about).name("content");
    json.raw(R"({"application/problem+json":{"schema":{"$ref":"#/components/schemas/Problem"}}})");
    json.close('}');
  }
  json.close('}').close('}');
}

}  // namespace

std::string openapi_json() {
  Writer json;
  json.open('{').member("openapi", "3.1.0");
  json.name("info").open('{').member("title", "Weir").member("version", WEIR_VERSION).close('}');
  json.name("security").raw(R"([{"basic":[]}])");
  json.name("paths").open('{');
  for (const Route& route : routes()) write_path(json, route);
  json.close('}');
  write_components(json);
  json.close('}');
  return json.text + "\n";
}

}  // namespace weir::api
