// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/annotate/input.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "extcap/probe/stop.h"
#include "podman/core/text.h"

namespace podshark::extcap {
namespace {

using Clock = std::chrono::steady_clock;

// A name that is wrong is the user's; everything else is what the system says.
Error can_not_open(const std::string& name) {
  const int code = errno;
  const bool wrong = code == ENOENT || code == ENOTDIR || code == EISDIR;
  return os_error(code, "open " + name, {}, wrong ? std::optional(ErrorKind::usage) : std::nullopt);
}

Result<UniqueFd> open_file(const std::string& path, const std::string& name) {
  UniqueFd fd(path == "-" ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                          : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return can_not_open(name);
  struct stat st {};
  if (::fstat(fd.get(), &st) == 0 && S_ISDIR(st.st_mode)) {
    errno = EISDIR;
    return can_not_open(name);
  }
  return fd;
}

bool is_file(int fd) {
  struct stat st {};
  return ::fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

}  // namespace

Result<std::unique_ptr<Input>> Input::open(const std::string& path) {
  const std::string name = path == "-" ? "standard input" : "'" + one_line(path, 200) + "'";
  Result<UniqueFd> fd = open_file(path, name);
  if (!fd) return fd.error();
  std::unique_ptr<Input> input(new Input(std::move(*fd), name));
  if (!is_file(input->fd_.get())) {
    Result<UniqueFd> signals = probing::stop_signals();
    if (!signals) return signals.error();
    input->signals_ = std::move(*signals);
  }
  if (const Status s = input->look(); !s) return s.error();
  return input;
}

void Input::on_signal() {
  signalfd_siginfo info{};
  if (::read(signals_.get(), &info, sizeof(info)) != sizeof(info)) return;
  if (!end_) {
    end_ = Clock::now() + kPatience;
    return;
  }
  const int number = static_cast<int>(info.ssi_signo);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, number);
  (void)::signal(number, SIG_DFL);
  (void)::sigprocmask(SIG_UNBLOCK, &set, nullptr);
  (void)::raise(number);
}

bool Input::ready(int fd, short events) {
  std::array<pollfd, 2> waiting{{{fd, events, 0}, {signals_.get(), POLLIN, 0}}};
  while (!end_ || Clock::now() < *end_) {
    const auto left = end_ ? std::chrono::ceil<std::chrono::milliseconds>(*end_ - Clock::now()).count() : -1;
    if (::poll(waiting.data(), waiting.size(), static_cast<int>(left)) < 0) continue;
    if (waiting[1].revents != 0) on_signal();
    if (waiting[0].revents != 0) return true;
  }
  return false;
}

bool Input::waits() const {
  pollfd p{fd_.get(), POLLIN, 0};
  return signals_ && ::poll(&p, 1, 0) == 0;
}

Result<std::size_t> Input::read_some(std::span<std::uint8_t> out) {
  while (true) {
    if (signals_ && !ready(fd_.get(), POLLIN)) return std::size_t{0};
    const ssize_t n = ::read(fd_.get(), out.data(), out.size());
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno != EINTR && errno != EAGAIN) return os_error(errno, "read " + name_);
  }
}

// Gzip or not: two bytes tell.
Status Input::look() {
  std::vector<std::uint8_t> first;
  while (first.size() < 2) {
    std::uint8_t byte = 0;
    const Result<std::size_t> got = read_some({&byte, 1});
    if (!got) return got.error();
    if (*got == 0) break;
    first.push_back(byte);
  }
  const bool gzip = is_gzip(first);
  first_ = std::move(first);
  if (gzip)
    inflate_ = std::make_unique<Inflate>([this](std::span<std::uint8_t> out) { return read_raw(out); });
  return ok();
}

Result<std::size_t> Input::read_raw(std::span<std::uint8_t> out) {
  if (first_.empty()) return read_some(out);
  const std::size_t n = std::min(out.size(), first_.size());
  std::copy_n(first_.begin(), n, out.begin());
  first_.erase(first_.begin(), first_.begin() + static_cast<std::ptrdiff_t>(n));
  return n;
}

Result<std::size_t> Input::read(std::span<std::uint8_t> out) {
  return inflate_ ? inflate_->read(out) : read_raw(out);
}

bool Input::same_file(const std::string& path) const {
  struct stat ours {};
  struct stat other {};
  return path != "-" && ::fstat(fd_.get(), &ours) == 0 && S_ISREG(ours.st_mode) &&
         ::stat(path.c_str(), &other) == 0 && ours.st_dev == other.st_dev && ours.st_ino == other.st_ino;
}

}  // namespace podshark::extcap
