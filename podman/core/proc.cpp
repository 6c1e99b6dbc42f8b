// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/core/proc.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <limits>
#include <memory>

#include "podman/core/fd.h"
#include "podman/core/text.h"

namespace podshark {
namespace {

std::string proc_path(const std::string& proc, pid_t pid, const char* file) {
  return proc + "/" + std::to_string(pid) + "/" + file;
}

struct CloseDir {
  void operator()(DIR* dir) const { ::closedir(dir); }
};

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t max_bytes) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return os_error(errno, "open '" + path + "'");
  std::string out;
  std::array<char, 16384> buffer{};
  for (;;) {
    const ssize_t n = ::read(fd.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return os_error(errno, "read '" + path + "'");
    if (n == 0) return out;
    out.append(buffer.data(), static_cast<std::size_t>(n));
    if (out.size() > max_bytes) {
      return Error{
          ErrorKind::internal, "'" + path + "' is larger than " + std::to_string(max_bytes) + " bytes", {}};
    }
  }
}

Result<ProcStat> read_stat(pid_t pid, const std::string& proc) {
  const std::string path = proc_path(proc, pid, "stat");
  Result<std::string> text = read_file(path, 4096);
  if (!text) return text.error();
  // comm may hold spaces and parentheses: it ends at the last ')'.
  const std::size_t open = text->find('(');
  const std::size_t close = text->rfind(')');
  const Error malformed{ErrorKind::internal, "'" + path + "' is malformed", {}};
  if (open == std::string::npos || close == std::string::npos || close < open) return malformed;
  const std::vector<std::string> fields = split(trim(std::string_view(*text).substr(close + 1)), ' ');
  constexpr std::size_t kState = 0;   // field 3
  constexpr std::size_t kPpid = 1;    // field 4
  constexpr std::size_t kStart = 19;  // field 22
  ProcStat stat;
  std::uint64_t ppid = 0;
  if (fields.size() <= kStart || fields[kState].size() != 1 ||
      !parse_number(fields[kPpid], std::numeric_limits<pid_t>::max(), ppid) ||
      !parse_number(fields[kStart], std::numeric_limits<std::uint64_t>::max(), stat.start_time)) {
    return malformed;
  }
  stat.comm = text->substr(open + 1, close - open - 1);
  stat.state = fields[kState][0];
  stat.ppid = static_cast<pid_t>(ppid);
  return stat;
}

std::vector<std::string> read_cmdline(pid_t pid, const std::string& proc) {
  Result<std::string> text = read_file(proc_path(proc, pid, "cmdline"), 1U << 20U);
  if (!text || text->empty()) return {};
  if (text->back() == '\0') text->pop_back();
  return split(*text, '\0');
}

std::uint64_t namespace_inode(pid_t pid, const char* name, const std::string& proc) {
  struct stat st {};
  const std::string path = proc_path(proc, pid, "ns") + "/" + name;
  return ::stat(path.c_str(), &st) == 0 ? st.st_ino : 0;
}

std::string program_directory() {
  std::array<char, PATH_MAX> path{};
  const ssize_t n = ::readlink("/proc/self/exe", path.data(), path.size() - 1);
  const std::string file = n > 0 ? std::string(path.data(), static_cast<std::size_t>(n)) : std::string();
  return file.substr(0, file.rfind('/'));
}

std::vector<pid_t> list_pids(const std::string& proc) {
  std::vector<pid_t> out;
  const std::unique_ptr<DIR, CloseDir> dir(::opendir(proc.c_str()));
  if (!dir) return out;
  while (const dirent* entry = ::readdir(dir.get())) {
    std::uint64_t pid = 0;
    if (parse_number(entry->d_name, std::numeric_limits<pid_t>::max(), pid))
      out.push_back(static_cast<pid_t>(pid));
  }
  return out;
}

}  // namespace podshark
