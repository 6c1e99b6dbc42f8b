// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>

#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/common.h"

namespace podshark::diagnose {

namespace sysctl_rp_filter {

bool strict(const Netns& net, int ifindex) {
  const model::LinkSettings* link = net.settings(ifindex);
  const int all = net.state.all.rp_filter.value_or(0);
  return link != nullptr && link->rp_filter && std::max(all, *link->rp_filter) == 1;
}

std::string counted(const Netns& net) {
  const auto it = net.counters.find("IPReversePathFilter");
  return it == net.counters.end() || it->second == 0
             ? std::string()
             : "; " + std::to_string(it->second) + " packets were refused for it so far";
}

// Only who is asked from outside is answered by another way; its own connections leave by the way that
// answers take.
bool meets_it(const Facts& facts, const ContainerFacts& c) {
  return !c.container->ports.empty() || !counted(c.net).empty() || !counted(facts.where(c.place)).empty();
}

void check(const Facts& facts, Findings& out) {
  each_bridged(facts, [&](const ContainerFacts& c) {
    const std::vector<Leg> all = legs(facts, c);
    // With one way in and out, the answer always leaves where the question came in.
    if (std::count_if(all.begin(), all.end(), [](const Leg& leg) { return leg.routed(); }) < 2) return;
    std::string where;
    bool by_its_own = false;
    for (const Leg& leg : all) {
      const model::Link* inside = c.net.link(leg.attachment->interface);
      if (inside != nullptr && strict(c.net, inside->ifindex)) {
        where += " " + inside->name + " inside,";
        by_its_own = true;
      }
      if (leg.bridge != nullptr && strict(facts.where(c.place), leg.bridge->ifindex))
        where += " " + leg.bridge->name + ",";
    }
    if (where.empty()) return;
    where.pop_back();
    Finding f =
        finding(kSysctlRpFilter.id, meets_it(facts, c) ? Severity::error : Severity::info, c.subject(),
                "it is on several networks, and a strict reverse path filter drops what does not come in by "
                "the way the answer would take");
    f.evidence = {"rp_filter is 1 (strict) on" + where + counted(c.net) + counted(facts.where(c.place))};
    f.fix = set_sysctl(facts, c.place, "net.ipv4.conf.all.rp_filter", 2);
    if (by_its_own) f.fix.push_back("then " + restart(facts, c) + ": it has the setting from its start");
    out.push_back(std::move(f));
  });
}

}  // namespace sysctl_rp_filter

const Check kSysctlRpFilter{"sysctl.rp-filter",
                            "a strict reverse path filter meets a container on two networks",
                            "Clients outside and the host's own address time out, 127.0.0.1 and outbound "
                            "connections work. The container has "
                            "two default routes; packets that came in by one network would be answered "
                            "through the other, and rp_filter=1 "
                            "drops them. netavark sets 2 since 1.11 and keeps it since 1.16. Proof: "
                            "IPReversePathFilter in /proc/net/netstat rises.",
                            sysctl_rp_filter::check};

}  // namespace podshark::diagnose
