// The few calls by which the spool touches the file system, so that a test can make each of them
// fail.
//
//   Files files;
//   Fd fd(files.open(path, O_RDWR | O_CREAT | O_EXCL, 0600));
//   if (!fd) report(fd.error());
//
// All are safe to call from several threads at once. Results are as the kernel gives them, but with
// the error in place of -1: a number of 0 or more, or minus errno.
#pragma once

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/event/timestamp.h"

namespace weir {

class Files {
 public:
  virtual ~Files() = default;

  // Always with O_CLOEXEC, never through a symbolic link at the end of `path`.
  virtual int open(const std::string& path, int flags, mode_t mode);
  virtual int lock(int fd);  // -EWOULDBLOCK: somebody else has it
  virtual std::int64_t write(int fd, const char* bytes, std::size_t size, std::uint64_t at);
  virtual std::int64_t read(int fd, char* bytes, std::size_t size, std::uint64_t at);
  virtual int reserve(int fd, std::uint64_t size);  // -EOPNOTSUPP: the file system cannot
  virtual int truncate(int fd, std::uint64_t size);
  virtual int sync(int fd);       // fsync
  virtual int sync_data(int fd);  // fdatasync
  virtual int status(int fd, struct stat& status);
  virtual int status(const std::string& path, struct stat& status);  // of a link, itself
  virtual int space(const std::string& directory, struct statvfs& space);
  virtual int may_write(const std::string& directory);
  virtual int list(const std::string& directory, std::vector<std::string>& names);
  virtual int remove(const std::string& path);
  virtual Timestamp clock();  // the wall's
  virtual void pause();       // a moment, before a lock is tried again
};

// A descriptor that closes itself, or the error that came in its place.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int number) : number_(number) {}
  Fd(Fd&& other) noexcept : number_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd() { close(); }

  explicit operator bool() const { return number_ >= 0; }
  int number() const { return number_; }
  int error() const { return number_ < 0 ? -number_ : 0; }
  void close() noexcept;

 private:
  int release();

  int number_ = -1;
};

}  // namespace weir
