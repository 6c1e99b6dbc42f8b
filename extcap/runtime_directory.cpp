// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/runtime_directory.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace podshark::extcap {
namespace {

std::string chosen() {
  const char* xdg = std::getenv("XDG_RUNTIME_DIR");
  if (xdg != nullptr && xdg[0] == '/') return std::string(xdg) + "/podshark";
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

}  // namespace

Result<std::string> runtime_directory() {
  std::string path = chosen();
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return os_error(errno, "make '" + path + "'");
  if (!private_directory(path))
    return Error{ErrorKind::permission, "'" + path + "' is not a private directory of yours", "remove it"};
  return path;
}

}  // namespace podshark::extcap
