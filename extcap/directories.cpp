// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/directories.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace podshark::extcap {
namespace {

std::string chosen() {
  // After su or `sudo -E` it may still be another user's.
  const char* xdg = std::getenv("XDG_RUNTIME_DIR");
  struct stat st {};
  if (xdg != nullptr && xdg[0] == '/' && ::stat(xdg, &st) == 0 && st.st_uid == ::geteuid())
    return std::string(xdg) + "/podshark";
  if (::geteuid() == 0) return "/run/podshark";
  const std::string run = "/run/user/" + std::to_string(::geteuid());
  if (::access(run.c_str(), W_OK) == 0) return run + "/podshark";
  return "/tmp/podshark-" + std::to_string(::geteuid());
}

// Only a real directory of ours: in /tmp somebody else might have made it first.
bool private_directory(const std::string& path) {
  struct stat st {};
  return ::lstat(path.c_str(), &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == ::geteuid() &&
         (st.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

// podshark's folder below $NAME, else below `fallback` in the home directory; empty when there is none.
std::string of_user(const char* name, const char* fallback) {
  if (const char* xdg = std::getenv(name); xdg != nullptr && xdg[0] == '/')
    return std::string(xdg) + "/podshark";
  const char* home = std::getenv("HOME");
  return home != nullptr && home[0] == '/' ? std::string(home) + "/" + fallback + "/podshark" : std::string();
}

Result<std::string> if_private(std::string path) {
  if (private_directory(path)) return path;
  struct stat st {};
  const bool theirs = ::lstat(path.c_str(), &st) == 0 && st.st_uid != ::geteuid();
  return Error{ErrorKind::permission, "'" + path + "' is not a private directory of yours",
               theirs ? "it is another user's, who has to remove it" : "remove it"};
}

Result<std::string> with_parents(const std::string& path, const char* what) {
  if (path.empty()) return Error{ErrorKind::output, std::string("there is no place for ") + what, "set HOME"};
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1))
    (void)::mkdir(path.substr(0, slash).c_str(), 0700);  // what could not be made is told by the last one
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return os_error(errno, "make '" + path + "'");
  return path;
}

}  // namespace

Result<std::string> runtime_directory() {
  std::string path = chosen();
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return os_error(errno, "make '" + path + "'");
  return if_private(std::move(path));
}

std::string cache_path() {
  return of_user("XDG_CACHE_HOME", ".cache");
}

Result<std::string> cache_directory() {
  Result<std::string> path = with_parents(cache_path(), "a cache");
  return path ? if_private(std::move(*path)) : path;
}

std::string config_path() {
  return of_user("XDG_CONFIG_HOME", ".config");
}

Result<std::string> config_directory() {
  return with_parents(config_path(), "settings");
}

}  // namespace podshark::extcap
