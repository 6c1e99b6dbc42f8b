// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/ways.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "podman/firewall/queries.h"

namespace podshark::diagnose {
namespace {

using firewall::CtState;
using firewall::Field;
using firewall::Hook;
using firewall::Packet;

constexpr std::uint8_t kIcmp = 1, kTcp = 6, kUdp = 17;
constexpr std::uint8_t kSomeone[4] = {198, 51, 100,
                                      7};  // TEST-NET-2 of RFC 5737 stands for any address outside
constexpr std::size_t kMaxPortsTried = 64;

IpAddress someone() {
  return IpAddress::v4(kSomeone);
}

std::string bridge_of(const Facts& facts, const ContainerFacts& c) {
  for (const Leg& leg : legs(facts, c)) {
    if (leg.network != nullptr && leg.routed()) return leg.network->bridge;
  }
  return {};
}

using Ranges = std::vector<firewall::AddressRange>;

// Where a client or server outside is not: in podman's networks, or on the machine itself.
Ranges not_outside(const Facts& facts) {
  Ranges out;
  const auto add = [&](std::string_view text) {
    if (const auto range = firewall::AddressRange::parse(text)) out.push_back(*range);
  };
  for (const char* text : {"127.0.0.0/8", "224.0.0.0/4", "0.0.0.0/8"}) add(text);
  for (const model::Network& network : facts.inventory.networks) {
    for (const std::string& subnet : network.subnets) add(subnet);
  }
  return out;
}

Packet to_container(const Facts& facts, const ContainerFacts& c, const Published& port) {
  Packet p;
  p.saddr_anybody = true;
  p.iif = uplink(facts.where(c.place));
  p.oif = bridge_of(facts, c);
  p.saddr = someone();
  p.daddr = address_of(facts, c).value_or(IpAddress{});
  p.protocol = port.udp ? kUdp : kTcp;
  p.sport = 40000;
  p.dport = port.container_port;
  p.saddr_local = p.daddr_local = false;
  return p;
}

Packet reversed(Packet p) {
  std::swap(p.iif, p.oif);
  std::swap(p.saddr, p.daddr);
  std::swap(p.saddr_anybody, p.daddr_anybody);
  std::swap(p.sport, p.dport);
  return p;
}

Packet established(Packet p) {
  p.ct_state = CtState::established;
  p.reply = true;
  p.tcp_flags = 0x10;  // ACK
  return p;
}

struct Trial {
  Hook hook;
  Packet packet;
  std::string text;
};

Trial arriving(const Facts& facts, const ContainerFacts& c, const Published& port) {
  Packet p = to_container(facts, c, port);
  const std::optional<IpAddress> bound = one_address(port);
  p.daddr = bound ? *bound : host_address(facts).value_or(someone());
  p.oif.clear();
  p.dport = port.host_port;
  p.daddr_local = true;
  return {Hook::prerouting, p,
          "a client outside to the host's " + std::string(port.protocol()) + " port " +
              std::to_string(port.host_port)};
}

Trial from_source(const Facts& facts, const ContainerFacts& c, const Published& port, bool same_bridge) {
  Packet p = to_container(facts, c, port);
  const ContainerFacts* source = source_of(facts);
  if (source != nullptr) p.saddr = address_of(facts, *source).value_or(someone());
  p.saddr_anybody = p.saddr == someone();
  p.iif = same_bridge || source == nullptr ? p.oif : bridge_of(facts, *source);
  p.ct_dnat = facts.question.published;
  return {Hook::forward, p,
          "the other container to its " + std::string(port.protocol()) + " port " +
              std::to_string(port.container_port)};
}

Trial name_query(const Facts& facts, const ContainerFacts& c) {
  Published any;
  any.udp = true;
  Packet p = reversed(to_container(facts, c, any));
  p.daddr_anybody = false;
  p.oif.clear();
  p.sport = 40000;
  p.dport = 53;
  for (const Leg& leg : legs(facts, c)) {
    if (leg.network == nullptr || !leg.network->dns) continue;
    p.iif = leg.network->bridge;
    p.daddr = IpAddress::parse(leg.attachment->gateway).value_or(p.daddr);
    break;
  }
  p.daddr_local = true;
  return {Hook::input, p, "its name queries to " + p.daddr.text() + " port 53"};
}

Trial make_trial(const Facts& facts, const ContainerFacts& c, Way way, const Published& port) {
  const Packet in = to_container(facts, c, port);
  const std::string to = std::string(port.protocol()) + " port " + std::to_string(port.container_port);
  switch (way) {
    case Way::arriving:
      return arriving(facts, c, port);
    case Way::inward: {
      Packet p = in;
      p.ct_dnat = port.host_port != 0;
      return {Hook::forward, p, "a client outside to its " + to};
    }
    case Way::inward_reply:
      return {Hook::forward, established(in), "answers from outside to its own connections"};
    case Way::outward: {
      Packet p = reversed(in);
      p.sport = 40000;
      p.dport = 443;
      return {Hook::forward, p, "its own connections to the outside"};
    }
    case Way::outward_reply:
      return {Hook::forward, established(reversed(in)), "its answers to clients outside"};
    case Way::from_host: {
      Packet p = in;
      p.iif.clear();
      p.saddr_local = true;
      return {Hook::output, p, "the host to its " + to};
    }
    case Way::sibling:
      return from_source(facts, c, port, true);
    case Way::across:
      return from_source(facts, c, port, false);
    case Way::name_query:
      return name_query(facts, c);
    case Way::too_big: {
      Packet p = in;
      p.protocol = kIcmp;
      p.sport.reset();
      p.dport.reset();
      p.icmp_type = 3;
      p.icmp_code = 4;
      p.ct_state = CtState::related;
      return {Hook::forward, p, "ICMP 'fragmentation needed' from routers outside"};
    }
  }
  return {Hook::none, in, {}};
}

Attempt tried(const Facts& facts, const ContainerFacts& c, Way way, const Published& port,
              const Ranges& nobodys) {
  Trial trial = make_trial(facts, c, way, port);
  trial.packet.nobodys = nobodys;
  Attempt out;
  out.way = way;
  out.text = trial.text;
  out.port = port;
  const std::optional<firewall::Ruleset>& rules = facts.where(c.place).firewall;
  if (rules) out.judgement = firewall::judge(*rules, trial.hook, trial.packet);
  return out;
}

bool same_bridge(const Facts& facts, const ContainerFacts& a, const ContainerFacts& b) {
  for (const Leg& x : legs(facts, a)) {
    for (const Leg& y : legs(facts, b)) {
      if (x.attachment->network == y.attachment->network) return true;
    }
  }
  return false;
}

// Which ways the question is about.
std::vector<Way> relevant(const Facts& facts, const ContainerFacts& c) {
  const bool host = c.place == Place::host;
  const ContainerFacts* source = source_of(facts);
  const ContainerFacts* target = target_of(facts);
  const bool between = source != nullptr && target != nullptr && source->bridged() && target->bridged();
  if (between && is_target(facts, c) && !is_source(facts, c)) {
    if (facts.question.published || !same_bridge(facts, *source, *target)) return {Way::across};
    if (bridged_pass_rules(facts, c.place)) return {Way::sibling};
    return {};
  }
  if (between) return {};
  if (facts.question.from == "host" && target != nullptr) return {Way::from_host};
  if (source != nullptr && is_source(facts, c) && !is_target(facts, c))
    return {Way::outward, Way::inward_reply};
  std::vector<Way> out{Way::outward, Way::inward_reply, Way::outward_reply};
  if (host) out.insert(out.begin(), {Way::arriving, Way::inward, Way::from_host});
  return out;
}

bool has_port(Way way) {
  return way == Way::arriving || way == Way::inward || way == Way::from_host || way == Way::sibling ||
         way == Way::across;
}

// Nothing that a shell reads as more than a word, also between double quotes.
bool plain(const std::string& text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool negation = c == '!' && i + 1 < text.size() && text[i + 1] == ' ';
    const bool mark = std::string_view(" -_./:,=+%@\"").find(c) != std::string_view::npos;
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && !mark && !negation) return false;
  }
  return true;
}

