// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/agent/idle.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "extcap/agent/clocks.h"
#include "extcap/agent/line.h"
#include "podman/core/fd.h"

namespace podshark::agent {
namespace {

constexpr const char* kName = "podshark-agent";
constexpr timespec kLook{1, 0};

bool is_capture_process(const char* pid) {
  Line path;
  path.add("/proc/").add(pid).add("/cmdline");
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  char words[512];
  const ssize_t n = fd ? read(fd.get(), words, sizeof(words)) : 0;
  return n > 0 && is_capture(words, static_cast<std::uint32_t>(n));
}

// Without /proc nobody could tell; then it is taken for idle.
bool captures_run() {
  DIR* proc = opendir("/proc");
  if (proc == nullptr) return false;
  bool found = false;
  while (const dirent* entry = found ? nullptr : readdir(proc)) {
    found = entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && is_capture_process(entry->d_name);
  }
  (void)closedir(proc);
  return found;
}

}  // namespace

bool is_capture(const char* cmdline, std::uint32_t size) {
  const std::size_t first = strnlen(cmdline, size);
  constexpr char kVerb[] = "capture";
  if (first + 1 + sizeof(kVerb) > size || memcmp(cmdline + first + 1, kVerb, sizeof(kVerb)) != 0)
    return false;
  const char* slash = static_cast<const char*>(memrchr(cmdline, '/', first));
  const char* base = slash == nullptr ? cmdline : slash + 1;
  return strcmp(base, kName) == 0;
}

ExitCode run_idle(std::uint32_t seconds) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) sigaddset(&set, signal);
  (void)sigprocmask(SIG_BLOCK, &set, nullptr);
  std::uint64_t last = steady_ms();
  while (steady_ms() - last < std::uint64_t{seconds} * 1000) {
    const int signal = sigtimedwait(&set, nullptr, &kLook);
    while (waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    if (signal > 0 && signal != SIGCHLD) return kDone;
    if (captures_run()) last = steady_ms();
  }
  return kDone;
}

}  // namespace podshark::agent
