// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/top/judge.h"

#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <tuple>

namespace podshark::extcap::top {
namespace {

using kernel::LinkCounters;
using model::Container;
using model::Inventory;

constexpr std::array<std::pair<Sort, const char*>, 9> kSorts{{{Sort::rate, "rate"},
                                                              {Sort::rx, "rx"},
                                                              {Sort::tx, "tx"},
                                                              {Sort::lo, "lo"},
                                                              {Sort::packets, "packets"},
                                                              {Sort::drops, "drops"},
                                                              {Sort::retransmits, "retransmits"},
                                                              {Sort::connections, "connections"},
                                                              {Sort::name, "name"}}};

// A counter that went back was started anew.
std::uint64_t grown(std::uint64_t before, std::uint64_t after) {
  return after >= before ? after - before : after;
}

// A link that was not there before (`network reload` makes eth0 anew) has counted from zero within the
// interval.
LinkCounters counters_before(const Reading& before, const LinkCounters& now) {
  const auto it = std::find_if(before.links.begin(), before.links.end(), [&](const LinkCounters& l) {
    return l.ifindex == now.ifindex && l.name == now.name;
  });
  return it == before.links.end() ? LinkCounters{} : *it;
}

LinkRow link_row(const LinkCounters& before, const LinkCounters& now) {
  LinkRow row;
  row.name = now.name;
  row.loopback = now.loopback();
  row.traffic = {grown(before.rx_packets, now.rx_packets), grown(before.rx_bytes, now.rx_bytes),
                 grown(before.tx_packets, now.tx_packets), grown(before.tx_bytes, now.tx_bytes)};
  row.drops = grown(before.rx_dropped, now.rx_dropped) + grown(before.tx_dropped, now.tx_dropped);
  row.errors = grown(before.rx_errors, now.rx_errors) + grown(before.tx_errors, now.tx_errors);
  return row;
}

void add_links(const Measured& m, Entry& e) {
  for (const LinkCounters& now : m.after.links) {
    const LinkRow row = link_row(counters_before(m.before, now), now);
    if (row.loopback) {  // both directions count the same packets
      e.now.lo_packets += row.traffic.tx_packets;
      e.now.lo_bytes += row.traffic.tx_bytes;
    } else {
      e.now.traffic += row.traffic;
    }
    e.now.link_drops += row.drops;
    e.now.link_errors += row.errors;
    e.links.push_back(row);
  }
}

void add_protocols(const Measured& m, Entry& e) {
  e.protocols_known = m.before.protocols && m.after.protocols;
  if (!e.protocols_known) return;
  const kernel::ProtocolCounters& a = *m.before.protocols;
  const kernel::ProtocolCounters& b = *m.after.protocols;
  e.now.retransmits = grown(a.tcp_retransmits, b.tcp_retransmits);
  e.now.segments = grown(a.tcp_segments_out, b.tcp_segments_out);
  e.now.socket_drops = grown(a.tcp_listen_drops, b.tcp_listen_drops) +
                       grown(a.tcp_queue_drops, b.tcp_queue_drops) + grown(a.udp_drops, b.udp_drops);
}

bool same_netns(const Container& c, const Container& owner) {
  if (c.id == owner.id) return true;
  if (c.netns != 0 && owner.netns != 0) return c.netns == owner.netns;
  return c.shares_with == owner.id;
}

std::vector<const Container*> containers_in(const Container& owner, const Inventory& inventory) {
  std::vector<const Container*> out;
  for (const Container& c : inventory.containers) {
    if (c.alive() && same_netns(c, owner)) out.push_back(&c);
  }
  return out;
}

std::uint16_t published_port(const PeerKey& key, const std::vector<const Container*>& containers) {
  if (key.side != Side::local) return 0;
  const char* protocol = key.protocol == IPPROTO_TCP ? "tcp" : key.protocol == IPPROTO_UDP ? "udp" : "sctp";
  for (const Container* c : containers) {
    for (const model::PortMapping& p : c->ports) {
      const unsigned offset = unsigned{key.port} - p.container_port;
      if (p.protocol == protocol && key.port >= p.container_port && offset < p.range) {
        return static_cast<std::uint16_t>(p.host_port + offset);
      }
    }
  }
  return 0;
}

void add_peers(Measured& m, const Inventory& inventory, const AddressBook& book, std::size_t max_peers,
               Entry& e) {
  const std::vector<const Container*> containers = containers_in(m.target.container, inventory);
  e.others = m.peers.others;
  for (const auto& [key, traffic] : m.peers.peers) {
    if (e.peers.size() == max_peers) {
      e.others += traffic;
      continue;
    }
    PeerRow row{key, {}, published_port(key, containers), traffic};
    if (key.ip && !key.loopback) row.name = book.name(key.peer, m.target.container);
    e.peers.push_back(std::move(row));
  }
}

std::string shown_name(const std::string& interface) {
  constexpr std::string_view kPrefix = "podman:";
  return interface.starts_with(kPrefix) ? interface.substr(kPrefix.size()) : interface;
}

}  // namespace

Sums& Sums::operator+=(const Sums& other) {
  traffic += other.traffic;
  lo_packets += other.lo_packets;
  lo_bytes += other.lo_bytes;
  link_drops += other.link_drops;
  link_errors += other.link_errors;
  socket_drops += other.socket_drops;
  retransmits += other.retransmits;
  segments += other.segments;
  return *this;
}

AddressBook::AddressBook(const Inventory& inventory) {
  const auto claim = [&](const World& world, const std::string& text, const std::string& name) {
    const std::optional<IpAddress> address = IpAddress::parse(text);
    if (!address) return;
    const auto [it, first] = names_.try_emplace({world, *address}, name);
    if (!first && it->second != name) it->second.clear();  // held by several: nobody's name is right
  };
  for (const Container& c : inventory.containers) {
    if (!c.alive() || c.kind == model::NetworkKind::host) continue;
    const World world{c.rootless, c.owner};
    const model::Pod* pod = c.infra ? inventory.pod_by_id(c.pod_id) : nullptr;
    const std::string name = pod != nullptr ? "pod/" + pod->name : c.name;
    for (const model::Attachment& a : c.networks) {
      for (const std::string& address : a.addresses) claim(world, address, name);
      claim(world, a.gateway, "gateway");
    }
  }
}

std::string AddressBook::name(const IpAddress& address, const Container& seen_from) const {
  const auto it = names_.find({{seen_from.rootless, seen_from.owner}, address});
  return it == names_.end() ? std::string() : it->second;
}

Entry judge(Measured&& m, const Inventory& inventory, const AddressBook& book, std::size_t max_peers) {
  Entry e;
  const Container& owner = m.target.container;
  e.interface = m.target.value;
  e.name = shown_name(e.interface);
  e.container_id = owner.id;
  e.pod = m.target.pod;
  for (const Container* c : containers_in(owner, inventory)) {
    if (!c->infra) e.members.push_back(c->name);
  }
  e.seconds = static_cast<double>(m.after.monotonic_ns - m.before.monotonic_ns) / 1e9;
  add_links(m, e);
  add_protocols(m, e);
  if (!m.ended) e.connections = m.after.connections;
  add_peers(m, inventory, book, max_peers, e);
  e.unseen_packets = m.unseen_packets;
  e.ended = m.ended;
  return e;
}

std::vector<PodRow> sum_pods(const std::vector<Entry>& entries) {
  std::map<std::string, PodRow> pods;
  for (const Entry& e : entries) {
    if (e.pod.empty()) continue;
    PodRow& row = pods[e.pod];
    row.name = e.pod;
    ++row.namespaces;
    row.now += e.now;
    row.since_start += e.since_start;
    if (e.connections) row.connections = row.connections.value_or(0) + *e.connections;
  }
  std::vector<PodRow> out;
  for (auto& [name, row] : pods) out.push_back(std::move(row));
  return out;
}

std::optional<Sort> sort_by_name(const std::string& text) {
  for (const auto& [sort, name] : kSorts) {
    if (text == name) return sort;
  }
  return std::nullopt;
}

const char* to_string(Sort sort) {
  for (const auto& [value, name] : kSorts) {
    if (value == sort) return name;
  }
  return "";
}

Sort next(Sort sort) {
  for (std::size_t i = 0; i < kSorts.size(); ++i) {
    if (kSorts[i].first == sort) return kSorts[(i + 1) % kSorts.size()].first;
  }
  return Sort::rate;
}

std::string sort_names() {
  std::string out;
  for (const auto& [sort, name] : kSorts) out += (out.empty() ? "" : "|") + std::string(name);
  return out;
}

void sort_entries(std::vector<Entry>& entries, Sort sort) {
  const auto key = [sort](const Entry& e) -> std::uint64_t {
    switch (sort) {
      case Sort::rate:
        return e.now.bytes();
      case Sort::rx:
        return e.now.traffic.rx_bytes;
      case Sort::tx:
        return e.now.traffic.tx_bytes;
      case Sort::lo:
        return e.now.lo_bytes;
      case Sort::packets:
        return e.now.packets();
      case Sort::drops:
        return e.since_start.drops();
      case Sort::retransmits:
        return e.since_start.retransmits;
      case Sort::connections:
        return e.connections.value_or(0);
      case Sort::name:
        return 0;
    }
    return 0;
  };
  std::stable_sort(entries.begin(), entries.end(), [&](const Entry& a, const Entry& b) {
    return key(a) != key(b) ? key(a) > key(b) : a.name < b.name;
  });
}

}  // namespace podshark::extcap::top
