// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/remote/merge_stream.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "extcap/remote/far_script.h"
#include "podman/core/text.h"

namespace podshark::extcap::remote {
namespace {

constexpr std::size_t kPiece = std::size_t{256} * 1024;
constexpr std::size_t kMostLine = 4096;

bool nothing_yet(ssize_t n) {
  return n < 0 && (errno == EAGAIN || errno == EINTR);
}

}  // namespace

Result<std::unique_ptr<MergeStream>> MergeStream::start(EventLoop& loop,
                                                        const std::vector<std::string>& arguments,
                                                        PcapngFeed::Hooks blocks, Hooks hooks) {
  std::vector<std::string> argv{"/proc/self/exe"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  Result<Child> child = spawn(argv, {std::string(kOneOfSeveral) + "=1"}, {.errors = true});
  if (!child) return child.error();
  std::unique_ptr<MergeStream> stream(
      new MergeStream(loop, std::move(*child), std::move(blocks), std::move(hooks)));
  stream->watch();
  return stream;
}

void MergeStream::watch() {
  watched_ = true;
  buffer_.resize(kPiece);
  loop_.add(child_.out(), 0, [this](std::uint32_t) {
    // Hung up while paused: the exit is told too, and what is left is read then.
    if (!read_output(/* all= */ false)) loop_.remove(child_.out());
  });
  loop_.add(child_.errors(), EPOLLIN, [this](std::uint32_t) {
    if (!read_errors(/* all= */ false)) loop_.remove(child_.errors());
  });
  loop_.add(child_.pidfd(), EPOLLIN, [this](std::uint32_t) { on_exit(); });
}

void MergeStream::close() {
  if (!std::exchange(watched_, false)) return;
  for (const int fd : {child_.out(), child_.errors(), child_.pidfd()}) loop_.remove(fd);
}

void MergeStream::pause(bool paused) {
  if (!watched_ || paused == std::exchange(paused_, paused)) return;
  if (exited_ && !paused) return on_exit();
  if (!exited_) loop_.change(child_.out(), paused ? 0U : std::uint32_t{EPOLLIN});
}

void MergeStream::stop() {
  if (watched_ && !exited_) ::kill(child_.pid(), SIGTERM);
}

bool MergeStream::read_output(bool all) {
  do {
    if (paused_) return true;
    const ssize_t n = ::read(child_.out(), buffer_.data(), buffer_.size());
    if (nothing_yet(n)) return true;
    if (n <= 0) return false;
    if (const Status fed = feed_.feed({buffer_.data(), static_cast<std::size_t>(n)}); !fed) {
      stop();
      conclude(Error{fed.error().kind, "what came " + fed.error().what, {}});
      return true;
    }
  } while (all && watched_);
  return true;
}

bool MergeStream::read_errors(bool all) {
  std::array<char, 4096> buffer;
  ssize_t n = 0;
  do {
    n = ::read(child_.errors(), buffer.data(), buffer.size());
    if (n > 0) rest_.append(buffer.data(), static_cast<std::size_t>(n));
    const bool last = all && n == 0 && !rest_.empty() && rest_.back() != '\n';
    if (last) rest_ += '\n';
    std::size_t from = 0;
    for (std::size_t at = 0; (at = rest_.find('\n', from)) != std::string::npos; from = at + 1) {
      const std::string line = one_line(rest_.substr(from, at - from), kMostLine);
      if (!line.empty()) hooks_.line(line);
    }
    rest_.erase(0, from);
    if (rest_.size() > kMostLine) rest_.clear();
  } while (all && n > 0);
  return n > 0 || nothing_yet(n);
}

void MergeStream::on_exit() {
  if (!std::exchange(exited_, true)) loop_.remove(child_.pidfd());
  (void)read_errors(/* all= */ true);
  loop_.remove(child_.errors());
  if (paused_) return loop_.remove(child_.out());  // a pipe that is hung up would wake us for ever
  (void)read_output(/* all= */ true);
  if (!watched_) return;
  const int status = child_.wait();
  conclude(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

void MergeStream::conclude(Result<int> code) {
  close();
  hooks_.ended(std::move(code));
}

}  // namespace podshark::extcap::remote