// By its words, wherever it stands then: numbers change with every rule that goes or comes. By its number
// only where its words were cut or are not plain.
std::string iptables_delete(const std::string& tool, const firewall::Chain& chain,
                            const firewall::Rule& rule) {
  const std::string in = tool + " -t " + chain.table;
  if (rule.text.starts_with("-A ") && plain(rule.text)) return in + " -D " + rule.text.substr(3);
  const std::string at = chain.name + " " + std::to_string(rule.number);
  return "if " + in + " -S " + at + " shows that rule: " + in + " -D " + at;
}

// Its table belongs to it: nft may not change it.
std::string firewalld_fix(const Facts& facts) {
  return "a zone or policy of firewalld says so: look for it with " + sudo(facts) +
         "firewall-cmd --list-all-zones and " + sudo(facts) + "firewall-cmd --list-all-policies";
}

}  // namespace

bool bridged_pass_rules(const Facts& facts, Place place) {
  return facts.where(place).sysctl(kBridgedPassRules).value_or(0) == 1;
}

std::string uplink(const Netns& net) {
  const model::Route* best = default_route(net);
  if (best != nullptr && net.link(best->oif) != nullptr) return net.link(best->oif)->name;
  for (const model::Link& l : net.links) {
    if (!l.loopback() && l.kind != "bridge" && l.master == 0 && !l.addresses.empty()) return l.name;
  }
  return {};
}

