// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/output.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <functional>
#include <thread>
#include <utility>

#include "podman/core/text.h"

namespace podshark::extcap {
namespace {

constexpr auto kDrainLimit = std::chrono::milliseconds(800);  // Wireshark, stopping, counts on a second
constexpr std::chrono::milliseconds kPause{1};  // a pipe is writable after each page that is read
constexpr int kPipeSize = 1 << 20;  // fewer wake-ups of dumpcap; the kernel's default limit for plain users

// Bytes of whole blocks among the first `size`: each block starts with type and total length.
std::size_t whole_blocks(const std::uint8_t* data, std::size_t size) {
  std::size_t at = 0;
  while (at + 8 <= size) {
    std::uint32_t length = 0;
    std::memcpy(&length, data + at + 4, sizeof(length));
    if (length < 12 || at + length > size) break;
    at += length;
  }
  return at;
}

bool is_fifo(const std::string& path) {
  struct stat st {};
  return ::stat(path.c_str(), &st) == 0 && S_ISFIFO(st.st_mode);
}

// Waiting inside open(2) could not be ended by a blocked signal: dumpcap may fail and never come.
// `removed`, if given, tells that no reader can come any more.
UniqueFd open_fifo(const std::string& path, const std::function<bool()>& removed = nullptr) {
  constexpr timespec kRetry{0, 10'000'000};
  sigset_t blocked;
  (void)::sigprocmask(SIG_BLOCK, nullptr, &blocked);
  while (true) {
    UniqueFd fd(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
    if (fd || errno != ENXIO) return fd;
    const int signal = ::sigtimedwait(&blocked, nullptr, &kRetry);
    if (signal < 0 && removed && removed()) {
      errno = ENOENT;
      return {};
    }
    if (signal < 0) continue;
    (void)::kill(::getpid(), signal);
    errno = EINTR;
    return {};
  }
}

// A pipe is opened anew: else whoever else has it, such as the shell's next command, would get O_NONBLOCK
// too.
UniqueFd not_blocking(UniqueFd fd) {
  if ((::fcntl(fd.get(), F_GETFL) & O_NONBLOCK) != 0) return fd;
  const std::string path = "/proc/self/fd/" + std::to_string(fd.get());
  if (UniqueFd own(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC)); own) return own;
  (void)::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK);  // a socket, another user's pipe
  return fd;
}

// The shell's `>(command)`: a link, but to a descriptor that the caller has given us.
bool is_own_descriptor(const std::string& path) {
  return path.rfind("/dev/fd/", 0) == 0 || path.rfind("/proc/self/fd/", 0) == 0;
}

// What is wrong with a fifo of Wireshark's, which the same user or root has made; empty when nothing is.
std::string not_wiresharks(const struct stat& st) {
  if (S_ISLNK(st.st_mode)) return "it is a link";
  if (!S_ISFIFO(st.st_mode)) return "it is no fifo";
  if (st.st_uid != ::geteuid() && st.st_uid != 0) return "it is another user's";
  return {};
}

}  // namespace

Result<Output> Output::open(const std::string& path) {
  const std::string name = path == "-" ? "standard output" : "'" + one_line(path, 200) + "'";
  UniqueFd fd;
  if (path == "-") {
    fd.reset(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3));
  } else if (is_fifo(path)) {
    fd = open_fifo(path);
  } else {
    fd.reset(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  }
  Result<Output> out = opened(std::move(fd), name);
  if (out) out->replaces_ = path != "-" && !out->pipe_;
  return out;
}

Result<Output> Output::open_wiresharks(const std::string& path) {
  if (path == "-") return open(path);
  const std::string name = "'" + one_line(path, 200) + "'";
  // Looked at before it is opened for writing, which waits for a reader; and what was looked at is opened.
  const UniqueFd place(::open(path.c_str(), O_PATH | O_CLOEXEC | (is_own_descriptor(path) ? 0 : O_NOFOLLOW)));
  struct stat st {};
  if (!place || ::fstat(place.get(), &st) != 0)
    return os_error(errno, "open " + name + " for writing", "--fifo is one that Wireshark has made",
                    ErrorKind::output);
  if (const std::string wrong = not_wiresharks(st); !wrong.empty())
    return Error{ErrorKind::output, "open " + name + " for writing: " + wrong,
                 "--fifo is one that Wireshark has made; 'podshark capture -w' writes files"};
  return opened(open_fifo("/proc/self/fd/" + std::to_string(place.get()),
                          [&] { return ::fstat(place.get(), &st) == 0 && st.st_nlink == 0; }),
                name);
}

