// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/common.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "podman/core/text.h"

namespace podshark::diagnose {
namespace {

constexpr std::size_t kMaxError = 300;

bool same_namespace(const ContainerFacts& a, const ContainerFacts& b) {
  const model::Container &x = *a.container, &y = *b.container;
  return x.id == y.id || x.shares_with == y.id || y.shares_with == x.id ||
         (x.netns != 0 && x.netns == y.netns);
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

}  // namespace

std::string Published::text() const {
  std::string out = std::string(protocol()) + " ";
  if (!host_ip.empty()) out += host_ip + ":";
  return out + std::to_string(host_port) + "→" + std::to_string(container_port);
}

std::vector<Published> published(const model::Container& container) {
  std::vector<Published> out;
  for (const model::PortMapping& port : container.ports) {
    if (port.protocol != "tcp" && port.protocol != "udp") continue;
    for (unsigned i = 0; i < port.range && out.size() < kMaxPublished; ++i) {
      out.push_back({port.host_ip, static_cast<std::uint16_t>(port.host_port + i),
                     static_cast<std::uint16_t>(port.container_port + i), port.protocol == "udp",
                     port.range > 1});
    }
  }
  return out;
}

const ContainerFacts* source_of(const Facts& facts) {
  return facts.question.from.empty() ? nullptr : facts.by_id(facts.question.from);
}

const ContainerFacts* target_of(const Facts& facts) {
  return facts.question.target.empty() ? nullptr : facts.by_id(facts.question.target);
}

bool is_target(const Facts& facts, const ContainerFacts& container) {
  const ContainerFacts* target = target_of(facts);
  return target != nullptr && same_namespace(*target, container);
}

bool is_source(const Facts& facts, const ContainerFacts& container) {
  const ContainerFacts* source = source_of(facts);
  return source != nullptr && same_namespace(*source, container);
}

bool in_scope(const Facts& facts, const ContainerFacts& container) {
  return !facts.question.asked() || (facts.question.target.empty() && facts.question.from.empty()) ||
         is_target(facts, container) || is_source(facts, container);
}

bool shares(const Facts& facts, const ContainerFacts& container) {
  const std::string& owner = container.container->shares_with;
  const ContainerFacts* other = owner.empty() ? nullptr : facts.by_id(owner);
  return other != nullptr && other->container->alive();
}

bool asks_from_outside(const Facts& facts, const ContainerFacts& target) {
  const ContainerFacts* source = source_of(facts);
  return source == nullptr || (source->container->netns != target.container->netns && !source->bridged());
}

bool asks_outward(const Facts& facts) {
  if (!facts.question.address) return false;
  for (const ContainerFacts& c : facts.containers) {
    for (const model::Attachment& a : c.container->networks) {
      for (const std::string& text : a.addresses) {
        if (IpAddress::parse(text) == facts.question.address) return false;
      }
    }
  }
  return true;
}

const model::Route* default_route(const Netns& netns) {
  constexpr std::uint32_t kMainTable = 254;  // RT_TABLE_MAIN
  constexpr unsigned kUnicast = 1;           // RTN_UNICAST
  const model::Route* best = nullptr;
  for (const model::Route& r : netns.state.routes) {
    if (r.v6 || r.prefix != 0 || r.type != kUnicast || r.table != kMainTable) continue;
    if (best == nullptr || r.metric < best->metric) best = &r;
  }
  return best;
}

bool own_address(const Netns& netns, const IpAddress& address) {
  for (const model::Link& l : netns.links) {
    for (const std::string& text : l.addresses) {
      if (IpAddress::parse(text) == address) return true;
    }
  }
  return false;
}

bool has_address(const ContainerFacts& c, const IpAddress& address) {
  for (const model::Attachment& a : c.container->networks) {
    for (const std::string& text : a.addresses) {
      if (IpAddress::parse(text) == address) return true;
    }
  }
  return false;
}

bool has_family(const ContainerFacts& container, bool v4) {
  return std::any_of(
      container.container->networks.begin(), container.container->networks.end(), [&](const auto& a) {
        return std::any_of(a.addresses.begin(), a.addresses.end(), [&](const std::string& text) {
          const std::optional<IpAddress> address = IpAddress::parse(text);
          return address && address->is_v4() == v4;
        });
      });
}

std::optional<IpAddress> one_address(const Published& port) {
  const std::optional<IpAddress> bound = IpAddress::parse(port.host_ip);
  return bound && *bound != IpAddress{} && bound->text() != "0.0.0.0" ? bound : std::nullopt;
}

bool asks_own_port(const Facts& facts, const ContainerFacts& container) {
  if (!facts.question.address || !facts.question.port) return false;
  const bool ours = own_address(facts.host, *facts.question.address);
  for (const Published& p : published(*container.container)) {
    if (ours && p.host_port == *facts.question.port) return true;
  }
  return false;
}

void each_running(const Facts& facts, const std::function<void(const ContainerFacts&)>& visit) {
  for (const ContainerFacts& c : facts.containers) {
    if (c.container->alive() && in_scope(facts, c)) visit(c);
  }
}

void each_bridged(const Facts& facts, const std::function<void(const ContainerFacts&)>& visit) {
  each_running(facts, [&](const ContainerFacts& c) {
    if (c.bridged() && !shares(facts, c)) visit(c);
  });
}

void each_not_started(const Facts& facts, const std::function<void(const ContainerFacts&)>& visit) {
  for (const ContainerFacts& c : facts.containers) {
    const bool waiting = c.container->state == "created" || !c.container->error.empty() || c.restart_failed;
    if (!c.container->alive() && !c.claims_to_run && waiting && in_scope(facts, c)) visit(c);
  }
}

std::string sudo(const Facts& facts) {
  return facts.caller == 0 ? "" : "sudo ";
}

std::vector<std::string> set_sysctl(const Facts& facts, Place place, const std::string& key, int value) {
  const std::string number = std::to_string(value);
  // It is another namespace, made anew with the first container that needs it.
  if (place == Place::rootless) return {"podman unshare --rootless-netns sysctl -w " + key + "=" + number};
  return {sudo(facts) + "sysctl -w " + key + "=" + number,
          "lasting: a line '" + key + " = " + number + "' in a file of /etc/sysctl.d that is read last"};
}

std::string podman(const Facts& facts, const ContainerFacts& container) {
  return container.container->rootless || facts.caller == 0 ? "podman" : "sudo podman";
}

std::string reload(const Facts& facts, const ContainerFacts& container) {
  return podman(facts, container) + " network reload " + container.name();
}

std::string restart(const Facts& facts, const ContainerFacts& container) {
  const std::string& unit = container.container->systemd_unit;
  if (unit.empty() && container.container->infra) {  // alone it would leave the others in the old namespace
    for (const model::Pod& pod : facts.inventory.pods) {
      if (pod.id == container.container->pod_id) return podman(facts, container) + " pod restart " + pod.name;
    }
  }
  if (unit.empty()) return podman(facts, container) + " restart " + container.name();
  return (container.container->rootless ? "systemctl --user restart " : sudo(facts) + "systemctl restart ") +
         unit;
}

std::vector<Leg> legs(const Facts& facts, const ContainerFacts& container) {
  std::vector<Leg> out;
  for (const model::Attachment& a : container.container->networks) {
    Leg leg{&a, facts.network(a.network), nullptr};
    if (leg.network != nullptr && leg.network->driver != "bridge") continue;
    if (leg.network != nullptr) leg.bridge = facts.where(container.place).link(leg.network->bridge);
    out.push_back(leg);
  }
  return out;
}

bool only_internal(const Facts& facts, const ContainerFacts& container) {
  const std::vector<Leg> all = legs(facts, container);
  // With a macvlan beside them it has another way out.
  return !all.empty() && all.size() == container.container->networks.size() &&
         std::all_of(all.begin(), all.end(), [](const Leg& leg) { return leg.internal(); });
}

std::optional<IpAddress> first_address(const ContainerFacts& container) {
  for (const model::Attachment& a : container.container->networks) {
    for (const std::string& text : a.addresses) {
      const std::optional<IpAddress> address = IpAddress::parse(text);
      if (address && address->is_v4()) return address;
    }
  }
  return std::nullopt;
}

std::optional<IpAddress> address_of(const Facts& facts, const ContainerFacts& container) {
  std::optional<IpAddress> other;
  for (const Leg& leg : legs(facts, container)) {
    for (const std::string& text : leg.attachment->addresses) {
      const std::optional<IpAddress> address = IpAddress::parse(text);
      if (!address || !address->is_v4()) continue;
      if (!leg.internal()) return address;
      if (!other) other = address;
    }
  }
  return other;
}

const model::Listener* listener(const Netns& netns, std::uint16_t port, bool udp,
                                const std::optional<IpAddress>& address) {
  for (const model::Listener& l : netns.listeners) {
    if (l.port != port || l.udp != udp) continue;
    if (l.any() || (address ? l.address == *address : !l.address.loopback())) return &l;
  }
  return nullptr;
}

const model::Listener* loopback_listener(const Netns& netns, std::uint16_t port, bool udp) {
  for (const model::Listener& l : netns.listeners) {
    if (l.port == port && l.udp == udp && l.address.loopback()) return &l;
  }
  return nullptr;
}

const model::Listener* host_listener(const Facts& facts, const Published& port) {
  const std::optional<IpAddress> bound = IpAddress::parse(port.host_ip);
  for (const model::Listener& l : facts.host.listeners) {
    if (l.port != port.host_port || l.udp != port.udp) continue;
    if (l.any() || !bound || *bound == l.address || bound->text() == "0.0.0.0") return &l;
  }
  return nullptr;
}

std::vector<Published> expected_ports(const Facts& facts, const ContainerFacts& container) {
  using Kind = model::NetworkKind;
  const Kind kind = container.container->kind;
  if (shares(facts, container)) return {};
  std::vector<Published> out;
  if (kind == Kind::bridge || kind == Kind::pasta || kind == Kind::slirp4netns)
    out = published(*container.container);
  if (!is_target(facts, container)) return out;
  // The question narrows it down; a number that is no published port means the container's own.
  const Question& q = facts.question;
  if (!q.port || (q.protocol != "tcp" && q.protocol != "udp")) return out;
  const bool udp = q.protocol == "udp";
  std::vector<Published> asked;
  for (const Published& p : out) {
    if (p.udp == udp && (p.host_port == *q.port || p.container_port == *q.port)) asked.push_back(p);
  }
  if (asked.empty() && kind != Kind::host) asked.push_back({{}, 0, *q.port, udp});
  return asked;
}

const model::Listener* name_server(const Netns& netns, const IpAddress& address) {
  const model::Listener* found = nullptr;
  for (const model::Listener& l : netns.listeners) {
    if (!l.udp || l.address != address) continue;
    if (l.program == "aardvark-dns") return &l;
    if (l.port == 53) found = &l;
  }
  return found;
}

const model::Listener* foreign_dns(const Facts& facts, Place place) {
  for (const model::Listener& l : facts.where(place).listeners) {
    if (l.udp && l.port == 53 && l.any() && l.program != "aardvark-dns") return &l;
  }
  return nullptr;
}

bool resolver_of(const Facts& facts, const ContainerFacts& container) {
  if (!container.resolv_known) return true;
  for (const Leg& leg : legs(facts, container)) {
    const auto& known = container.nameservers;
    if (std::find(known.begin(), known.end(), leg.attachment->gateway) != known.end()) return true;
  }
  return false;
}

std::string owner_text(const model::Listener& listener) {
  if (listener.pid == 0) return "a program that cannot be seen from here";
  return one_line(listener.program, 32) + " (pid " + std::to_string(listener.pid) + ")";
}

std::string start_error(const ContainerFacts& container, const std::vector<std::string>& fragments) {
  const std::string text = lower(container.container->error);
  const bool found = std::any_of(fragments.begin(), fragments.end(), [&](const std::string& f) {
    return !text.empty() && text.find(lower(f)) != std::string::npos;
  });
  return found ? one_line(container.container->error, kMaxError) : std::string();
}

void judge_start_error(const Facts& facts, const std::vector<std::string>& words, const Finding& told,
                       Findings& out) {
  each_not_started(facts, [&](const ContainerFacts& c) {
    const std::string error = start_error(c, words);
    if (error.empty()) return;
    Finding f = told;
    f.subject = c.subject();
    f.evidence = {"podman: " + error};
    out.push_back(std::move(f));
  });
}

}  // namespace podshark::diagnose
