// SPDX-License-Identifier: GPL-2.0-or-later
// The trees count packets; byte totals are in the tables. A tree's children are listed up to a limit, the
// rest is counted together: finding a place for a new one walks all others.
#include "plugin/statistics.h"

#include <cstring>
#include <exception>
#include <string>
#include <unordered_map>
#include <unordered_set>

namespace podshark::plugin {
namespace {

constexpr std::size_t kMostChildren = 1000;

// What the tap passes on. Lives in the packet's scope.
struct Counted {
  Facts facts;  // of an event record: none
  std::uint32_t length = 0;
  std::uint64_t dropped = 0;      // packets that this packet or record says were dropped
  const char* reason = nullptr;   // … and why
  const char* verdict = nullptr;  // of a probe record
  const char* detail = nullptr;
};

int tap = -1;

// A copy of a packet is the same packet; a dropped one went nowhere.
bool is_traffic(const Counted& c) {
  return c.length != 0 && c.facts.original == 0 && !c.facts.dropped;
}

// ---- trees ----

constexpr const char* kContainers = "Containers";
constexpr const char* kPairs = "Pairs";
constexpr const char* kPorts = "Published ports";
constexpr const char* kNetworks = "Networks";
constexpr const char* kDropped = "Dropped packets";
constexpr const char* kProbes = "Probes";

// Wireshark looks for a tree's only child, its title, among all nodes that have children: none of them may be
// called so.
bool is_title(const std::string& name) {
  for (const char* title : {kContainers, kPairs, kPorts, kNetworks, kDropped, kProbes}) {
    if (name == title) return true;
  }
  return false;
}

// Names that a tree shows one by one.
using Shown = std::unordered_set<std::string>;
std::unordered_map<const stats_tree*, Shown>& all_shown() {
  static auto* const map = new std::unordered_map<const stats_tree*, Shown>;
  return *map;
}

// `first` and `second` together, as text that lives as long as the tree; "others" when it has enough.
const char* shown(const stats_tree* tree, const char* first, const char* between = "",
                  const char* second = "") noexcept {
  try {
    Shown& names = all_shown()[tree];
    std::string name = std::string(first) + between + second;
    if (is_title(name)) name += ' ';
    if (const auto it = names.find(name); it != names.end()) return it->c_str();
    if (names.size() >= kMostChildren) return "others";
    return names.insert(name).first->c_str();
  } catch (const std::exception&) {
    return "others";
  }
}

void forget(stats_tree* tree) {
  all_shown().erase(tree);
}

// The id of the node, for children.
int count(stats_tree* tree, const char* name, int parent, std::uint32_t length, bool has_children = false) {
  return avg_stat_node_add_value_int(tree, name, parent, has_children, static_cast<int>(length));
}
int tick(stats_tree* tree, const char* name, int parent, std::uint64_t by, bool has_children = false) {
  return increase_stat_node(tree, name, parent, has_children, static_cast<int>(by));
}

bool by_container(stats_tree* tree, const Counted& c) {
  const Who& src = c.facts.ends.src;
  const Who& dst = c.facts.ends.dst;
  if (!is_traffic(c) || (src.name == nullptr && dst.name == nullptr)) return false;
  const int top = count(tree, kContainers, 0, c.length, true);
  if (src.name != nullptr && dst.name != nullptr && std::strcmp(src.name, dst.name) == 0) {
    count(tree, "to itself", count(tree, shown(tree, src.name), top, c.length, true), c.length);
    return true;
  }
  if (src.name != nullptr)
    count(tree, "sent", count(tree, shown(tree, src.name), top, c.length, true), c.length);
  if (dst.name != nullptr)
    count(tree, "received", count(tree, shown(tree, dst.name), top, c.length, true), c.length);
  return true;
}

bool by_pair(stats_tree* tree, const Counted& c) {
  const char* src = c.facts.ends.src.name;
  const char* dst = c.facts.ends.dst.name;
  if (!is_traffic(c) || (src == nullptr && dst == nullptr)) return false;
  const char* elsewhere = "(outside)";
  const int top = count(tree, kPairs, 0, c.length, true);
  count(tree, shown(tree, src == nullptr ? elsewhere : src, " → ", dst == nullptr ? elsewhere : dst), top,
        c.length);
  return true;
}

bool by_port(stats_tree* tree, const Counted& c) {
  const Ends& ends = c.facts.ends;
  if (!is_traffic(c) || ends.published == 0) return false;
  char port[8] = {};
  (void)std::snprintf(port, sizeof port, "%u", ends.published);
  // Who serves it: the end that has the port's number in the container is not told apart here.
  const int top = count(tree, kPorts, 0, c.length, true);
  count(tree, shown(tree, port), top, c.length);
  return true;
}

bool by_network(stats_tree* tree, const Counted& c) {
  const char* src = c.facts.ends.src.network;
  const char* dst = c.facts.ends.dst.network;
  if (!is_traffic(c) || (src == nullptr && dst == nullptr)) return false;
  const int top = count(tree, kNetworks, 0, c.length, true);
  if (src != nullptr) count(tree, shown(tree, src), top, c.length);
  if (dst != nullptr && dst != src) count(tree, shown(tree, dst), top, c.length);
  return true;
}

bool by_reason(stats_tree* tree, const Counted& c) {
  if (c.dropped == 0) return false;
  const int top = tick(tree, kDropped, 0, c.dropped, true);
  const int reason =
      tick(tree, shown(tree, c.reason == nullptr ? "(no reason known)" : c.reason), top, c.dropped, true);
  for (const char* name : {c.facts.ends.src.name, c.facts.ends.dst.name}) {
    if (name != nullptr) tick(tree, shown(tree, name), reason, c.dropped);
  }
  return true;
}

bool by_verdict(stats_tree* tree, const Counted& c) {
  if (c.verdict == nullptr) return false;
  const int top = tick(tree, kProbes, 0, 1, true);
  const int verdict = tick(tree, shown(tree, c.verdict), top, 1, true);
  if (c.detail != nullptr && c.detail[0] != '\0') tick(tree, shown(tree, c.detail), verdict, 1);
  return true;
}

template <bool (*Take)(stats_tree*, const Counted&)>
tap_packet_status tree_packet(stats_tree* tree, packet_info* /*pinfo*/, epan_dissect_t* /*edt*/,
                              const void* data, tap_flags_t /*flags*/) {
  return Take(tree, *static_cast<const Counted*>(data)) ? TAP_PACKET_REDRAW : TAP_PACKET_DONT_REDRAW;
}

void begin(stats_tree* /*tree*/) {}

template <bool (*Take)(stats_tree*, const Counted&)>
void register_tree(const char* abbreviation, const char* path) {
  (void)stats_tree_register_plugin("podman", abbreviation, path, 0, tree_packet<Take>, begin, forget);
}

// ---- tables ----

const char* filter_of(conv_filter_type_e type) {
  switch (type) {
    case CONV_FT_SRC_ADDRESS:
      return "podman.src.name";
    case CONV_FT_DST_ADDRESS:
      return "podman.dst.name";
    case CONV_FT_ANY_ADDRESS:
      return "podman.name";
    default:
      return CONV_FILTER_INVALID;
  }
}
const char* conversation_filter(conv_item_t* /*item*/, conv_filter_type_e type) {
  return filter_of(type);
}
const char* endpoint_filter(endpoint_item_t* /*item*/, conv_filter_type_e type) {
  return filter_of(type);
}

address name_address(const char* name) {
  address out;
  set_address(&out, AT_STRINGZ, static_cast<int>(std::strlen(name)) + 1, name);
  return out;
}

tap_packet_status conversation_packet(void* table, packet_info* pinfo, epan_dissect_t* /*edt*/,
                                      const void* data, tap_flags_t flags) {
  static ct_dissector_info_t info = {conversation_filter};
  const Counted& c = *static_cast<const Counted*>(data);
  const char* src = c.facts.ends.src.name;
  const char* dst = c.facts.ends.dst.name;
  if (!is_traffic(c) || src == nullptr || dst == nullptr) return TAP_PACKET_DONT_REDRAW;
  auto* hash = static_cast<conv_hash_t*>(table);
  hash->flags = flags;
  const address a = name_address(src);
  const address b = name_address(dst);
  add_conversation_table_data(hash, &a, &b, 0, 0, 1, static_cast<int>(c.length), &pinfo->rel_ts,
                              &pinfo->abs_ts, &info, CONVERSATION_NONE);
  return TAP_PACKET_REDRAW;
}

tap_packet_status endpoint_packet(void* table, packet_info* /*pinfo*/, epan_dissect_t* /*edt*/,
                                  const void* data, tap_flags_t flags) {
  static et_dissector_info_t info = {endpoint_filter};
  const Counted& c = *static_cast<const Counted*>(data);
  if (!is_traffic(c)) return TAP_PACKET_DONT_REDRAW;
  auto* hash = static_cast<conv_hash_t*>(table);
  hash->flags = flags;
  bool any = false;
  const auto add = [&](const char* name, bool sender) {
    if (name == nullptr) return;
    const address a = name_address(name);
    add_endpoint_table_data(hash, &a, 0, sender, 1, static_cast<int>(c.length), &info, ENDPOINT_NONE);
    any = true;
  };
  add(c.facts.ends.src.name, true);
  add(c.facts.ends.dst.name, false);
  return any ? TAP_PACKET_REDRAW : TAP_PACKET_DONT_REDRAW;
}

}  // namespace

bool statistics_wanted() {
  return have_tap_listener(tap) != 0;
}

void send_packet(packet_info* pinfo, const Facts& facts) {
  auto* counted = static_cast<Counted*>(wmem_alloc(pinfo->pool, sizeof(Counted)));
  new (counted) Counted{};
  counted->facts = facts;
  counted->length = pinfo->fd->pkt_len;
  counted->dropped = facts.dropped ? 1 : 0;
  counted->reason = facts.drop.reason;
  tap_queue_packet(tap, pinfo, counted);
}

void send_event(packet_info* pinfo, const EventItems& event) {
  auto* counted = static_cast<Counted*>(wmem_alloc(pinfo->pool, sizeof(Counted)));
  new (counted) Counted{};
  counted->detail = event.detail;
  for (std::size_t i = 0; i < event.count; ++i) {
    const EventItem& item = event.items[i];
    if (item.field == EventField::verdict && event.kind == EventKind::probe) counted->verdict = item.text;
    if (event.kind != EventKind::drop) continue;
    if (item.field == EventField::drop_reason) counted->reason = item.text;
    if (item.field == EventField::count) counted->dropped = item.number;
  }
  if (counted->verdict != nullptr || counted->dropped != 0) tap_queue_packet(tap, pinfo, counted);
}

void register_statistics(int proto) {
  tap = register_tap("podman");
  register_conversation_table(proto, TRUE, conversation_packet, endpoint_packet);
  register_tree<by_container>("podman", "Podman" PODSHARK_STATS_SEPARATOR "Containers");
  register_tree<by_pair>("podman_pairs", "Podman" PODSHARK_STATS_SEPARATOR "Container Pairs");
  register_tree<by_port>("podman_ports", "Podman" PODSHARK_STATS_SEPARATOR "Published Ports");
  register_tree<by_network>("podman_networks", "Podman" PODSHARK_STATS_SEPARATOR "Networks");
  register_tree<by_reason>("podman_drops", "Podman" PODSHARK_STATS_SEPARATOR "Dropped Packets");
  register_tree<by_verdict>("podman_probes", "Podman" PODSHARK_STATS_SEPARATOR "Probes");
}

}  // namespace podshark::plugin
