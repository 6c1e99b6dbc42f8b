// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/check/resolver_trial.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace podshark::extcap::check {
namespace {

using Clock = std::chrono::steady_clock;

// id, flags (recursion desired), one question: name ".", type NS, class IN.
constexpr std::array<unsigned char, 17> kQuestion{'p', 's', 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1};

// A connected UDP socket: the kernel then tells of refusals. Sets `why` when nothing can be sent.
UniqueFd ask(const IpAddress& address, std::string& why) {
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  v4.sin_family = AF_INET;
  v6.sin6_family = AF_INET6;
  v4.sin_port = v6.sin6_port = htons(53);
  std::memcpy(&v4.sin_addr, address.bytes.data() + 12, 4);
  std::memcpy(&v6.sin6_addr, address.bytes.data(), 16);
  const bool old = address.is_v4();
  UniqueFd fd(::socket(old ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const auto* to = old ? reinterpret_cast<const sockaddr*>(&v4) : reinterpret_cast<const sockaddr*>(&v6);
  if (!fd || ::connect(fd.get(), to, old ? sizeof(v4) : sizeof(v6)) != 0 ||
      ::send(fd.get(), kQuestion.data(), kQuestion.size(), MSG_NOSIGNAL) < 0) {
    why = std::strerror(errno);
    return {};
  }
  return fd;
}

}  // namespace

ResolverTrials::ResolverTrials(const std::vector<IpAddress>& servers, std::chrono::milliseconds limit)
    : end_(Clock::now() + limit) {
  for (const IpAddress& server : servers) {
    Trial trial;
    trial.result.server = server.text();
    trial.result.why = "no answer within " + std::to_string(limit.count()) + " ms";
    trial.fd = ask(server, trial.result.why);
    trial.done = !trial.fd;
    trials_.push_back(std::move(trial));
  }
}

// What came: an answer to our question, or an error of the network.
void ResolverTrials::take(Trial& trial) {
  std::array<unsigned char, 1500> answer{};
  const ssize_t n = ::recv(trial.fd.get(), answer.data(), answer.size(), 0);
  if (n < 0) {
    if (errno == EAGAIN || errno == EINTR) return;
    trial.result.why = std::strerror(errno);
    trial.done = true;
  } else if (n >= 12 && answer[0] == kQuestion[0] && answer[1] == kQuestion[1] && (answer[2] & 0x80U) != 0) {
    trial.result.answered = trial.done = true;
    trial.result.why.clear();
  }
}

bool ResolverTrials::settled() const {
  const auto answered = [](const Trial& t) { return t.result.answered; };
  const auto done = [](const Trial& t) { return t.done; };
  return std::any_of(trials_.begin(), trials_.end(), answered) ||
         std::all_of(trials_.begin(), trials_.end(), done);
}

std::vector<diagnose::ResolverTrial> ResolverTrials::finish() {
  while (!settled()) {
    std::vector<pollfd> waiting;
    for (const Trial& t : trials_) waiting.push_back({t.done ? -1 : t.fd.get(), POLLIN, 0});
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end_ - Clock::now()).count();
    const int wait = left > 0 ? static_cast<int>(left) : 0;
    const int ready = ::poll(waiting.data(), waiting.size(), wait);
    if (ready == 0 || (ready < 0 && errno != EINTR)) break;
    for (std::size_t i = 0; i < trials_.size(); ++i) {
      if (!trials_[i].done && waiting[i].revents != 0) take(trials_[i]);
    }
  }
  std::vector<diagnose::ResolverTrial> out;
  for (Trial& t : trials_) out.push_back(t.result);
  return out;
}

}  // namespace podshark::extcap::check
