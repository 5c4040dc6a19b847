#include "api/http_session.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>

#include "api/machine.h"
#include "api/target.h"

namespace weir::api {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using Local = asio::local::stream_protocol;
using Stream = boost::beast::basic_stream<Local>;
using Parser = http::request_parser<http::empty_body>;

std::string text(boost::beast::string_view view) { return {view.data(), view.size()}; }

constexpr const char* kTargetTooLong =
    "The path with its query is longer than 4096 bytes: shorten it";

std::vector<std::string> fields(const http::request<http::empty_body>& header, const char* name) {
  std::vector<std::string> values;
  const auto [begin, end] = header.equal_range(name);
  for (auto field = begin; field != end; ++field) values.push_back(text(field->value()));
  return values;
}

Request request_of(const http::request<http::empty_body>& header) {
  Request request;
  request.method = text(header.method_string());
  request.target = text(header.target());
  request.if_none_match = text(header[http::field::if_none_match]);
  request.can_stream = header.version() >= 11;
  request.viewers = fields(header, "X-Weir-Viewer");
  request.proofs = fields(header, "X-Weir-Proof");
  return request;
}

bool has_body(const Parser& parser) {
  return parser.chunked() || parser.content_length().value_or(0) > 0;
}

Problem problem_of(const error_code& error, const Parser& parser) {
  if (error != http::error::header_limit && error != http::error::buffer_overflow) {
    return {400, "bad_request", "This is no HTTP/1.1 request"};
  }
  // Did the first line come to its end?
  if (!parser.get().target().empty()) {
    return {431, "header_too_long",
            "The header is longer than 16 kB: send fewer or shorter fields"};
  }
  return {414, "target_too_long", kTargetTooLong};
}

}  // namespace

class HttpSession::Impl final : public Client, public std::enable_shared_from_this<Impl> {
 public:
  Impl(Local::socket socket, HttpHooks hooks)
      : stream_(std::move(socket)),
        hooks_(std::move(hooks)),
        process_(process_at(stream_.socket().native_handle())) {}
  ~Impl() { hooks_.closed(); }

  void read();
  void leave();

  void send(Response response) override;
  void begin(Response head) override;
  void write(std::string bytes, std::function<void()> when_written) override;
  void finish() override;
  void cut() override { close(); }
  void when_gone(std::function<void()> call) override { gone_ = std::move(call); }

 private:
  void take(const error_code& error);
  void answer(const Request& request);
  void refuse(const Problem& problem);
  void watch();
  void look();
  void put_head(const Response& response);
  void put(std::function<void()> then);
  void put_done(const std::function<void()>& then);
  void sent();
  void linger();
  void drop(std::size_t dropped);
  void close();

  Stream stream_;
  const HttpHooks hooks_;
  const pid_t process_;
  boost::beast::flat_buffer buffer_{kMostHeader};
  std::optional<Parser> parser_;
  std::string head_;
  std::shared_ptr<const std::string> body_;
  std::string chunk_;
  std::function<void()> gone_;
  bool is_head_ = false, keep_alive_ = false, answering_ = false, putting_ = false;
  bool watching_ = false, leaving_ = false, refused_ = false;
};

// Reading ---------------------------------------------------------------------------------------

void HttpSession::Impl::read() {
  answering_ = false;
  if (leaving_ || hooks_.is_leaving()) return close();
  parser_.emplace();
  parser_->header_limit(kMostHeader);
  parser_->body_limit(std::numeric_limits<std::uint64_t>::max());  // refused by a better name
  stream_.expires_after(hooks_.idle_time);
  http::async_read_header(
      stream_, buffer_, *parser_,
      [self = shared_from_this()](const error_code& error, std::size_t) { self->take(error); });
}

void HttpSession::Impl::take(const error_code& error) {
  const bool is_ours = error.category() == make_error_code(http::error::bad_target).category();
  if (error == http::error::end_of_stream || (error && !is_ours) ||
      error == http::error::partial_message) {
    return close();
  }
  answering_ = true;
  keep_alive_ = false;
  is_head_ = !error && parser_->get().method() == http::verb::head;
  if (hooks_.refusal) return refuse(*hooks_.refusal);
  if (error) return refuse(problem_of(error, *parser_));
  if (has_body(*parser_)) {
    return refuse({413, "body_too_large", "No path here takes a body: send none"});
  }
  if (parser_->get().target().size() > kMostTarget) {
    return refuse({414, "target_too_long", kTargetTooLong});
  }
  keep_alive_ = parser_->get().keep_alive();
  Request request = request_of(parser_->get());
  request.process = process_;
  answer(request);
}

void HttpSession::Impl::refuse(const Problem& problem) {
  refused_ = true;
  send(response_of(problem));
}

void HttpSession::Impl::answer(const Request& request) {
  gone_ = [] {};
  stream_.expires_never();
  hooks_.answer(request, shared_from_this());
  if (answering_ && !putting_) watch();
}

