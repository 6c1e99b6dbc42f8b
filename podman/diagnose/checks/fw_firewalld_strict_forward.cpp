// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>

#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/ways.h"
#include "podman/firewall/queries.h"

namespace podshark::diagnose {

namespace fw_firewalld_strict_forward {

constexpr std::uint8_t kTcp = 6, kUdp = 17;
constexpr std::size_t kMaxFixes = 8;
constexpr std::size_t kMaxPortsTried = 64;

bool has_rules(const Facts& facts) {
  if (!facts.host.firewall) return false;
  const std::vector<firewall::Chain>& chains = facts.host.firewall->chains;
  return std::any_of(chains.begin(), chains.end(),
                     [](const firewall::Chain& chain) { return chain.table == "firewalld"; });
}

// A forward-port of firewalld itself, whose target its strict rules accept. They would do so too where
// netavark's DNAT came first.
bool forwarded(const std::vector<firewall::Dnat>& all, const Published& port) {
  return std::any_of(all.begin(), all.end(), [&](const firewall::Dnat& d) {
    return d.rule.chain != nullptr && d.rule.chain->table == "firewalld" &&
           d.port_for(port.host_port) == port.container_port &&
           d.takes(firewall::Family::ip, port.udp ? kUdp : kTcp, IpAddress{}, port.host_port);
  });
}

// firewalld's reload makes it forget the subnets of all networks, hence -a.
std::string allow_all(const Facts& facts, const ContainerFacts& c) {
  return "StrictForwardPorts=no in /etc/firewalld/firewalld.conf, then " + sudo(facts) +
         "firewall-cmd --reload && " + podman(facts, c) + " network reload -a" +
         (c.container->alive() ? "" : " && " + podman(facts, c) + " start " + c.name());
}

std::string allow_one(const Facts& facts, const ContainerFacts& c, const Published& port) {
  const std::optional<IpAddress> address = address_of(facts, c);
  return "or, for clients outside alone: " + sudo(facts) +
         "firewall-cmd --add-forward-port=port=" + std::to_string(port.host_port) +
         ":proto=" + port.protocol() + ":toport=" + std::to_string(port.container_port) +
         ":toaddr=" + (address ? address->text() : std::string("ADDRESS"));
}

// The setting says what holds after firewalld's next start or reload, its rules what holds now.
std::string setting(const Facts& facts) {
  return std::string("StrictForwardPorts=") + (facts.firewalld.strict_forward_ports ? "yes" : "no") +
         " in /etc/firewalld/firewalld.conf";
}

struct Ports {
  std::vector<Published> refused;    ///< for everybody
  std::vector<Published> forwarded;  ///< for the host itself alone
  std::string seen;                  ///< the rule, for the first
};

Ports judge_ports(const Facts& facts, const ContainerFacts& c) {
  Ports out;
  const bool rules = has_rules(facts);
  const std::vector<firewall::Dnat> all =
      rules ? firewall::dnats(*facts.host.firewall, firewall::Hook::prerouting)
            : std::vector<firewall::Dnat>();
  std::vector<Published> ports = published(*c.container);
  if (ports.size() > kMaxPortsTried) ports.resize(kMaxPortsTried);
  for (const Published& port : ports) {
    if (rules) {
      const Attempt a = attempt(facts, c, Way::inward, port);
      if (!a.blocked() || !by_firewalld(facts, a)) continue;
      if (out.seen.empty()) out.seen = blocker_text(a);
    } else if (!facts.firewalld.strict_forward_ports) {
      continue;
    }
    (forwarded(all, port) ? out.forwarded : out.refused).push_back(port);
  }
  return out;
}

void add_evidence(const Facts& facts, const Ports& ports, Finding& f) {
  if (!ports.seen.empty()) f.evidence.push_back(ports.seen);
  f.evidence.push_back(setting(facts) + (facts.firewalld.strict_forward_ports
                                             ? ""
                                             : ", but firewalld was not reloaded since"));
}

Finding forbidden(const Facts& facts, const ContainerFacts& c) {
  Finding f = finding(kFwFirewalldStrictForward.id, Severity::error, c.subject(),
                      "firewalld forbids port forwarding that it does not know of");
  f.fix = {allow_all(facts, c)};
  return f;
}

void check_running(const Facts& facts, const ContainerFacts& c, Findings& out) {
  const Ports ports = judge_ports(facts, c);
  if (ports.refused.empty() && ports.forwarded.empty()) return;
  Finding f = forbidden(facts, c);
  if (ports.refused.empty()) {
    f.severity = facts.question.from == "host" ? Severity::error : Severity::info;
    f.what = "firewalld lets clients outside reach its published ports, but not the host itself";
  }
  add_evidence(facts, ports, f);
  for (const Published& port : ports.refused) {
    if (f.fix.size() < kMaxFixes) f.fix.push_back(allow_one(facts, c, port));
  }
  out.push_back(std::move(f));
}

void check(const Facts& facts, Findings& out) {
  for (const ContainerFacts& c : facts.containers) {
    if (c.container->rootless || !in_scope(facts, c) || shares(facts, c)) continue;
    const std::string error = start_error(c, {"StrictForwardPorts"});
    if (!error.empty()) {
      Finding f = forbidden(facts, c);
      f.evidence = {"podman: " + error};
      out.push_back(std::move(f));
    } else if (facts.firewalld.running && c.bridged() && !only_internal(facts, c)) {
      check_running(facts, c, out);
    }
  }
}

}  // namespace fw_firewalld_strict_forward

const Check kFwFirewalldStrictForward{
    "fw.firewalld-strict-forward", "firewalld's StrictForwardPorts",
    "netavark 1.14: the container runs, its port answers EHOSTUNREACH everywhere. Later: a container with -p "
    "does not "
    "start. Proof: firewalld's rules reject what was translated by others, or the start error.",
    fw_firewalld_strict_forward::check};

}  // namespace podshark::diagnose
