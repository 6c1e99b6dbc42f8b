// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/check/resolver_trial.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "podman/core/fd.h"

namespace podshark::extcap::check {
namespace {

using Clock = std::chrono::steady_clock;

// id, flags (recursion desired), one question: name ".", type NS, class IN.
constexpr std::array<unsigned char, 17> kQuestion{'p', 's', 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1};

struct Trial {
  UniqueFd fd;
  bool done = false;
};

// A connected UDP socket: the kernel then tells of refusals. Sets `why` when nothing can be sent.
UniqueFd ask(const std::string& server, std::string& why) {
  const IpAddress address = IpAddress::parse(server).value_or(IpAddress{});
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

// What came: an answer to our question, or an error of the network.
void take(Trial& trial, diagnose::ResolverTrial& out) {
  std::array<unsigned char, 1500> answer{};
  const ssize_t n = ::recv(trial.fd.get(), answer.data(), answer.size(), 0);
  if (n < 0) {
    if (errno == EAGAIN || errno == EINTR) return;
    out.why = std::strerror(errno);
    trial.done = true;
  } else if (n >= 12 && answer[0] == kQuestion[0] && answer[1] == kQuestion[1] && (answer[2] & 0x80U) != 0) {
    out.answered = trial.done = true;
    out.why.clear();
  }
}

}  // namespace

std::vector<diagnose::ResolverTrial> try_resolvers(const std::vector<std::string>& servers,
                                                   std::chrono::milliseconds limit) {
  std::vector<diagnose::ResolverTrial> out;
  std::vector<Trial> trials;
  for (const std::string& server : servers) {
    out.push_back(
        {server, diagnose::Place::host, false, "no answer within " + std::to_string(limit.count()) + " ms"});
    Trial trial;
    trial.fd = ask(server, out.back().why);
    trial.done = !trial.fd;
    trials.push_back(std::move(trial));
  }
  for (const auto end = Clock::now() + limit;;) {
    std::vector<pollfd> waiting;
    for (const Trial& t : trials) waiting.push_back({t.done ? -1 : t.fd.get(), POLLIN, 0});
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
    bool open = false, answered = false;
    for (std::size_t i = 0; i < trials.size(); ++i) {
      open = open || !trials[i].done;
      answered = answered || out[i].answered;
    }
    if (!open || answered || left <= 0) return out;  // one good server is all that a container needs
    if (::poll(waiting.data(), waiting.size(), static_cast<int>(left)) < 0 && errno != EINTR) return out;
    for (std::size_t i = 0; i < trials.size(); ++i) {
      if (!trials[i].done && waiting[i].revents != 0) take(trials[i], out[i]);
    }
  }
}

}  // namespace podshark::extcap::check
