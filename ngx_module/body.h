// A request's body in one piece of memory, whatever buffers nginx read it into. A body that came as
// one buffer is used where it lies.
//
//   Body body;
//   switch (body.gather(r, most, space)) …   // whenever nginx has read some of it
//   intake.take(location, head, body.view(), now);
#pragma once

#include "ngx_module/nginx.h"

#include <array>

namespace weir {

// One a worker, for a body that has come whole, and for no longer than until nginx goes on.
using BodySpace = std::array<u_char, 64 << 10>;

class Body {
 public:
  enum class Gathered { ok, too_large, failed };

  // Takes over what stands in r->request_body->bufs. too_large: over `most` bytes, what came before
  // is kept. A body of which all has come, which is decided on at once, may lie in `space`.
  Gathered gather(ngx_http_request_t* r, std::size_t most, BodySpace& space);

  std::string_view view() const { return {reinterpret_cast<const char*>(data_), size_}; }

  // Gives its memory back before the request ends, as far as it is large.
  void release(ngx_http_request_t* r);

 private:
  bool lay_out(ngx_chain_t* chain, std::size_t most, BodySpace& space);
  Gathered append(ngx_http_request_t* r, ngx_buf_t* buffer, std::size_t most);
  bool reserve(ngx_http_request_t* r, std::size_t bytes, std::size_t most);

  u_char* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;  // 0: data_ is nginx's own buffer, or null
};

}  // namespace weir
