// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/firewall/ruleset.h"

#include "podman/core/text.h"

namespace podshark::firewall {

Statement plain(Action action, std::string target) {
  Statement out;
  out.action = action;
  out.target = std::move(target);
  return out;
}

void Ruleset::note(const std::string& what) {
  if (notes.size() < kMaxNotes) notes.push_back(one_line(what, kMaxRuleText));
}

std::int64_t effective_priority(const Chain& c) {
  if (c.type != ChainType::nat) return c.priority;
  return c.hook == Hook::prerouting || c.hook == Hook::output ? -100 : 100;
}

const char* to_string(Family family) {
  switch (family) {
    case Family::ip:
      return "ip";
    case Family::ip6:
      return "ip6";
    case Family::inet:
      return "inet";
    case Family::bridge:
      return "bridge";
    case Family::arp:
      return "arp";
    case Family::netdev:
      return "netdev";
    case Family::any:
      break;
  }
  return "any";
}

const char* to_string(Hook hook) {
  switch (hook) {
    case Hook::prerouting:
      return "prerouting";
    case Hook::input:
      return "input";
    case Hook::forward:
      return "forward";
    case Hook::output:
      return "output";
    case Hook::postrouting:
      return "postrouting";
    case Hook::ingress:
      return "ingress";
    case Hook::egress:
      return "egress";
    case Hook::none:
      break;
  }
  return "none";
}

const char* to_string(Maker maker) {
  switch (maker) {
    case Maker::iptables:
      return "iptables";
    case Maker::iptables_legacy:
      return "iptables-legacy";
    case Maker::nft:
      break;
  }
  return "nft";
}

const char* to_string(Action action) {
  switch (action) {
    case Action::nothing:
      return "continue";
    case Action::accept:
      return "accept";
    case Action::drop:
      return "drop";
    case Action::reject:
      return "reject";
    case Action::ret:
      return "return";
    case Action::jump:
      return "jump";
    case Action::go_to:
      return "goto";
    case Action::queue:
      return "queue";
    case Action::notrack:
      return "notrack";
    case Action::set_mark:
      return "set mark";
    case Action::set_ct_mark:
      return "set ct mark";
    case Action::dnat:
      return "dnat";
    case Action::snat:
      return "snat";
    case Action::masquerade:
      return "masquerade";
    case Action::redirect:
      return "redirect";
    case Action::verdict_map:
      return "vmap";
    case Action::unknown:
      break;
  }
  return "unknown";
}

std::string place(const Chain& chain) {
  std::string out;
  if (chain.maker != Maker::nft) {
    const bool v6 = chain.family == Family::ip6;
    out = std::string(v6 ? "ip6tables" : "iptables") +
          (chain.maker == Maker::iptables_legacy ? "-legacy" : "") + " table " + chain.table;
  } else {
    out = std::string("table ") + to_string(chain.family) + " " + chain.table;
  }
  return one_line(out + " chain " + chain.name, kMaxRuleText);
}

}  // namespace podshark::firewall
