#include "api/machine.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <fstream>
#include <iterator>
#include <utility>

namespace weir::api {
namespace {

// user nice system idle iowait irq softirq steal; guests' time that follows is in user's already.
constexpr int kFields = 8, kIdleField = 3, kWaitField = 4;

// After the name: state ppid pgrp … utime stime.
constexpr int kParentField = 1, kUserField = 11, kSystemField = 12;

// The words of a text, each parted from the next by blanks.
class Words {
 public:
  explicit Words(std::string_view text) : text_(text) {}
  std::string_view next() {
    while (!text_.empty() && text_[0] == ' ') text_.remove_prefix(1);
    const auto word = text_.substr(0, text_.find(' '));
    text_.remove_prefix(word.size());
    return word;
  }

 private:
  std::string_view text_;
};

std::optional<std::uint64_t> number(std::string_view word) {
  std::uint64_t value = 0;
  const auto [past, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (word.empty() || error != std::errc()) return std::nullopt;
  return value;
}

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

std::optional<CpuTicks> read_cpu_ticks(std::string_view line) {
  if (line.substr(0, 4) != "cpu ") return std::nullopt;
  CpuTicks ticks;
  Words words(line.substr(4));
  for (int field = 0; field < kFields; ++field) {
    const auto value = number(words.next());
    if (!value) return std::nullopt;
    ticks.all += *value;
    if (field == kIdleField || field == kWaitField) ticks.idle += *value;
  }
  return ticks;
}

std::optional<double> Idle::since_last() {
  std::ifstream file(proc_ + "/stat");
  std::string line;
  std::getline(file, line);
  const auto now = read_cpu_ticks(line);
  hidden_ = !now;
  if (!now) return std::nullopt;
  const CpuTicks before = std::exchange(last_, *now);
  // The kernel's count of idle time may go back a little.
  if (before.all == 0 || now->all <= before.all || now->idle < before.idle) return std::nullopt;
  return static_cast<double>(now->idle - before.idle) / static_cast<double>(now->all - before.all);
}

std::optional<ProcessTicks> read_process_ticks(std::string_view text) {
  const auto opening = text.find('(');
  const auto closing = text.rfind(')');
  if (opening == std::string_view::npos || closing == std::string_view::npos) return std::nullopt;
  ProcessTicks ticks;
  ticks.name = text.substr(opening + 1, closing - opening - 1);
  Words words(text.substr(closing + 1));
  for (int field = 0; field <= kSystemField; ++field) {
    const auto value = number(words.next());
    if (field == kParentField && value) ticks.parent = static_cast<pid_t>(*value);
    if (field != kUserField && field != kSystemField) continue;
    if (!value) return std::nullopt;
    ticks.worked += *value;
  }
  return ticks;
}

pid_t process_at(int descriptor) {
  ucred other{};
  socklen_t size = sizeof other;
  const int failed = ::getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &other, &size);
  return failed == 0 ? other.pid : 0;
}

std::optional<ProcessTicks> WebServer::ticks_of(pid_t process) const {
  return read_process_ticks(read_file(proc_ + '/' + std::to_string(process) + "/stat"));
}

// Signal 0 only asks whether there is such a process, hidden or not.
bool WebServer::is_hidden() const {
  if (!asked_ || ticks_of(*asked_)) return false;
  return *asked_ == 0 || ::kill(*asked_, 0) == 0 || errno == EPERM;
}

// All children of the process that it is a child of, if that has the same name; else itself.
std::vector<pid_t> WebServer::processes() const {
  const auto asked = asked_ ? ticks_of(*asked_) : std::nullopt;
  if (!asked) return {};
  const auto parent = ticks_of(asked->parent);
  if (!parent || parent->name != asked->name) return {*asked_};
  const std::string id = std::to_string(asked->parent);
  const std::string text = read_file(proc_ + '/' + id + "/task/" + id + "/children");
  std::vector<pid_t> all;
  Words words(text);
  for (auto child = number(words.next()); child; child = number(words.next())) {
    all.push_back(static_cast<pid_t>(*child));
  }
  return all.empty() ? std::vector<pid_t>{*asked_} : all;
}

double WebServer::worked_since_last() {
  const auto before = std::exchange(last_, {});
  std::uint64_t worked = 0;
  for (const pid_t process : processes()) {
    const auto ticks = ticks_of(process);
    if (!ticks) continue;
    last_[process] = ticks->worked;
    const auto known = before.find(process);
    if (known != before.end() && ticks->worked > known->second) {
      worked += ticks->worked - known->second;
    }
  }
  return static_cast<double>(worked) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

}  // namespace weir::api
