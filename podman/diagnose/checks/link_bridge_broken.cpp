// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/common.h"

namespace podshark::diagnose {

namespace link_bridge_broken {

constexpr unsigned kUp = 0x1;  // IFF_UP, net/if.h

Finding broken(const ContainerFacts& c, const std::string& what, std::string evidence) {
  Finding f = finding(kLinkBridgeBroken.id, Severity::error, c.subject(), what);
  f.evidence = {std::move(evidence)};
  return f;
}

void add_veth_fix(const Facts& facts, const ContainerFacts& c, Finding& f) {
  f.fix = {reload(facts, c),
           "keep NetworkManager or systemd-networkd away from podman* and veth* links if one of them did it"};
}

void check_veth(const Facts& facts, const ContainerFacts& c, const model::Link& veth, Findings& out) {
  const Netns& there = facts.where(c.place);
  if (veth.master == 0) {
    Finding f =
        broken(c, "its link is not plugged into the bridge: nothing reaches it, not even from the host",
               veth.name + " (the host's end of the container's link) has no bridge as its master");
    add_veth_fix(facts, c, f);
    out.push_back(std::move(f));
  } else if ((veth.flags & kUp) == 0) {
    Finding f =
        broken(c, "the host's end of its link is down: nothing reaches it",
               veth.name + ", a port of " +
                   (there.link(veth.master) != nullptr ? there.link(veth.master)->name : "its bridge") +
                   ", is down");
    add_veth_fix(facts, c, f);
    out.push_back(std::move(f));
  }
}

bool has_address(const model::Link& link, const std::string& address) {
  const std::optional<IpAddress> wanted = IpAddress::parse(address);
  for (const std::string& text : link.addresses) {
    if (wanted && IpAddress::parse(text) == wanted) return true;
  }
  return false;
}

std::string prefix_of(const Leg& leg) {
  for (const std::string& address : leg.attachment->addresses) {
    const std::size_t slash = address.find('/');
    if (slash != std::string::npos) return address.substr(slash);
  }
  return "/PREFIX";
}

void check_bridge(const Facts& facts, const ContainerFacts& c, const Leg& leg, Findings& out) {
  if (leg.network == nullptr || !facts.where(c.place).visible) return;
  const std::string& name = leg.network->bridge;
  const std::string& gateway = leg.attachment->gateway;
  const std::string inside = c.place == Place::rootless ? "in the rootless network namespace: " : sudo(facts);
  if (leg.bridge == nullptr) {
    Finding f = broken(c, "the bridge of its network does not exist", "there is no link " + name);
    f.fix = {restart(facts, c)};
    out.push_back(std::move(f));
  } else if ((leg.bridge->flags & kUp) == 0) {
    Finding f = broken(c, "the bridge of its network is down", name + " is down");
    f.fix = {inside + "ip link set " + name + " up", "then " + restart(facts, c)};
    out.push_back(std::move(f));
  } else if (!leg.unmanaged() && !gateway.empty() && !has_address(*leg.bridge, gateway)) {
    Finding f = broken(c, "the bridge of its network has lost its address, which is the containers' gateway",
                       name + " does not have " + gateway);
    f.fix = {inside + "ip addr add " + gateway + prefix_of(leg) + " dev " + name,
             "then " + restart(facts, c)};
    out.push_back(std::move(f));
  }
}

void check(const Facts& facts, Findings& out) {
  each_bridged(facts, [&](const ContainerFacts& c) {
    for (const model::Link& veth : c.veths) check_veth(facts, c, veth, out);
    for (const Leg& leg : legs(facts, c)) check_bridge(facts, c, leg, out);
  });
}

}  // namespace link_bridge_broken

const Check kLinkBridgeBroken{
    "link.bridge-broken", "the bridge or the container's place on it is broken",
    "Nothing reaches the container, not even from the host; inside, 127.0.0.1 works. NetworkManager, "
    "systemd-networkd "
    "or a person detached the veth, took it or the bridge down, or removed the bridge's address. Proof: `ip "
    "-d link` "
    "shows the veth without master or DOWN, or `ip addr` the bridge without the gateway's address.",
    link_bridge_broken::check};

}  // namespace podshark::diagnose
