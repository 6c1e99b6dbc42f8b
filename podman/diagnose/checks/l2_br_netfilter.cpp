// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/certainty.h"
#include "podman/diagnose/checks/checks.h"

namespace podshark::diagnose {

namespace l2_br_netfilter {

void check_siblings(const Facts& facts, const ContainerFacts& c, Findings& out) {
  const std::vector<Attempt> all = attempts(facts, c);
  const Attempt* a = surest(
      all, [](const Attempt& one) { return one.way == Way::sibling && blocker(one) != Blocker::isolation; });
  if (a == nullptr) return;
  Finding f =
      finding(kL2BrNetfilter.id, Severity::error, c.subject(),
              "a container of its own network cannot reach it: bridged frames pass the host's forward "
              "rules, and those drop them");
  f.evidence = {std::string(kBridgedPassRules) + " = 1", blocker_text(*a)};
  f.fix = {sudo(facts) + "sysctl -w " + kBridgedPassRules + "=0",
           "or accept there what comes in and leaves by the bridge"};
  weigh(*a, f);
  out.push_back(std::move(f));
}

bool hairpin(const Facts& facts, const ContainerFacts& c) {
  for (const model::Link& veth : c.veths) {
    const model::LinkSettings* settings = facts.where(c.place).settings(veth.ifindex);
    if (settings != nullptr && settings->hairpin == true) return true;
  }
  return c.veths.empty();
}

void check_own_port(const Facts& facts, const ContainerFacts& c, Findings& out) {
  if (c.place != Place::host || published(*c.container).empty() || hairpin(facts, c)) return;
  const bool asked = is_source(facts, c) && (is_target(facts, c) || asks_own_port(facts, c));
  Finding f = finding(
      kL2BrNetfilter.id, asked ? Severity::error : Severity::info, c.subject(),
      "it cannot reach its own published port: the bridge does not send a frame back where it came from");
  f.evidence = {std::string(kBridgedPassRules) + " = 1, and hairpin mode is off on " + c.veths.front().name};
  f.fix = {sudo(facts) + "ip link set " + c.veths.front().name + " type bridge_slave hairpin on",
           "or " + sudo(facts) + "sysctl -w " + kBridgedPassRules + "=0"};
  out.push_back(std::move(f));
}

void check(const Facts& facts, Findings& out) {
  each_bridged(facts, [&](const ContainerFacts& c) {
    if (!bridged_pass_rules(facts, c.place)) return;
    check_siblings(facts, c, out);
    check_own_port(facts, c, out);
  });
}

}  // namespace l2_br_netfilter

const Check kL2BrNetfilter{"l2.br-netfilter", "bridged frames pass the IP rules",
                           "With net.bridge.bridge-nf-call-iptables=1 a container cannot reach its own "
                           "published port (others can), and a "
                           "forward drop keeps two containers of one bridge apart although both reach the "
                           "host. Proof: the sysctl; hairpin "
                           "mode of the port is 0.",
                           l2_br_netfilter::check};

}  // namespace podshark::diagnose
