// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/common.h"

namespace podshark::diagnose {

namespace rootless_ping {

constexpr std::uint64_t kNetRaw = 1ULL << 13U;  // CAP_NET_RAW, linux/capability.h

bool nobody(const Netns& net) {
  const auto it = net.sysctls.find("net.ipv4.ping_group_range");
  return it != net.sysctls.end() && it->second.starts_with("1\t0");
}

void check(const Facts& facts, Findings& out) {
  const ContainerFacts* source = source_of(facts);
  if (source == nullptr || facts.question.protocol != "icmp") return;
  const bool raw = source->capabilities.value_or(0) & kNetRaw;
  const bool carried =
      source->container->rootless &&
      (source->container->kind == model::NetworkKind::slirp4netns ||
       source->container->kind == model::NetworkKind::pasta || source->place == Place::rootless);
  if (nobody(source->net) && !raw) {
    Finding f = finding(kRootlessPing.id, Severity::warning, source->subject(),
                        "its programs may not ping: permission denied");
    f.evidence = {"net.ipv4.ping_group_range is '1 0' (nobody) in its namespace, and it has no CAP_NET_RAW"};
    f.fix = {"--sysctl net.ipv4.ping_group_range='0 0', or --cap-add net_raw"};
    out.push_back(std::move(f));
  }
  if (carried && nobody(facts.host)) {
    Finding f = finding(kRootlessPing.id, Severity::warning, source->subject(),
                        "pings leave it, but the program that carries its packets may not ping for it");
    f.evidence = {
        "net.ipv4.ping_group_range is '1 0' (nobody) on the host, where slirp4netns or pasta open ICMP "
        "sockets"};
    f.fix = {"sudo sysctl -w net.ipv4.ping_group_range='0 2147483647'"};
    out.push_back(std::move(f));
  }
}

}  // namespace rootless_ping

const Check kRootlessPing{"rootless.ping", "ping from a container",
                          "By design: three separate conditions. The container's ping_group_range excludes "
                          "the program's group; it has no "
                          "CAP_NET_RAW for raw sockets; and for rootless containers the host's "
                          "ping_group_range excludes the user, so that "
                          "slirp4netns or pasta cannot ping for it. Proof: both sysctls ('1 0' is nobody).",
                          rootless_ping::check};

}  // namespace podshark::diagnose
