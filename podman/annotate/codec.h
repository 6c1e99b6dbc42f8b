// SPDX-License-Identifier: GPL-2.0-or-later
// The annotation vocabulary (docs/FORMAT.md): JSON of inventories and event records, both directions.
// Shared by capture, `list --json`, the interface cache and the plugin; no I/O, no clock.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "podman/core/result.h"
#include "podman/model/inventory.h"

namespace podshark::annotate {

inline constexpr std::uint32_t kSchemaVersion = 1;
/// RFC 5612 documentation number, until one is registered.
inline constexpr std::uint32_t kEnterpriseNumber = 32473;
inline constexpr std::string_view kEventsInterface = "Podman events";
/// Largest event payload; a larger inventory is written in parts. Well under dumpcap's 256 KiB block limit.
inline constexpr std::size_t kMaxPayload = std::size_t{128} * 1024;
/// Limits for foreign input; beyond them decoding fails rather than truncates.
inline constexpr std::size_t kMaxInventoryJson = 64U << 20U;

/// One JSON object, schema {"podshark":1,"kind":"inventory",…}, never failing: bad UTF-8 is replaced.
[[nodiscard]] std::string encode_inventory(const model::Inventory& inventory);

/// The same split so that no part exceeds kMaxPayload; each carries "part" (from 1) and "parts".
/// Containers, pods and networks are distributed; labels of a container too large alone are dropped from it.
[[nodiscard]] std::vector<std::string> encode_inventory_parts(const model::Inventory& inventory);

struct InventoryPart {
  model::Inventory inventory;
  unsigned part = 1;
  unsigned parts = 1;
};
/// Accepts any field missing; wrong types, other kinds and newer schema versions are errors.
/// A part yields just its share.
[[nodiscard]] Result<InventoryPart> decode_inventory(std::string_view json);

/// What happened, told in one record: to a container, a captured link, a connection, a packet.
struct Event {
  std::string kind;  ///< lifecycle, gap, stats, mark, check, nat, firewall, drop, one-sided, probe
  std::int64_t time_ns = 0;
  std::string what;  ///< kind-specific verb: "attached", "link-added", "link-removed", "exited", …
  std::string container_id;
  std::string container;
  std::string link;      ///< link name in the netns, empty when the event concerns the container
  std::string detail;    ///< one sentence for people; also the Info column
  std::string id;        ///< nat: of the connection; probe, check: joins the records of one run
  std::string protocol;  ///< nat, drop, probe: "tcp", "udp", "icmp", …
  struct Tuple {
    std::string src;  ///< address
    std::string dst;
    std::uint16_t src_port = 0;
    std::uint16_t dst_port = 0;
    bool operator==(const Tuple&) const = default;
  };
  Tuple orig;                  ///< nat: before translation; drop, probe: of the packets
  Tuple reply;                 ///< nat: of the answers as they arrive
  std::string via;             ///< nat: the program that forwards; empty: the kernel translates
  std::string evidence;        ///< nat with `via`: why both sides are thought to be one connection
  std::string verdict;         ///< probe, check: "ok", "warning" or "failed"
  std::string reason;          ///< drop: the kernel's word for it, as "NETFILTER_DROP"
  std::string function;        ///< drop: of the kernel, that gave the packet up
  std::string hook;            ///< drop: where in netfilter, as "FORWARD"
  std::uint64_t netns = 0;     ///< drop: inode of the network namespace
  std::uint32_t ifindex = 0;   ///< drop: of the link there that the packet was on, 0: on none
  std::string fix;             ///< check: a command, or what to do
  std::uint64_t count = 0;     ///< drop, one-sided: packets, where they were counted only
  std::int64_t packet_ns = 0;  ///< one-sided: when the packet was captured, on `link`
  std::string host;  ///< machine that it is about, as the user calls it; empty: where the file is made
  std::int64_t clock_offset_ns = 0;  ///< lifecycle, clock-…: what is subtracted from that host's times
  std::int64_t clock_error_ns = 0;   ///< lifecycle, clock-…: how well that is known
  struct LinkStats {
    std::string container;
    std::string link;
    std::uint64_t received = 0;       ///< packets read from the ring since the start
    std::uint64_t dropped = 0;        ///< packets that were lost: by the kernel's ring, or for lack of memory
    std::uint64_t queue_dropped = 0;  ///< of these, while the reader was too slow and the rings were not read
    std::uint64_t errors = 0;         ///< packets the link itself counted as faulty or lost
    std::uint64_t memory_dropped = 0;  ///< of the dropped ones, for which podshark had no memory
    void add(const LinkStats& other);
  };
  std::vector<LinkStats> links;  ///< kind "stats" only
};
/// Container and link of an element of Event::links that sums up others; no name of either looks like that.
inline constexpr const char* kOthers = "(others)";
/// Not longer than kMaxPayload for all its links: the last ones become one sum, as many as have to.
[[nodiscard]] std::string encode_event(const Event& event);
/// What Event::protocol says for an IPPROTO_ number: "tcp", "udp", "sctp", "icmp" (of both families);
/// nullptr: the format has no word for it.
[[nodiscard]] const char* protocol_word(std::uint8_t protocol);
/// Any kind but inventory, also one not known here. Missing members are allowed; wrong types and newer schema
/// versions are errors.
[[nodiscard]] Result<Event> decode_event(std::string_view json);

/// One of the two, whichever it is.
using Record = std::variant<Event, InventoryPart>;
[[nodiscard]] Result<Record> decode_record(std::string_view json);

/// Where a record or an interface comes from, when that is a capture on another machine.
struct Origin {
  std::string host;                                ///< as the user calls it; empty: this machine
  std::function<std::int64_t(std::int64_t)> time;  ///< turns times of that machine (ns) into ours
};
/// An event as it is to be in our file: its host named, its times turned. Members that are not known here
/// stay.
struct MovedEvent {
  Event event;
  std::string json;
};
/// One of the two; an inventory with the host at all of its containers, pods and networks.
using MovedRecord = std::variant<MovedEvent, InventoryPart>;
[[nodiscard]] Result<MovedRecord> move_record(std::string_view json, const Origin& origin);

/// What IDB option 2989 says about one captured link.
struct Interface {
  std::string container_id;
  std::string container;
  std::string pod;
  std::string link;   ///< "drops": packets that the kernel dropped
  std::string point;  ///< inside or host; empty for those
  std::string mac;
  std::vector<std::string> addresses;
  std::uint64_t netns = 0;
};
[[nodiscard]] std::string encode_interface(const Interface& interface);
/// What is known about the clock of an interface's host.
struct InterfaceClock {
  std::int64_t offset_ns = 0;  ///< what is subtracted from its times
  std::int64_t error_ns = 0;
};
/// What encode_interface() wrote, moved to our file from another machine's; other JSON, or none, is left as
/// it is.
[[nodiscard]] std::string move_interface(std::string_view json, const std::string& host,
                                         const std::optional<InterfaceClock>& clock);

/// RFC 3339 in UTC with nanoseconds.
[[nodiscard]] std::string rfc3339(std::int64_t time_ns);

/// Info column of an inventory record, e.g. "inventory: 12 containers, 2 pods".
[[nodiscard]] std::string inventory_info(const model::Inventory& inventory, unsigned part, unsigned parts);

/// LINKTYPE_WIRESHARK_UPPER_PDU (252) payload: tags dissector=json, protocol column "Podman", info column.
[[nodiscard]] std::string upper_pdu(std::string_view info, std::string_view json);
/// The JSON in such a payload; empty when it is none of ours.
[[nodiscard]] std::string_view upper_pdu_json(std::string_view payload);

}  // namespace podshark::annotate
