#include "spool/fault.h"

#include <cerrno>
#include <cstring>

namespace weir {
namespace {

const char* clause(int error) {
  switch (error) {
    case ENOSPC:
      return "its disk is full";
    case EDQUOT:
      return "its user's quota of the disk is used up";
    case EFBIG:
      return "its files may not become that large";
    case EROFS:
      return "its file system is read-only";
    case EACCES:
    case EPERM:
      return "its directory or a file in it belongs to another user or may not be written";
    case ENOENT:
    case ENOTDIR:
      return "its directory is missing";
    case EMFILE:
    case ENFILE:
      return "too many files are open";
    case ENOMEM:
      return "there is no memory";
    default:
      return "its disk fails";
  }
}

}  // namespace

Fault Fault::of(int error) {
  Fault fault;
  if (error == 0) return fault;
  fault.error_ = error;
  fault.why_ = clause(error);
  return fault;
}

std::string Fault::sentence() const {
  std::string sentence = why();
  const char* name = error_ == 0 ? nullptr : strerrordesc_np(error_);
  if (name != nullptr) sentence.append(" (").append(name).append(")");
  return sentence;
}

}  // namespace weir
