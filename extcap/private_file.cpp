// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/private_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <ctime>

#include "podman/core/fd.h"
#include "podman/core/proc.h"
#include "podman/core/text.h"

namespace podshark::extcap {
namespace {

using std::chrono::milliseconds;

milliseconds age_of(const struct stat& st) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  const auto ms = (now.tv_sec - st.st_mtim.tv_sec) * 1000 + (now.tv_nsec - st.st_mtim.tv_nsec) / 1000000;
  return ms >= 0 ? milliseconds(ms) : milliseconds::max();  // from the future: the clock was set back
}

Status write_all(int fd, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return os_error(errno, "write " + in_quotes(path), {}, ErrorKind::output);
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return ok();
}

}  // namespace

Status replace_file(const std::string& path, std::string_view text) {
  const std::string unfinished = path + "." + std::to_string(::getpid());
  (void)::unlink(
      unfinished.c_str());  // of one that was killed and had our number, or put there to wait for us
  const UniqueFd fd(::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd)
    return os_error(errno, "open " + in_quotes(unfinished) + " for writing",
                    "choose a place you may write to", ErrorKind::output);
  Status status = write_all(fd.get(), text, unfinished);
  if (status && ::rename(unfinished.c_str(), path.c_str()) != 0)
    status = os_error(errno, "rename " + in_quotes(unfinished), {}, ErrorKind::output);
  if (!status) (void)::unlink(unfinished.c_str());
  return status;
}

std::optional<PrivateFile> read_private_file(const std::string& path, std::size_t max_bytes) {
  struct stat st {};
  if (::lstat(path.c_str(), &st) != 0 || !S_ISREG(st.st_mode) || st.st_uid != ::geteuid())
    return std::nullopt;
  Result<std::string> text = read_file(path, max_bytes);
  if (!text) return std::nullopt;
  return PrivateFile{std::move(*text), age_of(st)};
}

}  // namespace podshark::extcap