std::string judged_subnet(const Facts& facts, const ContainerFacts& c) {
  for (const Leg& leg : legs(facts, c)) {
    if (leg.network == nullptr || !leg.routed()) continue;
    for (const std::string& subnet : leg.network->subnets) {
      const std::optional<IpAddress> address = IpAddress::parse(subnet);
      if (address && address->is_v4()) return subnet;
    }
  }
  return "SUBNET";
}

std::optional<IpAddress> host_address(const Facts& facts) {
  const model::Link* link = facts.host.link(uplink(facts.host));
  for (const std::string& text : link != nullptr ? link->addresses : std::vector<std::string>()) {
    const std::optional<IpAddress> address = IpAddress::parse(text);
    if (address && address->is_v4()) return address;
  }
  return std::nullopt;
}

Attempt attempt(const Facts& facts, const ContainerFacts& c, Way way, const Published& port) {
  return tried(facts, c, way, port, not_outside(facts));
}

std::vector<Attempt> attempts(const Facts& facts, const ContainerFacts& c) {
  std::vector<Attempt> out;
  if (!facts.where(c.place).firewall || !c.bridged() || bridge_of(facts, c).empty() || !address_of(facts, c))
    return out;
  std::vector<Published> ports = expected_ports(facts, c);
  if (ports.size() > kMaxPortsTried) ports.resize(kMaxPortsTried);
  const Ranges nobodys = not_outside(facts);  // once: there may be many networks, and many ports
  for (const Way way : relevant(facts, c)) {
    if (!has_port(way)) {
      out.push_back(tried(facts, c, way, {}, nobodys));
      continue;
    }
    for (const Published& port : ports) {
      if (way == Way::arriving && port.host_port == 0) continue;
      const std::optional<IpAddress> on = one_address(port);
      if (on && on->loopback() && (way == Way::arriving || way == Way::inward))
        continue;  // for the host alone
      out.push_back(tried(facts, c, way, port, nobodys));
    }
  }
  return out;
}

std::string blocker_text(const Attempt& attempt) {
  std::string out = attempt.text + ": " + firewall::to_string(attempt.judgement.outcome) + " by " +
                    firewall::describe(attempt.judgement.by);
  const std::optional<firewall::Counters> counters = firewall::counters(attempt.judgement.by);
  if (counters) out += " (" + std::to_string(counters->packets) + " packets so far)";
  return out;
}

