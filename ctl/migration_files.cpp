#include "ctl/migration_files.h"

#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>

#ifndef WEIR_SQL_DIR
#define WEIR_SQL_DIR "/usr/share/weir/sql"
#endif

namespace weir::ctl {
namespace {

namespace fs = std::filesystem;

constexpr char kDigits[] = "0123456789abcdef";
constexpr const char* kRepeatables = "analytics";

std::string sha256(const std::string& bytes) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  std::string text;
  for (const unsigned char byte : digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

// The number in NNNN_subject.sql; 0 for every other name.
int version_of(const std::string& name) {
  if (name.size() < 6 || name[4] != '_') return 0;
  int version = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    if (std::isdigit(static_cast<unsigned char>(name[i])) == 0) return 0;
    version = 10 * version + (name[i] - '0');
  }
  return version;
}

// The names of the SQL files in `directory`, in order.
std::vector<std::string> sql_names(const std::string& directory, std::error_code& code) {
  std::vector<std::string> names;
  fs::directory_iterator entry(directory, code);
  for (; !code && entry != fs::directory_iterator(); entry.increment(code)) {
    if (entry->path().extension() == ".sql") names.push_back(entry->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool read_whole(const std::string& path, std::string& text) {
  std::ifstream file(path, std::ios::binary);
  text.assign(std::istreambuf_iterator<char>(file), {});
  return file.is_open() && !file.bad();
}

// What is wrong with `name` as the file that comes after `files`; empty if nothing is.
std::string check_name(const std::vector<MigrationFile>& files, const std::string& name) {
  const int version = version_of(name);
  const int expected = static_cast<int>(files.size()) + 1;
  if (version == 0) return name + " is not named NNNN_subject.sql";
  if (version == expected) return {};
  if (!files.empty() && version == files.back().version) {
    return files.back().name + " and " + name + " have the same number: give one of them the next";
  }
  return "there is no migration number " + std::to_string(expected) + " before " + name;
}

}  // namespace

std::optional<std::vector<MigrationFile>> read_migrations(const std::string& sql_directory,
                                                          std::string& error) {
  std::error_code code;
  const std::string below = (fs::path(sql_directory) / "migrations").string();
  const std::string& directory = fs::is_directory(below, code) ? below : sql_directory;
  const std::vector<std::string> names = sql_names(directory, code);
  if (code || names.empty()) {
    error = "there are no migrations in " + directory + (code ? " (" + code.message() + ")" : "") +
            ": name their directory with --sql";
    return std::nullopt;
  }
  std::vector<MigrationFile> files;
  for (const std::string& name : names) {
    if (const std::string wrong = check_name(files, name); !wrong.empty()) {
      error.assign("in ").append(directory).append(", ").append(wrong);
      return std::nullopt;
    }
    MigrationFile file{version_of(name), name, (fs::path(directory) / name).string(), {}, {}};
    if (!read_whole(file.path, file.text)) {
      error = "cannot read " + file.path;
      return std::nullopt;
    }
    file.checksum = sha256(file.text);
    files.push_back(std::move(file));
  }
  return files;
}

std::optional<std::vector<MigrationFile>> read_repeatables(const std::string& sql_directory,
                                                           std::string& error) {
  std::error_code code;
  const fs::path folder = fs::path(sql_directory) / kRepeatables;
  std::vector<MigrationFile> files;
  if (!fs::is_directory(folder, code)) return files;
  for (const std::string& name : sql_names(folder.string(), code)) {
    MigrationFile file{0, std::string(kRepeatables) + '/' + name, (folder / name).string(), {}, {}};
    if (!read_whole(file.path, file.text)) {
      error = "cannot read " + file.path;
      return std::nullopt;
    }
    file.checksum = sha256(file.text);
    files.push_back(std::move(file));
  }
  return files;
}

std::string default_sql_directory() {
  std::error_code code;
  fs::path place = fs::read_symlink("/proc/self/exe", code).parent_path();
  // Built in build/, build/asan/ or wherever BUILD said, in the checkout or below it.
  for (int up = 0; up < 4 && place.has_relative_path(); ++up, place = place.parent_path()) {
    const fs::path candidate = place / "sql";
    if (fs::is_directory(candidate / "migrations", code)) return candidate.string();
  }
  return WEIR_SQL_DIR;
}

}  // namespace weir::ctl
