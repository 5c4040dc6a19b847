#include "core/http/answer.h"

namespace weir {
namespace {

void add_cors_headers(const CorsGrant& grant, Headers& headers) {
  if (grant.varies) headers.add("Vary", "Origin");
  if (grant.origin.empty()) return;
  headers.add("Access-Control-Allow-Origin", grant.origin);
  headers.add("Access-Control-Allow-Credentials", "true");
  if (!grant.preflight) return headers.add("Access-Control-Expose-Headers", "Retry-After");
  headers.add("Access-Control-Allow-Methods", kCorsAllowMethods);
  headers.add("Access-Control-Allow-Headers", kCorsAllowHeaders);
  headers.add("Access-Control-Max-Age", kCorsMaxAge);
}

}  // namespace

Headers Answer::headers() const {
  Headers headers;
  if (!allow.empty()) headers.add("Allow", allow);
  if (!retry_after.empty()) headers.add("Retry-After", retry_after);
  add_cors_headers(cors, headers);
  return headers;
}

}  // namespace weir
