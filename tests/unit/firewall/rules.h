// SPDX-License-Identifier: GPL-2.0-or-later
// Recorded and hand-written rules for the tests of podman/firewall.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>
#include <utility>

#include "podman/firewall/evaluate.h"
#include "podman/firewall/merge.h"
#include "podman/firewall/parse_iptables.h"
#include "podman/firewall/parse_nft.h"
#include "tests/unit/temp_tree.h"

namespace podshark::firewall::test {

/// Empty when record.sh found nothing to write.
inline std::string fixture(const std::string& file) {
  const std::string path = std::string(PODSHARK_FIXTURES) + "/firewall/" + file;
  return std::filesystem::exists(path) ? podshark::test::slurp(path) : std::string();
}

inline Ruleset good(Result<Ruleset> parsed) {
  if (!parsed) {
    ADD_FAILURE() << parsed.error().line();
    return {};
  }
  return std::move(parsed).value();
}

inline Ruleset nft(const std::string& json) {
  return good(parse_nft_json(json));
}

inline Ruleset save(const std::string& text, Family family = Family::ip, Maker maker = Maker::iptables) {
  return good(parse_iptables_save(text, family, maker));
}

/// What record.sh wrote for a scenario, merged.
inline Ruleset recorded(const std::string& name) {
  return merge(nft(fixture(name + ".json")), save(fixture(name + ".save4")),
               save(fixture(name + ".save6"), Family::ip6),
               save(fixture(name + ".legacy4"), Family::ip, Maker::iptables_legacy), Ruleset{});
}

/// Both rulesets side by side, as if a second tool had added its tables.
inline Ruleset beside(Ruleset a, Ruleset b) {
  for (Chain& c : b.chains) a.chains.push_back(std::move(c));
  return a;
}

/// The same, kept for the whole test program: judgements point into it.
inline const Ruleset& recorded_once(const std::string& name) {
  static std::map<std::string, Ruleset> known;
  const auto [at, fresh] = known.try_emplace(name);
  if (fresh) at->second = recorded(name);
  return at->second;
}

/// Rules of iptables-legacy added to others.
inline Ruleset merge_legacy(Ruleset rules, const std::string& legacy) {
  return merge(std::move(rules), {}, {}, save(legacy, Family::ip, Maker::iptables_legacy), {});
}

/// A base chain of table "inet t" with rules of nft's JSON, e.g. R"([{"drop": null}])".
inline Ruleset one_chain(const std::string& hook, int priority, const std::string& policy,
                         const std::string& rules) {
  const std::string place = R"("family": "inet", "table": "t", "chain": "f", "handle": 7)";
  std::string json =
      R"({"nftables": [{"chain": {"family": "inet", "table": "t", "name": "f", "type": "filter", "hook": ")" +
      hook + R"(", "prio": )" + std::to_string(priority) + R"(, "policy": ")" + policy + "\"}}";
  if (!rules.empty()) json += R"(, {"rule": {)" + place + R"(, "expr": )" + rules + "}}";
  return nft(json + "]}");
}

inline IpAddress ip(const std::string& text) {
  return IpAddress::parse(text).value();
}

/// A new TCP connection from outside, already translated, on its way to a container.
inline Packet inbound() {
  Packet p;
  p.iif = "wan0";
  p.oif = "podman0";
  p.saddr = ip("203.0.113.2");
  p.daddr = ip("10.88.0.2");
  p.sport = 40000;
  p.dport = 80;
  p.ct_dnat = true;
  p.saddr_local = false;
  p.daddr_local = false;
  return p;
}

/// A new TCP connection of a container to the world.
inline Packet outbound() {
  Packet p = inbound();
  std::swap(p.iif, p.oif);
  std::swap(p.saddr, p.daddr);
  p.ct_dnat = false;
  return p;
}

/// A new TCP connection from outside as it arrives: to a port of the host.
inline Packet arriving(std::uint16_t port) {
  Packet p = inbound();
  p.oif.clear();
  p.daddr = ip("203.0.113.1");
  p.dport = port;
  p.ct_dnat = false;
  p.daddr_local = true;
  return p;
}

}  // namespace podshark::firewall::test
