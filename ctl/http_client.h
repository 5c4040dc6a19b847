// A plain HTTP/1.1 client: one connection that is kept, a request at a time, by libcurl.
//
//   HttpClient client("http://127.0.0.1:8080", is_stopped);
//   const auto answer = client.post("/track", body, error);      // none: no answer, `error` says
//   why
//
// It follows no redirection, uses no proxy, and reads at most 64 kB of an answer. A request ends
// when `is_stopped` says so, or after 30 seconds.
#pragma once

#include <memory>
#include <optional>
#include <string>

namespace weir::ctl {

struct HttpAnswer {
  long status = 0;
  std::string body;
  long retry_after = 0;  // seconds; 0: it does not say
};

class HttpClient {
 public:
  using IsStopped = bool (*)();

  HttpClient(std::string base, IsStopped is_stopped);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Empty, or why `base` is no address that can be asked.
  static std::string fault_of(const std::string& base);

  std::optional<HttpAnswer> get(const std::string& path, std::string& error);
  std::optional<HttpAnswer> post(const std::string& path, const std::string& json,
                                 std::string& error);
  const std::string& base() const { return base_; }

 private:
  struct Curl;

  std::optional<HttpAnswer> perform(const std::string& path, std::string& error);

  std::string base_;
  std::unique_ptr<Curl> curl_;
};

}  // namespace weir::ctl
