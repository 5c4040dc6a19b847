// The OpenAPI 3.1 document, made from the table of routes.
#pragma once

#include <string>

namespace weir::api {

std::string openapi_json();

}  // namespace weir::api
