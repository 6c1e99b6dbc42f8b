// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/agent/output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace podshark::agent {
namespace {

constexpr int kPipeSize = 1 << 20;
constexpr std::size_t kCompact = std::size_t{1} << 20U;  // move the rest to the front from here on

}  // namespace

Output::Output() {
  struct stat status;
  if (fstat(STDOUT_FILENO, &status) != 0) return;
  socket_ = S_ISSOCK(status.st_mode);
  if (!S_ISFIFO(status.st_mode)) return;  // a file takes everything
  (void)fcntl(STDOUT_FILENO, F_SETPIPE_SZ, kPipeSize);
  // An open file of our own: else whoever else has this pipe would get O_NONBLOCK too.
  const int own = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  if (own >= 0) {
    (void)dup2(own, STDOUT_FILENO);
    (void)close(own);
  } else {
    (void)fcntl(STDOUT_FILENO, F_SETFL, fcntl(STDOUT_FILENO, F_GETFL) | O_NONBLOCK);
  }
}

bool Output::flush() {
  while (begin_ < bytes_.size) {
    const std::uint8_t* from = bytes_.data + begin_;
    const std::size_t size = bytes_.size - begin_;
    const ssize_t n = socket_ ? send(STDOUT_FILENO, from, size, MSG_DONTWAIT | MSG_NOSIGNAL)
                              : write(STDOUT_FILENO, from, size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) break;
    if (n < 0) return false;
    begin_ += static_cast<std::size_t>(n);
  }
  if (begin_ == bytes_.size) {
    begin_ = bytes_.size = 0;
  } else if (begin_ >= kCompact) {
    memmove(bytes_.data, bytes_.data + begin_, bytes_.size - begin_);
    bytes_.size -= begin_;
    begin_ = 0;
  }
  return true;
}

}  // namespace podshark::agent
