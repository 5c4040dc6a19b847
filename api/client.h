// Whoever asked: one request of one HTTP connection, seen from what answers it. http_session.h is
// the real one, tests have their own.
//
// Either send(), once; or begin(), any number of write() one after the other, then finish() or
// cut(). If the client goes away before the end, what was given to when_gone() is called, once, and
// no answer goes anywhere.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/problem.h"

namespace weir::api {

struct Request {
  std::string method;
  std::string target;
  std::vector<std::string> viewers;  // as many as the web server sent; one is right
  std::string if_none_match;
  std::vector<std::string> proofs{};  // X-Weir-Proof, likewise
  pid_t process = 0;                  // at the other end of the connection; 0: not known
  bool can_stream =
      true;  // HTTP/1.1: a body whose length is not known beforehand has a visible end
};

struct Response {
  int status = 200;
  std::string type = "application/json";
  std::shared_ptr<const std::string> body{};
  std::vector<std::pair<std::string, std::string>> headers{};
};

class Client {
 public:
  virtual void send(Response response) = 0;
  virtual void begin(Response head) = 0;
  virtual void write(std::string bytes, std::function<void()> when_written) = 0;
  virtual void finish() = 0;
  virtual void cut() = 0;  // so that the client sees that something is missing
  virtual void when_gone(std::function<void()> call) = 0;

 protected:
  ~Client() = default;
};

Response response_of(const Problem& problem);

}  // namespace weir::api
