// SPDX-License-Identifier: GPL-2.0-or-later
#include "plugin/learn.h"

#include <netinet/in.h>
#include <wsutil/report_message.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <utility>

#include "plugin/event_payload.h"
#include "plugin/outside_inventory.h"
#include "podman/annotate/codec.h"

namespace podshark::plugin {
namespace {

// Largest record looked at: dumpcap's block limit. Ours are half of that.
constexpr unsigned kMaxRecord = 262144;
constexpr std::uint32_t kDnsPort = 53;
constexpr unsigned kMaxDns = 1500;

struct Source {
  std::uint32_t id = 0;
  std::uint32_t section = 0;
  bool known = false;
};

Source source_of(const packet_info* pinfo) {
  const wtap_rec* rec = pinfo->rec;
  if (rec->rec_type != REC_TYPE_PACKET || (rec->presence_flags & WTAP_HAS_INTERFACE_ID) == 0) return {};
  const bool sections = (rec->presence_flags & WTAP_HAS_SECTION_NUMBER) != 0;
  return {rec->rec_header.packet_header.interface_id, sections ? rec->section_number : 0, true};
}

Address address_of(const address& a) {
  switch (a.type) {
    case AT_IPv4:
    case AT_IPv6:
    case AT_ETHER:
      return {a.data, static_cast<std::size_t>(a.len)};
    default:
      return {};
  }
}

// The address that tells who it is. Inventories have no link-local addresses: their sender is on this link,
// so that its MAC says who it is.
Address end_of(const address& network, const address& link) {
  const Address end = address_of(network);
  const bool link_local = end.length == 16 && end.bytes[0] == 0xFE && (end.bytes[1] & 0xC0U) == 0x80;
  return link_local && link.type == AT_ETHER ? address_of(link) : end;
}

// Tells the index about an interface; false when it knows it.
bool tell_interface(const packet_info* pinfo, std::uint32_t id, std::uint32_t section) {
  const std::uint64_t key = interface_key(section, id);
  if (file_index().knows_interface(key)) return false;
  file_index().set_interface(key, interface_name(pinfo->epan, id, section),
                             interface_description(pinfo->epan, id, section));
  return true;
}

// The packet's interface and its neighbours, of which there may be no packet yet: whether one is on the
// host's side has to be known by then. Wireshark does not say how many there are; one beyond the end has no
// description.
void tell_interfaces(const packet_info* pinfo, const Source& source) {
  if (!tell_interface(pinfo, source.id, source.section)) return;
  for (std::uint32_t id = source.id; id > 0 && tell_interface(pinfo, id - 1, source.section);) --id;
  std::uint32_t id = source.id + 1;
  while (interface_description(pinfo->epan, id, source.section) != nullptr &&
         tell_interface(pinfo, id, source.section))
    ++id;
}

// Key of the packet's interface, which the index knows afterwards. A file format without interfaces: no
// interface has this key, so that names come from addresses alone.
std::uint64_t known_key(const packet_info* pinfo) {
  const Source source = source_of(pinfo);
  if (!source.known) return UINT64_MAX;
  tell_interfaces(pinfo, source);
  return interface_key(source.section, source.id);
}

// Where the network header begins, beyond the end where it is not known.
unsigned network_offset(tvbuff_t* tvb, const packet_info* pinfo, unsigned size) {
  switch (pinfo->rec->rec_header.packet_header.pkt_encap) {
    case WTAP_ENCAP_RAW_IP:
      return 0;
    case WTAP_ENCAP_NULL:
    case WTAP_ENCAP_LOOP:
      return 4;
    case WTAP_ENCAP_SLL:  // tcpdump -i any
      return 16;
    case WTAP_ENCAP_SLL2:
      return 20;
    case WTAP_ENCAP_ETHERNET:
      break;
    default:
      return size;
  }
  unsigned at = 12;
  while (size >= at + 2) {
    const unsigned type = tvb_get_ntohs(tvb, static_cast<int>(at));
    if (type != 0x8100 && type != 0x88A8) return at + 2;
    at += 4;
  }
  return size;
}

// UDP payload of an unfragmented packet, by header lengths alone; beyond the end where it has none.
unsigned udp_payload_offset(tvbuff_t* tvb, const packet_info* pinfo, unsigned size) {
  const unsigned network = network_offset(tvb, pinfo, size);
  if (network + 40 > size) return size;
  std::uint8_t first = 0;
  tvb_memcpy(tvb, &first, static_cast<int>(network), 1);
  return network + (first >> 4U == 6 ? 40 : (first & 0x0FU) * 4) + 8;
}

void learn_dns(tvbuff_t* tvb, const packet_info* pinfo) {
  if (!file_index().empty()) return;  // an inventory knows better
  const unsigned size = tvb_captured_length(tvb);
  const unsigned offset = udp_payload_offset(tvb, pinfo, size);
  if (offset >= size) return;
  std::uint8_t payload[kMaxDns];
  const unsigned taken = std::min(size - offset, static_cast<unsigned>(sizeof payload));
  tvb_memcpy(tvb, payload, static_cast<int>(offset), taken);
  file_index().learn_dns(pinfo->num, payload, taken);
}

void name_addresses(const Index& index) {
  for (const ResolvedName& r : index.resolved()) {
    if (r.address.length == 4) {
      std::uint32_t v4 = 0;
      std::memcpy(&v4, r.address.bytes.data(), sizeof v4);
      name_ipv4(v4, r.name.c_str());
    } else {
      ws_in6_addr v6;
      std::memcpy(&v6, r.address.bytes.data(), sizeof v6);
      name_ipv6(&v6, r.name.c_str());
    }
  }
}

std::uint8_t protocol_of(const packet_info* pinfo) {
  switch (pinfo->ptype) {
    case PT_TCP:
      return IPPROTO_TCP;
    case PT_UDP:
      return IPPROTO_UDP;
    case PT_SCTP:
      return IPPROTO_SCTP;
    default:
      return 0;
  }
}

Flow flow_of(const packet_info* pinfo) {
  Flow flow;
  flow.src = end_of(pinfo->src, pinfo->dl_src);
  flow.dst = end_of(pinfo->dst, pinfo->dl_dst);
  flow.protocol = protocol_of(pinfo);
  if (flow.protocol != 0) {
    flow.src_port = static_cast<std::uint16_t>(pinfo->srcport);
    flow.dst_port = static_cast<std::uint16_t>(pinfo->destport);
  }
  return flow;
}

Boolean take_option(wtap_block_t /*block*/, guint id, wtap_opttype_e /*type*/, wtap_optval_t* value,
                    void* out) {
  if (id != OPT_CUSTOM_BIN_COPY) return true;
  const CustomOption option = custom_option(value);
  if (option.enterprise != annotate::kEnterpriseNumber || option.data == nullptr) return true;
  *static_cast<std::string_view*>(out) = {static_cast<const char*>(option.data), option.size};
  return false;
}

// In the packet's own options, or those that the user has edited since.
DropWords drop_words(const packet_info* pinfo) {
  const wtap_block_t block =
      pinfo->fd->has_modified_block ? epan_get_modified_block(pinfo->epan, pinfo->fd) : pinfo->rec->block;
  std::string_view json;
  if (block != nullptr) (void)wtap_block_foreach_option(block, take_option, &json);
  return json.empty() ? DropWords{} : file_index().drop_words(json);
}

// ---- the selected packet ----

constexpr std::uint8_t kSyn = 0x02;
constexpr std::uint8_t kAck = 0x10;

// Bytes of the first or last field of that name in the tree: how many were copied, 0 for none.
std::size_t field_bytes(proto_tree* tree, const char* name, bool last, std::uint8_t* out, std::size_t most) {
  const int id = proto_registrar_get_id_byname(name);
  GPtrArray* found = id < 0 || tree == nullptr ? nullptr : proto_find_finfo(tree, id);
  if (found == nullptr) return 0;
  std::size_t copied = 0;
  if (found->len > 0) {
    const auto* field = static_cast<const field_info*>(found->pdata[last ? found->len - 1 : 0]);
    const auto size = static_cast<std::size_t>(std::max(field->length, 0));
    if (field->ds_tvb != nullptr && size > 0 && size <= most &&
        tvb_bytes_exist(field->ds_tvb, field->start, field->length)) {
      tvb_memcpy(field->ds_tvb, out, field->start, size);
      copied = size;
    }
  }
  g_ptr_array_free(found, TRUE);
  return copied;
}

Address last_address(proto_tree* tree, const char* name4, const char* name6) {
  std::uint8_t bytes[16];
  std::size_t size = field_bytes(tree, name4, true, bytes, 4);
  if (size == 0) size = field_bytes(tree, name6, true, bytes, sizeof bytes);
  return {bytes, size};
}

std::uint16_t last_port(proto_tree* tree, const char* name) {
  std::uint8_t bytes[2];
  return field_bytes(tree, name, true, bytes, sizeof bytes) == 2
             ? static_cast<std::uint16_t>(bytes[0] << 8U | bytes[1])
             : std::uint16_t{0};
}

// The packet that an ICMP error quotes. Whatever the error's own addresses: this is what did not arrive.
Flow quoted_flow(proto_tree* tree) {
  Flow flow;
  flow.src = last_address(tree, "ip.src", "ipv6.src");
  flow.dst = last_address(tree, "ip.dst", "ipv6.dst");
  flow.src_port = last_port(tree, "tcp.srcport");
  flow.dst_port = last_port(tree, "tcp.dstport");
  flow.protocol = IPPROTO_TCP;
  if (flow.dst_port != 0) return flow;
  flow.src_port = last_port(tree, "udp.srcport");
  flow.dst_port = last_port(tree, "udp.dstport");
  flow.protocol = flow.dst_port != 0 ? IPPROTO_UDP : 0;
  return flow;
}

bool is_icmp_error(const Signs& signs, bool v6) {
  if (v6) return signs.icmp_type < 128;
  return signs.icmp_type == 3 || signs.icmp_type == 4 || signs.icmp_type == 5 || signs.icmp_type == 11 ||
         signs.icmp_type == 12;
}

// Flow and signs, as far as the packet itself tells. Addresses as they are: a MAC helps to name an end, but
// not to ask for it.
void read_packet(const packet_info* pinfo, proto_tree* tree, SelectedPacket& out) {
  out.flow = flow_of(pinfo);
  out.flow.src = address_of(pinfo->src);
  out.flow.dst = address_of(pinfo->dst);
  std::uint8_t bytes[4];
  const std::size_t v6 = field_bytes(tree, "icmpv6.type", false, bytes, 1);
  out.signs.icmp = v6 != 0 || field_bytes(tree, "icmp.type", false, bytes, 1) != 0;
  if (out.signs.icmp) {
    out.signs.icmp_type = bytes[0];
    const Flow quoted = is_icmp_error(out.signs, v6 != 0) ? quoted_flow(tree) : Flow{};
    out.quoted = quoted.protocol != 0;
    out.signs.icmp = !out.quoted;
    if (out.quoted) out.flow = quoted;
    if (!out.quoted) out.flow = Flow{.src = out.flow.src, .dst = out.flow.dst};
  } else if (out.flow.protocol == IPPROTO_TCP) {
    const std::size_t size = field_bytes(tree, "tcp.flags", false, bytes, sizeof bytes);
    out.signs.syn = size != 0 && (bytes[size - 1] & kSyn) != 0;
    out.signs.ack = size != 0 && (bytes[size - 1] & kAck) != 0;
  }
}

Facts facts_of(const packet_info* pinfo, std::uint64_t key, const Flow& flow) {
  Index& index = file_index();
  Facts facts;
  facts.ends = index.ends(pinfo->num, key, flow);
  facts.point = index.point(key);
  facts.host = index.host(key);
  facts.original = index.original(pinfo->num);
  facts.one_sided = index.one_sided_record(pinfo->num);
  if (index.holds_drops(key)) {
    facts.dropped = true;
    facts.drop = drop_words(pinfo);
  }
  return facts;
}

// Once for each file, at its first packet: an inventory of its own stands before that.
void ask_outside(Index& index, const packet_info* pinfo) noexcept {
  index.stop_asking();
  try {
    const FirstPacket first{std::int64_t{pinfo->abs_ts.secs} * 1'000'000'000 + pinfo->abs_ts.nsecs,
                            pinfo->fd->file_off, pinfo->fd->pkt_len};
    auto found = outside_inventory(outside_inventory_preference(), first);
    if (!found) return report_failure("Podshark: %s", found.error().line().c_str());
    if (*found) index.learn_outside(pinfo->num, std::move(**found));
    name_addresses(index);
  } catch (const std::exception&) {
    return;
  }
}

}  // namespace

Index& file_index() {
  static Index* const index = new Index;
  return *index;
}

bool is_event_record(const packet_info* pinfo) {
  const wtap_rec* rec = pinfo->rec;
  if (rec->rec_type != REC_TYPE_PACKET ||
      rec->rec_header.packet_header.pkt_encap != WTAP_ENCAP_WIRESHARK_UPPER_PDU) {
    return false;
  }
  const Source source = source_of(pinfo);
  if (!source.known) return false;
  const char* name = interface_name(pinfo->epan, source.id, source.section);
  return name != nullptr && annotate::kEventsInterface == name;
}

std::string_view record_json(tvbuff_t* tvb, packet_info* pinfo) {
  const unsigned size = tvb_captured_length(tvb);
  if (size == 0 || size > kMaxRecord || size < tvb_reported_length(tvb)) return {};
  auto* copy = static_cast<std::uint8_t*>(wmem_alloc(pinfo->pool, size));
  tvb_memcpy(tvb, copy, 0, size);
  return event_json(copy, size);
}

void learn_record(const packet_info* pinfo, std::string_view json) {
  const Source source = source_of(pinfo);
  file_index().learn(pinfo->num, interface_key(source.section, source.id), json);
  name_addresses(file_index());
}

void learn_packet(tvbuff_t* tvb, packet_info* pinfo) {
  Index& index = file_index();
  if (index.wants_outside()) ask_outside(index, pinfo);
  if (!index.resolved().empty()) {
    // Again: a name resolution block behind the record has had the last word.
    name_addresses(index);
    index.forget_resolved();
  }
  if (pinfo->srcport == kDnsPort && pinfo->ptype == PT_UDP) learn_dns(tvb, pinfo);
  const std::uint64_t key = known_key(pinfo);
  if (index.has_drops() && index.holds_drops(key))
    index.learn_dropped(pinfo->num, flow_of(pinfo), drop_words(pinfo).reason);
  if (index.has_legs()) index.learn_flow(pinfo->num, key, flow_of(pinfo));
  if (!index.may_repeat()) return;
  const unsigned size = tvb_captured_length(tvb);
  const unsigned offset = network_offset(tvb, pinfo, size);
  if (offset >= size) return;
  std::uint8_t packet[Copies::kCompared];
  const unsigned taken = std::min(size - offset, static_cast<unsigned>(sizeof packet));
  tvb_memcpy(tvb, packet, static_cast<int>(offset), taken);
  const std::int64_t time_ns = std::int64_t{pinfo->abs_ts.secs} * 1'000'000'000 + pinfo->abs_ts.nsecs;
  index.learn_packet(pinfo->num, key, time_ns, packet, taken);
}

Facts packet_facts(const packet_info* pinfo) {
  return facts_of(pinfo, known_key(pinfo), flow_of(pinfo));
}

const char* drop_reason(const packet_info* pinfo) {
  return drop_words(pinfo).reason;
}

SelectedPacket describe_packet(const packet_info* pinfo, proto_tree* tree) {
  Index& index = file_index();
  const std::uint64_t key = known_key(pinfo);
  SelectedPacket out;
  out.frame = pinfo->num;
  out.record = is_event_record(pinfo);
  if (out.record) {
    if (const Flow* told = index.events().flow_of(pinfo->num); told != nullptr) out.flow = *told;
  } else {
    read_packet(pinfo, tree, out);
  }
  // Ends are looked up by what names them, which of a link-local address is the MAC.
  const Flow& named_by = out.record || out.quoted ? out.flow : flow_of(pinfo);
  out.facts = facts_of(pinfo, key, named_by);
  if (out.record) out.facts.host = index.events().host_of(pinfo->num);
  out.signs.serving = index.serving(pinfo->num, key, named_by);
  out.signs.heading = index.heading(pinfo->num, key, out.flow);
  out.other_leg = index.other_leg(pinfo->num, key, out.flow);
  out.src_sole = index.sole(pinfo->num, out.facts.ends.src.name);
  out.dst_sole = index.sole(pinfo->num, out.facts.ends.dst.name);
  return out;
}

}  // namespace podshark::plugin
