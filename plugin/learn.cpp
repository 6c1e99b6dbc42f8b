// SPDX-License-Identifier: GPL-2.0-or-later
#include "plugin/learn.h"

#include <cstring>

#include "plugin/event_payload.h"
#include "podman/annotate/codec.h"

namespace podshark::plugin {
namespace {

// Largest record looked at: dumpcap's block limit. Ours are half of that.
constexpr unsigned kMaxRecord = 262144;

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

void learn_record(tvbuff_t* tvb, packet_info* pinfo) {
  const unsigned size = tvb_captured_length(tvb);
  if (size == 0 || size > kMaxRecord || size < tvb_reported_length(tvb)) return;  // cut off: no use
  auto* copy = static_cast<std::uint8_t*>(wmem_alloc(pinfo->pool, size));
  tvb_memcpy(tvb, copy, 0, size);
  const Source source = source_of(pinfo);
  file_index().learn(pinfo->num, interface_key(source.section, source.id), event_json(copy, size));
}

Names packet_names(const packet_info* pinfo) {
  Index& index = file_index();
  const Source source = source_of(pinfo);
  // A file format without interfaces: no interface has this key, so that names come from addresses alone.
  const std::uint64_t key = source.known ? interface_key(source.section, source.id) : UINT64_MAX;
  if (source.known && !index.knows_interface(key)) {
    index.set_interface(key, interface_name(pinfo->epan, source.id, source.section),
                        interface_description(pinfo->epan, source.id, source.section));
  }
  return index.names(pinfo->num, key, end_of(pinfo->src, pinfo->dl_src), end_of(pinfo->dst, pinfo->dl_dst));
}

}  // namespace podshark::plugin
