// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/remote/channel.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "extcap/remote/far_script.h"
#include "podman/core/text.h"

namespace podshark::extcap::remote {
namespace {

constexpr std::size_t kMostNoise = std::size_t{64} << 10U;
constexpr std::size_t kMostLine = 4096;
constexpr std::size_t kMostSaid = 4096;
constexpr std::chrono::seconds kEndLimit{3};  // for its last words, once nothing is on its stdin and stdout
constexpr int kExitMs = 500;                  // and, after them, for its exit

}  // namespace

Result<Channel> Channel::open(Line line, Hooks hooks) {
  Result<Child> child = spawn(line.argv, line.environment, {.lease = true, .errors = true});
  if (!child) return Error{ErrorKind::unsupported, child.error().what, line.install};
  (void)::signal(SIGPIPE, SIG_IGN);  // beats to a program that has just ended; output that nobody reads
  (void)::fcntl(child->lease(), F_SETFL, O_NONBLOCK);
  // An empty pipe takes it at once.
  const std::string& input = line.input;
  if (!input.empty() &&
      ::write(child->lease(), input.data(), input.size()) != static_cast<ssize_t>(input.size()))
    return Error{ErrorKind::internal, line.name + ": what is to be sent does not fit into a pipe", {}};
  Channel out(std::move(line), std::move(*child), std::move(hooks));
  out.beat();
  return out;
}

// A pipe that is full has beats enough.
void Channel::say(std::string_view text) {
  if (child_.lease() >= 0) (void)!::write(child_.lease(), text.data(), text.size());
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
  failure_ = Error{ErrorKind::unsupported, line_.name + ": its login scripts print without end", {}};
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
  heard_ = Clock::now();
  take({buffer.data(), static_cast<std::size_t>(n)});
}

// Whoever else writes there may be in the middle of a line.
void Channel::take_answers() {
  if (line_.answer.empty()) return;
  const std::string answer = line_.answer + "\n";
  for (std::string* text : {&rest_, &said_}) {
    for (std::size_t at = 0; (at = text->find(answer, at)) != std::string::npos;) {
      text->erase(at, answer.size());
      answers_ = true;
    }
  }
}

void Channel::read_errors() {
  // The marker, which tells whose words these are, may have come together with them.
  if (!began_ && out_open_) read_output();
  std::array<char, 4096> buffer;
  const ssize_t n = ::read(child_.errors(), buffer.data(), buffer.size());
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) {
    errors_open_ = false;
    const bool answer = line_.answer.starts_with(rest_);  // or its beginning
    if (!answer && began_) hooks_.line(one_line(rest_, kMostLine));
    rest_.clear();
    return;
  }
  heard_ = Clock::now();
  const std::string text(buffer.data(), static_cast<std::size_t>(n));
  said_ += text;
  rest_ += text;
  take_answers();
  if (said_.size() > kMostSaid) said_.erase(0, said_.size() - kMostSaid);
  std::size_t from = 0;
  for (std::size_t at = 0; (at = rest_.find('\n', from)) != std::string::npos; from = at + 1) {
    const std::string line = one_line(rest_.substr(from, at - from), kMostLine);
    // Until then these are ssh's own, which an error has, or of login scripts.
    if (began_ && !line.empty()) hooks_.line(line);
  }
  rest_.erase(0, from);
  if (rest_.size() > kMostLine) rest_.clear();
}

Error Channel::lost() const {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(line_.silence).count();
  return {ErrorKind::unreachable,
          "the connection to " + line_.name + " was lost: nothing has come from there for " +
              std::to_string(seconds) + " s; what came until then is kept",
          {}};
}

Result<int> Channel::finish() {
  child_.end_lease();
  const Clock::time_point end = Clock::now() + kEndLimit;
  const auto left = [&] {
    return static_cast<int>(
        std::max<long>(0, std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count()));
  };
  while (errors_open_) {
    pollfd waiting{child_.errors(), POLLIN, 0};
    if (::poll(&waiting, 1, left()) <= 0) break;
    read_errors();
  }
  pollfd process{child_.pidfd(), POLLIN, 0};
  if (::poll(&process, 1, std::max(left(), kExitMs)) <= 0)
    return failure_ ? *failure_
                    : Error{ErrorKind::unreachable, line_.name + ": the connection did not end", {}};
  const int status = child_.wait();
  if (failure_) return *failure_;
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  // ssh says little of it: "Timeout, server … not responding" is no error to it.
  if (began_ && code == line_.lost_code)
    return Error{ErrorKind::unreachable,
                 "the connection to " + line_.name +
                     " was lost, or what ran there was killed; what came until then is kept",
                 {}};
  if (!began_ && code != kNotThere) return line_.refused(code, said_);
  if (began_ && code == kNotThere)
    return Error{ErrorKind::internal,
                 line_.name + ": a program that it needs is missing there: " + last_line(said_, 200),
                 {}};
  return code;
}

}  // namespace podshark::extcap::remote
