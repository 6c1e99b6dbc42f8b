// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/common.h"

namespace podshark::diagnose {

namespace net_macvlan_host {

void check(const Facts& facts, Findings& out) {
  each_running(facts, [&](const ContainerFacts& c) {
    const bool macvlan = c.container->kind == model::NetworkKind::macvlan;
    if (!macvlan && c.container->kind != model::NetworkKind::ipvlan) return;
    const bool from_host = is_target(facts, c) && facts.question.from == "host";
    Finding f =
        finding(kNetMacvlanHost.id, from_host ? Severity::warning : Severity::info, c.subject(),
                "it is on a macvlan or ipvlan network: the host itself cannot reach it, and published ports "
                "have no effect");
    f.evidence = {std::string("its network's driver is ") + model::to_string(c.container->kind) +
                  ": the kernel keeps the parent link and its children apart" +
                  (c.container->ports.empty() ? "" : "; -p is shown by podman, but nothing implements it")};
    const std::optional<IpAddress> address = first_address(c);
    const model::Network* network =
        c.container->networks.empty() ? nullptr : facts.network(c.container->networks.front().network);
    f.fix = {"from the host, through a link beside it: ip link add shim link " +
                 (network != nullptr && !network->bridge.empty() ? network->bridge : std::string("PARENT")) +
                 (macvlan ? " type macvlan mode bridge" : " type ipvlan mode l2") +
                 "; ip addr add FREE/32 dev shim; ip link set shim up; ip route add " +
                 (address ? address->text() : std::string("ADDRESS")) + "/32 dev shim",
             "and drop -p: clients on the LAN use the container's own address"};
    out.push_back(std::move(f));
  });
}

}  // namespace net_macvlan_host

const Check kNetMacvlanHost{"net.macvlan-host", "macvlan keeps host and container apart",
                            "By design: machines on the LAN reach the container, the host does not, in "
                            "either direction; -p is listed but "
                            "hangs. Proof: the network's driver, or the kind of the link, is macvlan or "
                            "ipvlan (NetworkMode says bridge).",
                            net_macvlan_host::check};

}  // namespace podshark::diagnose
