// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/top/terminal.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

namespace podshark::extcap::top {
namespace {

// A pipe that poll(2) calls writable has room for this much (PIPE_BUF).
constexpr std::size_t kPiece = 4096;

constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[H\x1b[2J";
constexpr std::string_view kLeave = "\x1b[?7h\x1b[?25h\x1b[?1049l";

void write_plain(int fd, std::string_view text) {
  (void)!::write(fd, text.data(), text.size());
}

}  // namespace

Result<WriteEnd> write_unless_stopped(int fd, const std::string& text, int stop_fd) {
  std::size_t done = 0;
  while (done < text.size()) {
    std::array<pollfd, 2> wait{{{fd, POLLOUT, 0}, {stop_fd, POLLIN, 0}}};
    if (::poll(wait.data(), wait.size(), -1) < 0 && errno != EINTR) return os_error(errno, "poll");
    if ((wait[0].revents & (POLLOUT | POLLERR | POLLHUP)) == 0) {
      if ((wait[1].revents & POLLIN) != 0) return WriteEnd{.reader_gone = false, .stopped = true};
      continue;
    }
    const ssize_t n = ::write(fd, text.data() + done, std::min(kPiece, text.size() - done));
    if (n < 0 && (errno == EPIPE || errno == EIO))  // EIO: the terminal was closed
      return WriteEnd{.reader_gone = true, .stopped = false};
    if (n < 0 && errno != EINTR && errno != EAGAIN) {
      return os_error(errno, "write to standard output", {}, ErrorKind::output);
    }
    if (n > 0) done += static_cast<std::size_t>(n);
  }
  return WriteEnd{};
}

Screen::Screen(int in, int out) : in_(in), out_(out) {
  termios mode{};
  if (::isatty(in_) != 0 && ::tcgetattr(in_, &mode) == 0) {
    before_ = mode;
    // Ctrl-C stays a signal; Ctrl-Z would leave the shell with our screen.
    mode.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    mode.c_cc[VMIN] = 1;
    mode.c_cc[VTIME] = 0;
    mode.c_cc[VSUSP] = _POSIX_VDISABLE;
    (void)::tcsetattr(in_, TCSANOW, &mode);
  }
  write_plain(out_, kEnter);
}

Screen::~Screen() {
  write_plain(out_, kLeave);
  if (before_) (void)::tcsetattr(in_, TCSAFLUSH, &*before_);  // typed keys are not for the shell
}

Screen::Size Screen::size() const {
  winsize size{};
  if (::ioctl(out_, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return {80, 24};
  return {size.ws_col, size.ws_row};
}

std::string Screen::frame(const std::vector<std::string>& lines) {
  std::string out = "\x1b[H";
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) out += "\r\n";
    out += i == 0 ? "\x1b[7m" + lines[i] + "\x1b[K\x1b[27m" : lines[i] + "\x1b[K";
  }
  return out + "\x1b[J";
}

}  // namespace podshark::extcap::top
