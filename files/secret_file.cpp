#include "files/secret_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "core/config/words.h"
#include "core/redis/secret.h"

namespace weir {
namespace {

using Bytes = std::array<char, kMostSecretFile + 1>;

// Closes it, and leaves nothing of it in memory.
class Opened {
 public:
  // Without O_NONBLOCK, a pipe would be waited for.
  explicit Opened(const std::string& path)
      : descriptor_(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)) {}
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;
  ~Opened() {
    explicit_bzero(bytes_.data(), bytes_.size());
    if (descriptor_ != -1) close(descriptor_);
  }

  // False: errno says why.
  bool look() { return descriptor_ != -1 && fstat(descriptor_, &status_) == 0; }
  bool read_bytes() {
    size_ = S_ISREG(status_.st_mode) ? read(descriptor_, bytes_.data(), bytes_.size()) : 0;
    return size_ >= 0;
  }

  const struct stat& status() const { return status_; }
  std::string_view bytes() const { return {bytes_.data(), static_cast<std::size_t>(size_)}; }

 private:
  const int descriptor_;
  struct stat status_ {};
  Bytes bytes_;
  ssize_t size_ = 0;
};

}  // namespace

std::string read_secret_file(const std::string& path, std::string& secret, std::string& warning) {
  const std::string name = "the secret file " + quoted(path);
  Opened file(path);
  if (!file.look() || !file.read_bytes()) {
    return name + " cannot be read (" + std::strerror(errno) +
           "): make one that holds the secret on its first line and that this program's user can "
           "read";
  }
  if (!S_ISREG(file.status().st_mode)) {
    return name + " cannot be used: it is " +
           (S_ISDIR(file.status().st_mode) ? "a folder" : "no plain file") + ": name a plain file";
  }
  if (const auto fault = read_secret(file.bytes(), secret); !fault.empty())
    return name + " cannot be used: " + fault;
  if ((file.status().st_mode & S_IROTH) != 0)
    warning = "everybody on this machine can read " + name + ": chmod o-r it";
  return {};
}

}  // namespace weir
