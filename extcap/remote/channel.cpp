// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/remote/channel.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>

#include "extcap/remote/far_script.h"
#include "podman/core/text.h"

namespace podshark::extcap::remote {
namespace {

constexpr std::size_t kMostNoise = std::size_t{64} << 10U;
constexpr std::size_t kMostLine = 4096;
constexpr std::size_t kMostSaid = 4096;
constexpr int kSshFailed = 255;
constexpr int kEndMs = 3000;  // ssh, once nothing is on its stdin and stdout

}  // namespace

bool Channel::can_ask() {
  const auto given = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
  return !(given("DISPLAY") + given("WAYLAND_DISPLAY")).empty() &&
         (!given("SSH_ASKPASS").empty() || !find_program("ssh-askpass").empty());
}

Result<Channel> Channel::open(const FarHost& host, const std::vector<std::string>& words, Asking asking,
                              Hooks hooks) {
  std::vector<std::string> environment{"LC_ALL=C"};
  if (asking == Asking::by_program) {
    environment.emplace_back(
        "SSH_ASKPASS_REQUIRE=force");  // also where there is a terminal: ssh is in the background
    const char* program = std::getenv("SSH_ASKPASS");
    if (program == nullptr || *program == '\0')
      environment.push_back("SSH_ASKPASS=" + find_program("ssh-askpass"));
  }
  Result<Child> child = spawn(far_command(host, words, asking), environment, {.lease = true, .errors = true});
  if (!child)
    return Error{ErrorKind::unsupported, child.error().what, "install the OpenSSH client (openssh-client)"};
  (void)::signal(SIGPIPE, SIG_IGN);  // beats to an ssh that has just ended; output that nobody reads
  (void)::fcntl(child->lease(), F_SETFL, O_NONBLOCK);
  Channel out(host, std::move(*child), std::move(hooks));
  out.beat();
  return out;
}

// A pipe that is full has beats enough.
void Channel::beat() {
  if (child_.lease() >= 0) (void)!::write(child_.lease(), ".", 1);
}

void Channel::take(std::span<const std::uint8_t> bytes) {
  if (began_) return hooks_.output(bytes);
  noise_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  for (std::size_t from = 0;;) {
    const std::size_t end = noise_.find('\n', from);
    if (end == std::string::npos) break;
    if (trim(std::string_view(noise_).substr(from, end - from)) == kMarker) {
      began_ = true;
      const std::string rest = noise_.substr(end + 1);
      noise_.clear();
      if (!rest.empty()) hooks_.output({reinterpret_cast<const std::uint8_t*>(rest.data()), rest.size()});
      return;
    }
    from = end + 1;
  }
  if (noise_.size() <= kMostNoise) return;
  failure_ = Error{ErrorKind::unsupported, host_.name + ": its login scripts print without end", {}};
  out_open_ = false;
}

void Channel::read_output() {
  std::array<std::uint8_t, 65536> buffer;
  const ssize_t n = ::read(child_.out(), buffer.data(), buffer.size());
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) {
    out_open_ = false;
    return;
  }
  take({buffer.data(), static_cast<std::size_t>(n)});
}

void Channel::read_errors() {
  std::array<char, 4096> buffer;
  const ssize_t n = ::read(child_.errors(), buffer.data(), buffer.size());
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) {
    errors_open_ = false;
    if (!rest_.empty() && began_) hooks_.line(one_line(rest_, kMostLine));
    rest_.clear();
    return;
  }
  const std::string text(buffer.data(), static_cast<std::size_t>(n));
  said_ += text;
  if (said_.size() > kMostSaid) said_.erase(0, said_.size() - kMostSaid);
  rest_ += text;
  std::size_t from = 0;
  for (std::size_t at = 0; (at = rest_.find('\n', from)) != std::string::npos; from = at + 1) {
    const std::string line = one_line(rest_.substr(from, at - from), kMostLine);
    // Until then these are ssh's own, which an error has, or of login scripts.
    if (began_ && !line.empty()) hooks_.line(line);
  }
  rest_.erase(0, from);
  if (rest_.size() > kMostLine) rest_.clear();
}

Result<int> Channel::finish() {
  child_.end_lease();
  while (errors_open_) {
    pollfd waiting{child_.errors(), POLLIN, 0};
    if (::poll(&waiting, 1, kEndMs) <= 0) break;
    read_errors();
  }
  pollfd process{child_.pidfd(), POLLIN, 0};
  if (::poll(&process, 1, kEndMs) <= 0)
    return failure_ ? *failure_ : Error{ErrorKind::unreachable, host_.name + ": ssh did not end", {}};
  const int status = child_.wait();
  if (failure_) return *failure_;
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  // ssh says little of it: "Timeout, server … not responding" is no error to it.
  if (code == kSshFailed && began_)
    return Error{ErrorKind::unreachable,
                 "the connection to " + host_.name + " was lost; what came until then is kept",
                 {}};
  if (code == kSshFailed) return ssh_error(host_, said_);
  if (!began_ && code == kNotThere)
    return Error{ErrorKind::unsupported, "podshark is not installed on " + host_.name,
                 "install it there: the same 'install/setup.sh' as here"};
  if (!began_)
    return Error{ErrorKind::unsupported,
                 host_.name + ": its shell could not start podshark: " + last_line(said_, 200),
                 {}};
  return code;
}

}  // namespace podshark::extcap::remote