Result<Output> Output::opened(UniqueFd fd, const std::string& name) {
  if (!fd && errno == EINTR) {
    Output none({}, true, name);
    none.reader_gone_ = true;
    return none;
  }
  if (!fd)
    return os_error(errno, "open " + name + " for writing", "choose a place you may write to",
                    ErrorKind::output);
  struct stat st {};
  const bool pipe = ::fstat(fd.get(), &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
  if (pipe) {
    (void)::fcntl(fd.get(), F_SETPIPE_SZ, kPipeSize);
    fd = not_blocking(std::move(fd));
  }
  return Output(std::move(fd), pipe, name);
}

Error Output::failed(int code, const std::uint8_t* data, std::size_t done) {
  if (!pipe_) {
    // Leave a valid file behind: cut the torn block off.
    const std::size_t torn = done - whole_blocks(data, done);
    const off_t end = ::lseek(fd_.get(), 0, SEEK_CUR);
    if (end >= static_cast<off_t>(torn)) (void)!::ftruncate(fd_.get(), end - static_cast<off_t>(torn));
  }
  return os_error(code, "write to " + name_,
                  code == ENOSPC ? "free some space; what was captured until now is kept" : "",
                  ErrorKind::output);
}

Status Output::write_some(const std::uint8_t* data, std::size_t size, std::size_t* done) {
  if (std::exchange(replaces_, false)) (void)!::ftruncate(fd_.get(), 0);
  while (*done < size) {
    const ssize_t n = ::write(fd_.get(), data + *done, size - *done);
    if (n >= 0) {
      *done += static_cast<std::size_t>(n);
      written_ += static_cast<std::size_t>(n);
      continue;
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN) return ok();
    if (errno == EPIPE || errno == ECONNRESET) {
      reader_gone_ = true;
      return ok();
    }
    return failed(errno, data, *done);
  }
  return ok();
}

Status Output::write(wire::Bytes* bytes) {
  const std::size_t size = std::exchange(bytes->size, 0);
  std::size_t done = 0;
  if (queue_.size() == 0 && !reader_gone_) {
    if (Status s = write_some(bytes->data, size, &done); !s) return s;
  }
  if (reader_gone_ || done == size || queue_.append(bytes->data + done, size - done)) return ok();
  return os_error(ENOMEM, "hold packets for the reader of " + name_, "choose a smaller queue",
                  ErrorKind::output);
}

Status Output::drain(bool hurry) {
  using Clock = std::chrono::steady_clock;
  Clock::time_point end = Clock::now() + kDrainLimit;
  while (backlog() > 0 && !reader_gone_ && Clock::now() < end) {
    const std::size_t before = backlog();
    pollfd waiting{fd_.get(), POLLOUT, 0};
    (void)::poll(&waiting, 1, 50);
    if (Status s = pump(); !s) return s;
    if (backlog() < before && !hurry) end = Clock::now() + kDrainLimit;
    if (backlog() > 0) std::this_thread::sleep_for(kPause);
  }
  return ok();
}

std::string Output::untaken() const {
  if (backlog() == 0 || reader_gone_) return {};
  return "the reader did not take the last " + std::to_string(backlog()) + " bytes in time";
}

Status Output::pump() {
  while (queue_.size() > 0 && !reader_gone_) {
    const auto oldest = queue_.front();
    std::size_t done = 0;
    if (Status s = write_some(oldest.data(), oldest.size(), &done); !s) return s;
    queue_.pop(done);
    if (done < oldest.size()) return ok();
  }
  return ok();
}

}  // namespace podshark::extcap
