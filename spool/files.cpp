#include "spool/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>

namespace weir {
namespace {

// What `call` returns, with minus errno for -1; called again when a signal came in between.
template <class Call>
auto kernel(Call call) {
  for (;;) {
    const auto result = call();
    if (result >= 0) return result;
    if (errno != EINTR) return static_cast<decltype(result)>(-errno);
  }
}

}  // namespace

int Files::open(const std::string& path, int flags, mode_t mode) {
  return kernel([&] { return ::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, mode); });
}

int Files::lock(int fd) {
  return kernel([&] { return ::flock(fd, LOCK_EX | LOCK_NB); });
}

std::int64_t Files::write(int fd, const char* bytes, std::size_t size, std::uint64_t at) {
  return kernel([&] { return ::pwrite(fd, bytes, size, static_cast<off_t>(at)); });
}

std::int64_t Files::read(int fd, char* bytes, std::size_t size, std::uint64_t at) {
  return kernel([&] { return ::pread(fd, bytes, size, static_cast<off_t>(at)); });
}

int Files::reserve(int fd, std::uint64_t size) {
  return kernel([&] { return ::fallocate(fd, 0, 0, static_cast<off_t>(size)); });
}

int Files::truncate(int fd, std::uint64_t size) {
  return kernel([&] { return ::ftruncate(fd, static_cast<off_t>(size)); });
}

int Files::sync(int fd) {
  return kernel([&] { return ::fsync(fd); });
}

int Files::sync_data(int fd) {
  return kernel([&] { return ::fdatasync(fd); });
}

int Files::status(int fd, struct stat& status) {
  return kernel([&] { return ::fstat(fd, &status); });
}

int Files::status(const std::string& path, struct stat& status) {
  return kernel([&] { return ::lstat(path.c_str(), &status); });
}

int Files::space(const std::string& directory, struct statvfs& space) {
  return kernel([&] { return ::statvfs(directory.c_str(), &space); });
}

int Files::may_write(const std::string& directory) {
  return kernel([&] { return ::faccessat(AT_FDCWD, directory.c_str(), W_OK | X_OK, AT_EACCESS); });
}

int Files::list(const std::string& directory, std::vector<std::string>& names) {
  names.clear();
  DIR* opened = ::opendir(directory.c_str());
  if (opened == nullptr) return -errno;
  errno = 0;
  // Nobody else reads this stream, so readdir() is as safe as any.
  while (const dirent* entry = ::readdir(opened)) {  // NOLINT(concurrency-mt-unsafe)
    names.emplace_back(entry->d_name);
    errno = 0;
  }
  const int error = errno;
  ::closedir(opened);
  return -error;
}

int Files::remove(const std::string& path) {
  return kernel([&] { return ::unlink(path.c_str()); });
}

Timestamp Files::clock() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(since).count();
}

void Files::pause() { std::this_thread::sleep_for(std::chrono::milliseconds(2)); }

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    close();
    number_ = other.release();
  }
  return *this;
}

// An error of close() says nothing that fsync() has not said; and it must not be tried again.
void Fd::close() noexcept {
  if (number_ >= 0) ::close(number_);
  number_ = -1;
}

int Fd::release() { return std::exchange(number_, -1); }

}  // namespace weir
