// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/check/rule_notice.h"

#include <fcntl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "extcap/check/in_netns.h"

namespace podshark::extcap::check {
namespace {

constexpr int kStartMs = 3000;

int listen_for_rules() {
  const int fd = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = 1U << (NFNLGRP_NFTABLES - 1);
  if (fd < 0 || ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) return -1;
  return fd;
}

// A byte when it listens, then one for each message; ends when nobody reads them any more.
[[noreturn]] void child(int out, int netns, bool host) noexcept {
  if (!enter(netns, host)) ::_exit(1);
  const int socket = listen_for_rules();
  if (socket < 0 || ::write(out, "l", 1) != 1) ::_exit(1);
  std::array<char, 8192> message{};
  for (;;) {
    std::array<pollfd, 2> waiting{{{socket, POLLIN, 0}, {out, 0, 0}}};
    if (::poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR) ::_exit(2);
    if (waiting[1].revents != 0) ::_exit(0);
    if (waiting[0].revents == 0) continue;
    // ENOBUFS: more changes than there was room for, which is a change all the more.
    if (::recv(socket, message.data(), message.size(), 0) < 0 && errno != ENOBUFS && errno != EINTR)
      ::_exit(2);
    if (::write(out, "c", 1) < 0 && errno != EAGAIN) ::_exit(0);
  }
}

}  // namespace

Result<RuleNotice> RuleNotice::start(const NetnsPlace& place) {
  const UniqueFd netns = open_netns(place);
  if (!netns) return os_error(errno, "open the network namespace of " + place.who());
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return os_error(errno, "make a pipe");
  UniqueFd from(ends[0]);
  UniqueFd to(ends[1]);
  const pid_t pid = ::fork();
  if (pid == 0) child(to.get(), netns.get(), place.kind == NetnsPlace::Kind::host);
  if (pid < 0) return os_error(errno, "start a child for " + place.who());
  to.reset();
  RuleNotice out(pid, std::move(from));
  pollfd started{out.fd(), POLLIN, 0};
  std::array<char, 1> byte{};
  if (::poll(&started, 1, kStartMs) > 0 && ::read(out.fd(), byte.data(), 1) == 1) return out;
  return Error{ErrorKind::permission,
               "changes of the firewall rules of " + place.who() + " cannot be watched: not permitted",
               "run podshark as its owner, or with sudo"};
}

RuleNotice& RuleNotice::operator=(RuleNotice&& other) noexcept {
  if (this != &other) {
    end();
    pid_ = std::exchange(other.pid_, 0);
    from_ = std::move(other.from_);
  }
  return *this;
}

void RuleNotice::end() {
  const pid_t pid = from_ ? std::exchange(pid_, 0) : 0;  // a moved-from object has no descriptor
  from_.reset();
  if (pid <= 0) return;
  (void)::kill(pid, SIGKILL);
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

bool RuleNotice::acknowledge() {
  std::array<char, 4096> bytes{};
  for (;;) {
    const ssize_t n = ::read(from_.get(), bytes.data(), bytes.size());
    if (n > 0) continue;
    return n < 0 && (errno == EAGAIN || errno == EINTR);
  }
}

}  // namespace podshark::extcap::check