std::string unblock(const Facts& facts, const Attempt& attempt) {
  const firewall::Place& by = attempt.judgement.by;
  if (by.chain == nullptr || by_firewalld(facts, attempt)) return {};
  const firewall::Chain& chain = *by.chain;
  const std::string table =
      std::string(firewall::to_string(chain.family)) + " " + chain.table + " " + chain.name;
  if (by.rule == nullptr || !plain(table)) return {};
  if (chain.maker == firewall::Maker::nft)
    return sudo(facts) + "nft delete rule " + table + " handle " + std::to_string(by.rule->handle);
  const std::string tool = std::string(chain.family == firewall::Family::ip6 ? "ip6tables" : "iptables") +
                           (chain.maker == firewall::Maker::iptables_legacy ? "-legacy" : "");
  return iptables_delete(sudo(facts) + tool, chain, *by.rule);
}

bool by_iptables_driver(const Facts& facts, const Attempt& attempt) {
  const firewall::Place& by = attempt.judgement.by;
  return by.chain != nullptr && by.rule == nullptr && by.chain->maker != firewall::Maker::nft &&
         by.chain->table == "filter" && facts.host.firewall &&
         firewall::has_netavark(*facts.host.firewall).iptables;
}

bool by_firewalld(const Facts& facts, const Attempt& attempt) {
  const firewall::Place& by = attempt.judgement.by;
  return facts.firewalld.running && by.chain != nullptr && by.chain->table == "firewalld";
}

std::string forgotten_subnet(const Facts& facts, const ContainerFacts& c) {
  if (!facts.firewalld.running || !facts.firewalld.trusted_sources || c.place != Place::host) return {};
  const std::vector<std::string>& known = *facts.firewalld.trusted_sources;
  for (const Leg& leg : legs(facts, c)) {
    if (leg.network == nullptr || leg.internal()) continue;
    for (const std::string& subnet : leg.network->subnets) {
      if (std::find(known.begin(), known.end(), subnet) == known.end()) return subnet;
    }
  }
  return {};
}

bool firewalld_matter(const Facts& facts, const ContainerFacts& c, const Attempt& attempt) {
  if (!by_firewalld(facts, attempt)) return false;
  return attempt.way == Way::inward || !attempt.judgement.certain() || !facts.firewalld.trusted_sources ||
         !forgotten_subnet(facts, c).empty();
}

std::vector<std::string> foreign_fix(const Facts& facts, const ContainerFacts& c, const Attempt& attempt) {
  const firewall::Chain* chain = attempt.judgement.by.chain;
  const std::string subnet = judged_subnet(facts, c);
  const std::string root = sudo(facts);
  if (by_firewalld(facts, attempt)) return {firewalld_fix(facts)};
  if (chain != nullptr && chain->maker != firewall::Maker::nft) {
    const std::string tool =
        chain->maker == firewall::Maker::iptables_legacy ? "iptables-legacy" : "iptables";
    return {root + tool + " -I FORWARD -d " + subnet + " -j ACCEPT; " + root + tool + " -I FORWARD -s " +
                subnet + " -j ACCEPT",
            "beside ufw: DEFAULT_FORWARD_POLICY=\"ACCEPT\" in /etc/default/ufw and ufw reload; beside "
            "Docker: both rules in DOCKER-USER"};
  }
  const std::string where = chain == nullptr ? std::string("inet filter forward")
                                             : std::string(firewall::to_string(chain->family)) + " " +
                                                   chain->table + " " + chain->name;
  return {root + "nft insert rule " + where + " ip daddr " + subnet + " accept; " + root +
              "nft insert rule " + where + " ip saddr " + subnet + " accept",
          "and the same in that firewall's own configuration, since its next reload forgets them"};
}

Blocker blocker(const Attempt& attempt) {
  const firewall::Place& by = attempt.judgement.by;
  if (by.chain != nullptr && firewall::is_netavark(*by.chain))
    return by.chain->name.find("ISOLATION") != std::string::npos ? Blocker::isolation : Blocker::netavark;
  if (by.rule == nullptr) return Blocker::policy;
  const auto specific = [](const firewall::Match& m) {
    return m.is(Field::dport) || m.is(Field::sport) || m.is(Field::daddr) || m.is(Field::saddr) ||
           m.is(Field::protocol);
  };
  const auto& matches = by.rule->matches;
  return std::any_of(matches.begin(), matches.end(), specific) ? Blocker::specific_rule
                                                               : Blocker::general_rule;
}

}  // namespace podshark::diagnose
