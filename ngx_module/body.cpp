#include "ngx_module/body.h"

#include <algorithm>

namespace weir {
namespace {

constexpr std::size_t kLeastCapacity = 16 << 10;

// The one buffer that holds anything, if it is one and in memory.
ngx_buf_t* only_buffer(ngx_chain_t* chain) {
  ngx_buf_t* only = nullptr;
  for (; chain != nullptr; chain = chain->next) {
    if (ngx_buf_size(chain->buf) == 0) continue;
    if (only != nullptr || !ngx_buf_in_memory(chain->buf)) return nullptr;
    only = chain->buf;
  }
  return only;
}

// nginx reads on into the buffers that hold nothing more.
void consume(ngx_http_request_t* r) {
  ngx_chain_t* chain = r->request_body->bufs;
  r->request_body->bufs = nullptr;
  while (chain != nullptr) {
    ngx_chain_t* done = chain;
    chain = chain->next;
    done->buf->pos = done->buf->last;
    ngx_free_chain(r->pool, done);
  }
}

}  // namespace

Body::Gathered Body::gather(ngx_http_request_t* r, std::size_t most, BodySpace& space) {
  if (r->request_body == nullptr) return Gathered::ok;
  ngx_chain_t* chain = r->request_body->bufs;
  if (!r->reading_body && size_ == 0) {
    if (const ngx_buf_t* only = only_buffer(chain)) {
      data_ = only->pos;
      size_ = static_cast<std::size_t>(only->last - only->pos);
      return size_ > most ? Gathered::too_large : Gathered::ok;
    }
    if (lay_out(chain, most, space)) return Gathered::ok;
  }
  auto gathered = Gathered::ok;
  for (; chain != nullptr && gathered == Gathered::ok; chain = chain->next) {
    gathered = append(r, chain->buf, most);
  }
  if (!r->preserve_body) consume(r);
  return gathered;
}

// All of it has come, in a few pieces: the request's pool would have to get a block for it.
bool Body::lay_out(ngx_chain_t* chain, std::size_t most, BodySpace& space) {
  const std::size_t room = std::min(most, space.size());
  std::size_t size = 0;
  for (; chain != nullptr; chain = chain->next) {
    const auto bytes = static_cast<std::size_t>(ngx_buf_size(chain->buf));
    if (bytes > room - size || !ngx_buf_in_memory(chain->buf)) return false;
    ngx_memcpy(space.data() + size, chain->buf->pos, bytes);
    size += bytes;
  }
  data_ = space.data();
  size_ = size;
  return true;
}

Body::Gathered Body::append(ngx_http_request_t* r, ngx_buf_t* buffer, std::size_t most) {
  const auto bytes = static_cast<std::size_t>(ngx_buf_size(buffer));
  if (bytes == 0) return Gathered::ok;
  if (bytes > most - size_) return Gathered::too_large;
  if (!reserve(r, bytes, most)) return Gathered::failed;
  if (ngx_buf_in_memory(buffer)) {
    ngx_memcpy(data_ + size_, buffer->pos, bytes);
  } else {
    // Only where another module has read the body before Weir: it was just written, so this reads
    // from memory.
    const ssize_t read = ngx_read_file(buffer->file, data_ + size_, bytes, buffer->file_pos);
    if (read != static_cast<ssize_t>(bytes)) return Gathered::failed;
  }
  size_ += bytes;
  return Gathered::ok;
}

// Grows by doubling, or at once to what the client has announced.
bool Body::reserve(ngx_http_request_t* r, std::size_t bytes, std::size_t most) {
  if (capacity_ - size_ >= bytes) return true;
  const off_t announced = r->headers_in.chunked ? 0 : r->headers_in.content_length_n;
  std::size_t wanted = std::max({kLeastCapacity, capacity_ * 2, size_ + bytes});
  if (announced > 0) wanted = std::max(size_ + bytes, static_cast<std::size_t>(announced));
  wanted = std::min(wanted, most);
  auto* larger = static_cast<u_char*>(ngx_pnalloc(r->pool, wanted));
  if (larger == nullptr) return false;
  if (size_ > 0) ngx_memcpy(larger, data_, size_);
  if (capacity_ > 0) ngx_pfree(r->pool, data_);
  data_ = larger;
  capacity_ = wanted;
  return true;
}

void Body::release(ngx_http_request_t* r) {
  if (capacity_ > 0) ngx_pfree(r->pool, data_);
  data_ = nullptr;
  size_ = capacity_ = 0;
}

}  // namespace weir
