// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/end_watch.h"

#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "podman/core/clock.h"
#include "podman/core/fd.h"
#include "podman/core/text.h"
#include "podman/kernel/rtnetlink.h"

namespace podshark::extcap {
namespace {

constexpr std::uint64_t kSettleNs = EndMatch::kSettle;  // both ends really see packets by then
constexpr std::size_t kMostRecords = 20;                // a second and container; of others the number
constexpr std::uint32_t kHeaders = 14 + 8 + 60 + 60;

void add_addresses(const std::vector<std::string>& texts, std::set<IpAddress>& out) {
  for (const std::string& text : texts) {
    if (const auto address = IpAddress::parse(text)) out.insert(*address);
  }
}

// All of the host's, whoever captures on it.
std::set<IpAddress> host_addresses() {
  std::set<IpAddress> out;
  const UniqueFd netlink(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!netlink) return out;
  const Result<std::vector<model::Link>> links = kernel::list_links(netlink.get());
  for (const model::Link& l : links ? *links : std::vector<model::Link>{}) add_addresses(l.addresses, out);
  return out;
}

EndScene::Entry entry_of(const model::Container& c, const model::Inventory& inventory,
                         const std::vector<model::Link>& host) {
  using model::NetworkKind;
  if (c.kind == NetworkKind::macvlan || c.kind == NetworkKind::ipvlan) return EndScene::Entry::parent;
  if (c.rootless) return EndScene::Entry::rootless_uplink;
  const bool bridge = std::all_of(host.begin(), host.end(), [&](const model::Link& l) {
    return std::any_of(inventory.networks.begin(), inventory.networks.end(),
                       [&](const model::Network& n) { return n.bridge == l.name; });
  });
  return bridge ? EndScene::Entry::bridge : EndScene::Entry::uplink;
}

}  // namespace

EndScene end_scene(const model::Container& container, const model::Inventory& inventory,
                   const std::vector<model::Link>& inside, const std::vector<model::Link>& host) {
  EndScene out;
  out.entry = entry_of(container, inventory, host);
  for (const model::Link& l : inside) {
    if (!l.loopback()) add_addresses(l.addresses, out.own);
  }
  // A link that is not captured has addresses that are not looked for.
  if (out.own.empty()) {
    for (const model::Attachment& a : container.networks) add_addresses(a.addresses, out.own);
  }
  const auto links =
      std::count_if(inside.begin(), inside.end(), [](const model::Link& l) { return !l.loopback(); });
  out.filtered = static_cast<std::size_t>(links) < container.networks.size();
  for (const model::Network& n : inventory.networks) {
    for (const std::string& text : n.subnets) {
      if (const auto subnet = firewall::AddressRange::parse(text)) out.near.push_back(*subnet);
    }
  }
  for (const model::Attachment& a : container.networks) {
    for (const std::string& text : a.addresses) {
      if (const auto subnet = firewall::AddressRange::parse(text)) out.near.push_back(*subnet);
    }
  }
  for (const model::PortMapping& p : container.ports) {
    const std::uint8_t protocol = model::protocol_number(p.protocol);
    if (protocol == 0 || p.host_port == 0 || p.range == 0) continue;
    const std::optional<IpAddress> bound = IpAddress::parse(p.host_ip);
    const bool any = !bound || *bound == *IpAddress::parse("0.0.0.0") || *bound == IpAddress{};
    out.published.push_back({bound.value_or(IpAddress{}), any, protocol, p.host_port,
                             static_cast<std::uint16_t>(p.host_port + p.range - 1)});
  }
  return out;
}

void EndWatch::set_scene(Pair& pair) {
  const model::Container* told = inventory_.by_id(pair.container.id);
  EndScene scene = end_scene(told != nullptr ? *told : pair.container, inventory_, pair.inside, pair.host);
  scene.promiscuous = options_.promiscuous;
  scene.filtered = scene.filtered || options_.filtered;
  if (scene.entry == EndScene::Entry::uplink) scene.host = host_addresses();
  // Both ends must have what is compared: headers always, payload as far as the snapshot length allows.
  const std::uint32_t room = options_.snaplen > kHeaders ? options_.snaplen - kHeaders : 0;
  pair.match.compare_payload(std::min<std::size_t>(room, trace::kComparedPayload));
  pair.match.set_scene(std::move(scene));
}

void EndWatch::opened(std::uint32_t id, const Target& target, const model::Link& link, std::uint16_t linktype,
                      const std::string& name) {
  if (target.container.id.empty() || link.loopback()) return;
  const End end = target.point == Point::inside ? End::inside : End::host;
  interfaces_[id] = {target.value, name, end, linktype};
  Pair& pair = pairs_[target.value];
  if (pair.container.id != target.container.id || pair.container.pid != target.container.pid) {
    pair.inside.clear();
    pair.host.clear();
  }
  pair.container = target.container;
  (end == End::inside ? pair.inside : pair.host).push_back(link);
  const bool complete =
      ++pair.ends[static_cast<std::size_t>(end)] > 0 && pair.ends[0] > 0 && pair.ends[1] > 0;
  set_scene(pair);
  if (complete) pair.match.begin(static_cast<std::uint64_t>(now_ns()) + kSettleNs);
}

void EndWatch::closed(std::uint32_t id) {
  const auto it = interfaces_.find(id);
  if (it == interfaces_.end()) return;
  Pair& pair = pairs_.at(it->second.target);
  unsigned& open = pair.ends[static_cast<std::size_t>(it->second.end)];
  if (open > 0) --open;
  if (open == 0 && !finishing_) pair.match.interrupt();
}

void EndWatch::known(const model::Inventory& inventory) {
  inventory_ = inventory;
  for (auto& [value, pair] : pairs_) set_scene(pair);
}

void EndWatch::packet(std::uint32_t id, const wire::Packet& packet) {
  const auto it = interfaces_.find(id);
  if (it == interfaces_.end()) return;
  const Interface& interface = it->second;
  std::span<const std::uint8_t> ip{packet.data, packet.captured};
  if (interface.linktype == wire::kLinktypeEthernet)
    ip = trace::ip_in_ethernet(ip);
  else if (interface.linktype != wire::kLinktypeRaw)
    return;
  if (!ip.empty()) pairs_.at(interface.target).match.packet(interface.end, id, packet.time_ns, ip);
}

void EndWatch::dropped(std::span<const std::uint8_t> ip, std::uint64_t time_ns,
                       const annotate::Event& event) {
  if (pairs_.empty() || ip.empty()) return;
  const auto shared = std::make_shared<const annotate::Event>(event);
  for (auto& [value, pair] : pairs_) pair.match.dropped(ip, time_ns, shared);
}

void EndWatch::advance(std::uint64_t until_ns) {
  for (auto& entry : pairs_) {
    entry.second.match.forget_future(static_cast<std::uint64_t>(now_ns()));
    std::vector<OneSided>& found = entry.second.found;
    entry.second.match.advance(until_ns, [&](OneSided&& one) { found.push_back(std::move(one)); });
  }
}

void EndWatch::tell(const Pair& pair, const OneSided& one, bool drops) {
  const trace::Headers& h = one.headers;
  const bool inside = one.seen == End::inside;
  annotate::Event event;
  event.kind = "one-sided";
  event.what = inside ? "inside-only" : "host-only";
  event.container = pair.container.name;
  event.container_id = pair.container.id;
  event.link = interfaces_.at(one.interface).name;
  event.packet_ns = static_cast<std::int64_t>(one.time_ns);
  if (const char* word = annotate::protocol_word(h.protocol)) event.protocol = word;
  const bool ports = h.protocol != IPPROTO_ICMP && h.protocol != IPPROTO_ICMPV6;
  event.orig = {h.src.text(), h.dst.text(), ports ? h.sport : std::uint16_t{0},
                ports ? h.dport : std::uint16_t{0}};
  event.detail = trace::to_string(h) + " was on " + event.link + ", and not " +
                 (inside ? "where the traffic of container " + pair.container.name + " enters the host"
                         : "in container " + pair.container.name);
  if (one.drop) {
    event.reason = one.drop->reason;
    event.function = one.drop->function;
    event.hook = one.drop->hook;
    event.netns = one.drop->netns;
    event.ifindex = one.drop->ifindex;
    event.detail += ": " + one.drop->detail;
    event.fix = one.drop->fix;
  } else {
    event.detail += drops ? ": the kernel has dropped nothing like it" : "; dropped packets are not watched";
    event.fix = "podshark check " + pair.container.name;
  }
  event.detail = one_line(event.detail, 400);
  record_(std::move(event));
}

void EndWatch::summary(const Pair& pair, const char* what, std::uint64_t count, const char* words) {
  if (count == 0) return;
  annotate::Event event;
  event.kind = "one-sided";
  event.what = what;
  event.container = pair.container.name;
  event.container_id = pair.container.id;
  event.count = count;
  event.detail = std::to_string(count) + words;
  record_(std::move(event));
}

void EndWatch::tick(std::uint64_t lost, bool drops) {
  // What is found now was captured up to two seconds ago.
  if (lost != std::exchange(lost_, lost)) lossy_ticks_ = 3;
  const bool lossy = lossy_ticks_ > 0;
  if (lossy) --lossy_ticks_;
  for (auto& [value, pair] : pairs_) {
    const std::vector<OneSided> found = std::exchange(pair.found, {});
    const std::size_t told = lossy ? 0 : std::min(found.size(), kMostRecords);
    for (std::size_t i = 0; i < told; ++i) tell(pair, found[i], drops);
    summary(pair, lossy ? "not-judged" : "more", found.size() - told,
            lossy ? " packets were at one end only, which says nothing: the capture lost packets meanwhile"
                  : " more packets were at one end only");
    summary(pair, "not-judged", pair.match.take_unjudged(),
            " packets came too fast to look for them at the other end");
  }
}

void EndWatch::finish() {
  finishing_ = true;
}

void EndWatch::conclude() {
  // Everything has been read, so that only what was on its way at the very end is open.
  advance(static_cast<std::uint64_t>(now_ns()) + 2 * EndMatch::kLongestWay - kSettleNs);
}

}  // namespace podshark::extcap
