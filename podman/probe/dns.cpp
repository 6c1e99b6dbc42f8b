// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/probe/dns.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <utility>

namespace podshark::probe {
namespace {

constexpr milliseconds kAgain{700};
constexpr int kNoError = 0;
constexpr int kNoSuchName = 3;
constexpr std::size_t kMaxPackets = 32;  // read in one turn

}  // namespace

DnsProbe::DnsProbe(UniqueFd socket, const Endpoint& server, milliseconds timeout,
                   std::vector<std::string> names, std::uint16_t first_id)
    : SocketProbe(std::move(socket), Protocol::dns, server, timeout),
      names_(std::move(names)),
      id_(first_id) {}

void DnsProbe::start(TimePoint now) {
  if (names_.empty()) return finish(now, EINVAL);
  if (const int error = connect(); error != 0) return finish(now, error);
  wait_for(POLLIN);
  ask(now);
}

void DnsProbe::ask(TimePoint now) {
  facts().dns.name = names_[current_];
  for (const std::size_t i : {0U, 1U}) {
    if (got_[i]) continue;
    const auto query =
        dns_query(static_cast<std::uint16_t>(id_ + i), names_[current_], i == 0 ? kDnsA : kDnsAaaa);
    if (!query) return finish(now, EINVAL);
    if (::send(fd(), query->data(), query->size(), MSG_NOSIGNAL) < 0 && errno != EAGAIN && errno != ENOBUFS) {
      const int error = errno;
      read_icmp_errors();
      return finish(now, error);
    }
  }
  wake_at(now + kAgain);
}

void DnsProbe::on_ready(TimePoint now) {
  std::array<char, 4096> bytes{};
  for (std::size_t packets = 0; packets < kMaxPackets && !done(); ++packets) {
    const ssize_t n = ::recv(fd(), bytes.data(), bytes.size(), 0);
    if (n < 0) {
      const int error = errno;
      read_icmp_errors();
      if (error != EAGAIN && error != EINTR) finish(now, error);
      return;
    }
    const auto reply = parse_dns_reply({bytes.data(), static_cast<std::size_t>(n)});
    const unsigned which = reply ? static_cast<std::uint16_t>(reply->id - id_) : 2U;
    if (which > 1 || got_[which]) continue;  // a stranger's, or a second copy
    answered(now, "", 0);
    got_[which] = true;
    code_[which] = reply->code;
    auto& all = facts().dns.addresses;
    all.insert(which == 0 ? all.begin() : all.end(), reply->addresses.begin(), reply->addresses.end());
    if (got_[0] && got_[1]) judge(now);
  }
}

// Both are there, or one of them with addresses and the other late.
void DnsProbe::judge(TimePoint now) {
  DnsAnswer& answer = facts().dns;
  answer.code = got_[0] ? code_[0] : code_[1];
  if (got_[0] && got_[1] && code_[0] != kNoError && code_[1] == kNoError) answer.code = kNoError;
  const bool none = answer.code == kNoSuchName;
  if (none && current_ + 1 < names_.size()) {
    ++current_;
    id_ = static_cast<std::uint16_t>(id_ + 2);
    got_[0] = got_[1] = false;
    return ask(now);
  }
  finish(now, 0);
}

void DnsProbe::timer(TimePoint now) {
  if (!facts().dns.addresses.empty()) return judge(now);
  ask(now);
}

void DnsProbe::expired(TimePoint now) {
  if (got_[0] || got_[1]) {
    facts().dns.code = got_[0] ? code_[0] : code_[1];
    return finish(now, 0);
  }
  finish(now, ETIMEDOUT);
}

}  // namespace podshark::probe
