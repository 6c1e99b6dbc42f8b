// SPDX-License-Identifier: GPL-2.0-or-later
// ssh -W would need no bash, but does not tell when the far side's connection is there.
#include "extcap/probe/outside.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "extcap/remote/far_host.h"
#include "extcap/remote/far_script.h"
#include "extcap/remote/hosts.h"
#include "podman/core/text.h"
#include "podman/probe/tcp.h"

namespace podshark::extcap::probing {
namespace {

using probe::milliseconds;
using probe::TimePoint;

constexpr milliseconds kLogin{15'000};
constexpr std::size_t kMaxNoise = std::size_t{64} << 10U;  // of login scripts
constexpr std::string_view kBegin = "podshark-begin";
constexpr std::string_view kOpen = "podshark-open";

// Appends what can be read now; false at the end of file.
bool drain(int fd, std::string& text, std::size_t limit) {
  std::array<char, 4096> bytes{};
  for (;;) {
    const ssize_t n = ::read(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno == EAGAIN;
    if (n == 0) return false;
    if (text.size() < limit) text.append(bytes.data(), static_cast<std::size_t>(n));
  }
}

}  // namespace

Result<std::string> parse_ssh(const std::string& text) {
  const std::string scheme = "ssh://";
  const std::size_t slash = remote::is_far(text) ? text.find('/', scheme.size()) : std::string::npos;
  if (slash != std::string::npos && slash + 1 < text.size())
    return Error{ErrorKind::usage,
                 in_quotes(text.substr(slash + 1)) + " names no container of another machine",
                 "give --from ssh://HOST/CONTAINER"};
  const Result<remote::FarHost> host = remote::parse_host(text.substr(0, slash));
  if (!remote::is_far(text) || !host)
    return Error{ErrorKind::usage, "'" + one_line(text, 80) + "' is not ssh://[USER@]HOST[:PORT]", {}};
  return host->destination;
}

std::string far_command(const probe::Endpoint& remote, milliseconds timeout, const std::string& say) {
  const std::string limit = std::to_string(timeout.count() / 1000 + 2);
  const std::string send = say.empty() ? "" : "echo " + say + " >&3; ";
  // No ! and no ' inside, so that csh takes it too.
  return "env LC_ALL=C timeout " + limit + " bash -c 'echo " + std::string(kBegin) + "; exec 3<>/dev/tcp/" +
         remote.address.text() + "/" + std::to_string(remote.port) + " || exit 1; echo " +
         std::string(kOpen) + "; " + send + "exec cat <&3'";
}

int far_error(const std::string& text) {
  static constexpr std::array<std::pair<const char*, int>, 6> kTexts{{{"Connection refused", ECONNREFUSED},
                                                                      {"Connection timed out", ETIMEDOUT},
                                                                      {"No route to host", EHOSTUNREACH},
                                                                      {"Network is unreachable", ENETUNREACH},
                                                                      {"Connection reset", ECONNRESET},
                                                                      {"Operation not permitted", EPERM}}};
  for (const auto& [words, error] : kTexts) {
    if (text.find(words) != std::string::npos) return error;
  }
  return 0;
}

OutsideProbe::OutsideProbe(std::string destination, const probe::Endpoint& remote, milliseconds timeout,
                           std::string say)
    : destination_(std::move(destination)), say_(std::move(say)), timeout_(timeout) {
  attempt_.protocol = probe::Protocol::tcp;
  attempt_.remote = remote;
}

milliseconds OutsideProbe::longest(milliseconds timeout) {
  return kLogin + timeout;
}

void OutsideProbe::begin(TimePoint now) {
  since_ = now;
  wake_ = now + kLogin;
  const Result<remote::FarHost> named = remote::parse_host(destination_);
  const remote::FarHost host =
      named ? remote::as_listed(*named) : remote::FarHost{destination_, destination_};
  Result<Child> child = spawn(remote::ssh_command(host, far_command(attempt_.remote, timeout_, say_)),
                              remote::ssh_environment(), {.errors = true});
  if (child) {
    child_ = std::move(*child);
    return;
  }
  attempt_.not_measured = child.error().line();
  finish();
}

void OutsideProbe::interests(std::vector<Interest>& out) const {
  out.push_back({child_.out(), POLLIN});
  out.push_back({child_.errors(), POLLIN});
}

void OutsideProbe::on_ready(TimePoint now) {
  (void)drain(child_.errors(), errors_, kMaxNoise);
  const bool open = drain(child_.out(), output_, kMaxNoise);
  while (!done_ && take_line(now)) {
  }
  if (done_) return;
  if (phase_ == Phase::connected && !output_.empty()) {
    attempt_.answered = true;
    attempt_.said = output_.substr(0, probe::kMaxSaid);
    return finish();
  }
  if (!open) ended(now);
}

// Goes on to the next phase when its marker has come.
bool OutsideProbe::take_line(TimePoint now) {
  if (phase_ == Phase::connected) return false;
  const std::size_t end = output_.find('\n');
  if (end == std::string::npos) return false;
  std::string line = output_.substr(0, end);
  if (!line.empty() && line.back() == '\r') line.pop_back();
  output_.erase(0, end + 1);
  if (phase_ == Phase::login && line == kBegin) {
    phase_ = Phase::connecting;
    since_ = now;
    wake_ = now + timeout_;
  } else if (phase_ == Phase::connecting && line == kOpen) {
    phase_ = Phase::connected;
    attempt_.connected = true;
    attempt_.answer_after = std::chrono::duration_cast<probe::microseconds>(now - since_);
    since_ = now;
    wake_ = now + (say_.empty() ? probe::kWatch : timeout_);
  }
  return true;
}

void OutsideProbe::on_time(TimePoint now) {
  if (done_) return;
  if (phase_ == Phase::login) attempt_.not_measured = destination_ + " did not answer within 15 s";
  if (phase_ == Phase::connected) attempt_.watched = std::chrono::duration_cast<milliseconds>(now - since_);
  finish(phase_ == Phase::connecting ? ETIMEDOUT : 0);
}

// ssh has ended, or what it ran.
void OutsideProbe::ended(TimePoint now) {
  if (phase_ == Phase::connected) {
    attempt_.closed = true;
    attempt_.watched = std::chrono::duration_cast<milliseconds>(now - since_);
    return finish();
  }
  const int status = child_.wait();
  (void)drain(child_.errors(), errors_, kMaxNoise);
  const int error = phase_ == Phase::connecting ? far_error(errors_) : 0;
  if (error != 0) {
    attempt_.answer_after = std::chrono::duration_cast<probe::microseconds>(now - since_);
    return finish(error);
  }
  const std::string words = last_line(errors_, 200);
  const bool no_tool = WIFEXITED(status) && (WEXITSTATUS(status) == 127 || WEXITSTATUS(status) == 126);
  attempt_.not_measured = destination_ + ": " + (words.empty() ? "ssh ended without a word" : words) +
                          (no_tool ? " (env, timeout, bash and cat are needed there)" : "");
  finish();
}

void OutsideProbe::finish(int error) {
  attempt_.error = error;
  done_ = true;
  child_ = Child();  // what runs there ends by its own limit
}

}  // namespace podshark::extcap::probing