// While the answer is being made, the socket becomes readable when the client leaves, or asks for
// more.
void HttpSession::Impl::watch() {
  watching_ = true;
  stream_.socket().async_wait(Local::socket::wait_read,
                              [self = shared_from_this()](const error_code& error) {
                                if (!error && self->watching_) self->look();
                              });
}

void HttpSession::Impl::look() {
  watching_ = false;
  char byte = 0;
  const auto got = ::recv(stream_.socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (got > 0) return;
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return watch();
  close();
}

// Writing ---------------------------------------------------------------------------------------

void HttpSession::Impl::put_head(const Response& response) {
  if (leaving_ || hooks_.is_leaving()) keep_alive_ = false;
  hooks_.answered(response.status);
  head_ = "HTTP/1.1 " + std::to_string(response.status) + ' ';
  head_ += status_text(response.status);
  if (response.status != 304) head_ += "\r\nContent-Type: " + response.type;
  for (const auto& [name, value] : response.headers) {
    head_.append("\r\n").append(name).append(": ").append(value);
  }
  head_ += keep_alive_ ? "\r\nConnection: keep-alive" : "\r\nConnection: close";
}

void HttpSession::Impl::send(Response response) {
  if (!answering_) return;
  put_head(response);
  body_ = std::move(response.body);
  if (response.status != 304) {
    head_ += "\r\nContent-Length: " + std::to_string(body_ ? body_->size() : 0);
  }
  head_ += "\r\n\r\n";
  if (is_head_) body_.reset();
  put([self = shared_from_this()] { self->sent(); });
}

void HttpSession::Impl::begin(Response head) {
  if (!answering_) return;
  put_head(head);
  head_ += "\r\nTransfer-Encoding: chunked\r\n\r\n";
}

void HttpSession::Impl::write(std::string bytes, std::function<void()> when_written) {
  if (!answering_) return;
  if (!is_head_) {
    std::array<char, 20> length{};
    const int digits = std::snprintf(length.data(), length.size(), "%zx\r\n", bytes.size());
    head_.append(length.data(), static_cast<std::size_t>(digits));
    chunk_ = std::move(bytes) + "\r\n";
  }
  put(std::move(when_written));
}

void HttpSession::Impl::finish() {
  if (!answering_) return;
  if (!is_head_) head_ += "0\r\n\r\n";
  put([self = shared_from_this()] { self->sent(); });
}

void HttpSession::Impl::put(std::function<void()> then) {
  if (watching_) {
    watching_ = false;
    error_code ignored;
    stream_.socket().cancel(ignored);
  }
  putting_ = true;
  const std::string_view body = body_ ? std::string_view(*body_) : std::string_view(chunk_);
  const std::array<asio::const_buffer, 2> buffers{asio::buffer(head_),
                                                  asio::buffer(body.data(), body.size())};
  stream_.expires_after(hooks_.write_time);
  asio::async_write(
      stream_, buffers,
      [self = shared_from_this(), then = std::move(then)](const error_code& error, std::size_t) {
        if (error) return self->close();
        if (!self->answering_) return;
        self->put_done(then);
      });
}

// Between two chunks the client may leave, too.
void HttpSession::Impl::put_done(const std::function<void()>& then) {
  putting_ = false;
  head_.clear();
  chunk_.clear();
  then();
  if (answering_ && !putting_) watch();
}

void HttpSession::Impl::sent() {
  body_.reset();
  gone_ = nullptr;
  if (keep_alive_) return read();
  if (refused_) return linger();
  close();
}

// The end ---------------------------------------------------------------------------------------

// The other side learns that this was all, and may end what it was saying.
void HttpSession::Impl::linger() {
  answering_ = false;
  error_code ignored;
  stream_.socket().shutdown(Local::socket::shutdown_send, ignored);
  if (leaving_ || hooks_.is_leaving()) return close();
  buffer_.clear();
  stream_.expires_after(kLingerTime);
  drop(0);
}

void HttpSession::Impl::drop(std::size_t dropped) {
  stream_.async_read_some(
      buffer_.prepare(kMostHeader),
      [self = shared_from_this(), dropped](const error_code& error, std::size_t bytes) {
        if (error || dropped + bytes >= kMostDropped) return self->close();
        self->drop(dropped + bytes);
      });
}

void HttpSession::Impl::leave() {
  leaving_ = true;
  if (!answering_) close();
}

void HttpSession::Impl::close() {
  const bool was_answering = std::exchange(answering_, false);
  watching_ = false;
  error_code ignored;
  stream_.socket().shutdown(Local::socket::shutdown_both, ignored);
  stream_.close();
  if (const auto gone = std::exchange(gone_, nullptr); gone && was_answering) gone();
}

HttpSession::HttpSession(int descriptor, boost::asio::io_context& loop, const HttpHooks& hooks) {
  Local::socket socket(loop, Local(), descriptor);
  const auto impl = std::make_shared<Impl>(std::move(socket), hooks);
  impl_ = impl;
  impl->read();
}

void HttpSession::leave() {
  if (const auto impl = impl_.lock()) impl->leave();
}

}  // namespace weir::api
