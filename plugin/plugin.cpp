// SPDX-License-Identifier: GPL-2.0-or-later
// Registration and the postdissector. It runs for every packet of every capture, so it leaves at once unless
// the packet is an event record not seen before or somebody asked for a podman field. Its handle carries no
// protocol: that spares the layer bookkeeping of every packet, but nobody else checks then whether the user
// has disabled us.
#include "plugin/event_items.h"
#include "plugin/event_tree.h"
#include "plugin/learn.h"
#include "plugin/menu.h"
#include "plugin/statistics.h"
#include "plugin/ws_compat.h"

namespace podshark::plugin {
namespace {

int proto_podman = -1;
int hf_name = -1;
int hf_point = -1;
int hf_host = -1;
int hf_copy_of = -1;
int hf_one_sided = -1;
int ett_podman = -1;
const protocol_t* protocol = nullptr;

struct EndFields {
  int name = -1;
  int id = -1;
  int image = -1;
  int pod = -1;
  int network = -1;
};
EndFields hf_src;
EndFields hf_dst;
int hf_published = -1;

void add_text(proto_tree* tree, tvbuff_t* tvb, int field, const char* text) {
  if (text != nullptr) proto_item_set_generated(proto_tree_add_string(tree, field, tvb, 0, 0, text));
}

void add_end(proto_tree* tree, tvbuff_t* tvb, const EndFields& fields, const Who& who) {
  if (who.name == nullptr) return;
  add_text(tree, tvb, fields.name, who.name);
  // The same name once more as "either end", for filters only.
  proto_item* either = proto_tree_add_string(tree, hf_name, tvb, 0, 0, who.name);
  proto_item_set_generated(either);
  proto_item_set_hidden(either);
  add_text(tree, tvb, fields.id, who.id);
  add_text(tree, tvb, fields.image, who.image);
  add_text(tree, tvb, fields.pod, who.pod);
  add_text(tree, tvb, fields.network, who.network);
}

const char* to_string(Point point) {
  return point == Point::host ? "host" : "inside";
}

void add_number(proto_tree* tree, tvbuff_t* tvb, int field, std::uint32_t number) {
  if (number != 0) proto_item_set_generated(proto_tree_add_uint64(tree, field, tvb, 0, 0, number));
}

void add_tuple(proto_tree* tree, tvbuff_t* tvb, EventField src, const Tuple& tuple) {
  const auto field = [&](int offset) {
    return event_field(static_cast<EventField>(static_cast<int>(src) + offset));
  };
  add_text(tree, tvb, field(0), tuple.src);
  add_number(tree, tvb, field(1), tuple.src_port);
  add_text(tree, tvb, field(2), tuple.dst);
  add_number(tree, tvb, field(3), tuple.dst_port);
}

// No object with a destructor may live here: proto_tree_add_* may longjmp out.
void show(tvbuff_t* tvb, const Facts& facts, proto_tree* tree) {
  const Ends& ends = facts.ends;
  proto_item* top = proto_tree_add_item(tree, proto_podman, tvb, 0, 0, ENC_NA);
  proto_item_set_generated(top);
  if (ends.src.name != nullptr) proto_item_append_text(top, ", Src: %s", ends.src.name);
  if (ends.dst.name != nullptr) proto_item_append_text(top, ", Dst: %s", ends.dst.name);
  proto_tree* branch = proto_item_add_subtree(top, ett_podman);
  add_end(branch, tvb, hf_src, ends.src);
  add_end(branch, tvb, hf_dst, ends.dst);
  if (ends.published != 0)
    proto_item_set_generated(proto_tree_add_uint(branch, hf_published, tvb, 0, 0, ends.published));
  if (ends.nat != nullptr) {
    add_tuple(branch, tvb, EventField::nat_orig_src, ends.nat->orig);
    add_tuple(branch, tvb, EventField::nat_reply_src, ends.nat->reply);
    add_text(branch, tvb, event_field(EventField::nat_via), ends.nat->via);
    add_text(branch, tvb, event_field(EventField::nat_evidence), ends.nat->evidence);
  }
  add_text(branch, tvb, event_field(EventField::probe_id), ends.probe);
  add_text(branch, tvb, event_field(EventField::drop_reason), facts.drop.reason);
  add_text(branch, tvb, event_field(EventField::drop_function), facts.drop.function);
  add_text(branch, tvb, event_field(EventField::drop_hook), facts.drop.hook);
  if (facts.point != Point::unknown)
    proto_item_set_generated(proto_tree_add_string(branch, hf_point, tvb, 0, 0, to_string(facts.point)));
  add_text(branch, tvb, hf_host, facts.host);
  if (facts.original != 0)
    proto_item_set_generated(proto_tree_add_uint(branch, hf_copy_of, tvb, 0, 0, facts.original));
  if (facts.one_sided != 0)
    proto_item_set_generated(proto_tree_add_uint(branch, hf_one_sided, tvb, 0, 0, facts.one_sided));
}

void* in_packet_scope(void* pool, std::size_t size) {
  return wmem_alloc(static_cast<wmem_allocator_t*>(pool), size);
}

// Records are few: each is shown whenever it is dissected, so that expert information and statistics are
// whole.
void event_record(tvbuff_t* tvb, packet_info* pinfo, proto_tree* tree) {
  const std::string_view json = record_json(tvb, pinfo);
  if (json.empty()) return;
  if (!PINFO_FD_VISITED(pinfo)) learn_record(pinfo, json);
  const EventItems event = event_items(json, in_packet_scope, pinfo->pool);
  if (event.count == 0) return;
  if (statistics_wanted()) send_event(pinfo, event);
  show_event(tvb, pinfo, tree, event, file_index().one_sided_packet(pinfo->num));
}

int postdissect(tvbuff_t* tvb, packet_info* pinfo, proto_tree* tree, void* /*data*/) {
  if (!proto_is_protocol_enabled(protocol)) return 0;
  if (is_event_record(pinfo)) {
    event_record(tvb, pinfo, tree);
    return 0;
  }
  if (!PINFO_FD_VISITED(pinfo)) learn_packet(tvb, pinfo);
  // Else its row looks like any other packet, or like a retransmission of the one that was captured on its
  // way.
  if (const char* reason = drop_reason(pinfo); reason != nullptr && reason[0] != 0)
    col_prepend_fence_fstr(pinfo->cinfo, COL_INFO, "[Dropped: %s] ", reason);
  const bool counted = statistics_wanted();
  const bool shown = proto_field_is_referenced(tree, proto_podman);
  if (!counted && !shown) return 0;
  const Facts facts = packet_facts(pinfo);
  if (!facts.any()) return 0;
  if (counted) send_packet(pinfo, facts);
  if (shown) show(tvb, facts, tree);
  return 0;
}

void forget_file() {
  file_index().clear();
}

hf_register_info text_field(int* field, const char* name, const char* abbreviation, const char* blurb) {
  return {field, {name, abbreviation, FT_STRING, BASE_NONE, nullptr, 0, blurb, HFILL}};
}

void register_fields() {
  static hf_register_info fields[] = {
      text_field(&hf_src.name, "Source container", "podman.src.name",
                 "Podman container (or pod) that sent the packet"),
      text_field(&hf_src.id, "Source container ID", "podman.src.id", "Its first 12 digits"),
      text_field(&hf_src.image, "Source image", "podman.src.image",
                 "Image of the container that sent the packet"),
      text_field(&hf_src.pod, "Source pod", "podman.src.pod", "Pod that sent the packet"),
      text_field(&hf_src.network, "Source network", "podman.src.network",
                 "Podman network of the source address"),
      text_field(&hf_dst.name, "Destination container", "podman.dst.name",
                 "Podman container (or pod) the packet goes to"),
      text_field(&hf_dst.id, "Destination container ID", "podman.dst.id", "Its first 12 digits"),
      text_field(&hf_dst.image, "Destination image", "podman.dst.image",
                 "Image of the container the packet goes to"),
      text_field(&hf_dst.pod, "Destination pod", "podman.dst.pod", "Pod the packet goes to"),
      text_field(&hf_dst.network, "Destination network", "podman.dst.network",
                 "Podman network of the destination address"),
      {&hf_published,
       {"Published port", "podman.port.published", FT_UINT16, BASE_DEC, nullptr, 0,
        "The host's port that leads to the container's port of this packet", HFILL}},
      {&hf_name,
       {"Container", "podman.name", FT_STRING, BASE_NONE, nullptr, 0,
        "Podman container (or pod) at either end", HFILL}},
      {&hf_point,
       {"Capture point", "podman.point", FT_STRING, BASE_NONE, nullptr, 0,
        "Where the packet was captured: inside the container, or at the host's side of its link", HFILL}},
      text_field(&hf_host, "Captured on", "podman.host",
                 "Machine that the packet was captured on, in a capture of several"),
      {&hf_copy_of,
       {"Copy of the packet in frame", "podman.copy_of", FT_FRAMENUM, BASE_NONE, nullptr, 0,
        "The same packet, captured earlier at another point of its way", HFILL}},
      {&hf_one_sided,
       {"Missing at the other end, told in frame", "podman.one_sided", FT_FRAMENUM, BASE_NONE, nullptr, 0,
        "Of the container and the host's side, both captured, only one has seen this packet", HFILL}},
  };
  static int* subtrees[] = {&ett_podman};
  proto_podman = proto_register_protocol("Podman container networking", "Podman", "podman");
  proto_register_field_array(proto_podman, fields, array_length(fields));
  proto_register_subtree_array(subtrees, array_length(subtrees));
  protocol = find_protocol_by_id(proto_podman);
  register_init_routine(forget_file);
  register_cleanup_routine(forget_file);
  register_event_fields(proto_podman);
  register_statistics(proto_podman);
  register_menu(proto_podman);
  register_postdissector(create_dissector_handle(postdissect, -1));
}

}  // namespace
}  // namespace podshark::plugin

// Each symbol needs extern "C" of its own: within a block a const would keep internal linkage.
#define PODSHARK_EXPORT extern "C" __attribute__((visibility("default")))
PODSHARK_EXPORT const char plugin_version[];
PODSHARK_EXPORT const int plugin_want_major;
PODSHARK_EXPORT const int plugin_want_minor;
PODSHARK_EXPORT void plugin_register();
PODSHARK_EXPORT std::uint32_t plugin_describe();

const char plugin_version[] = PODSHARK_VERSION;
const int plugin_want_major = WIRESHARK_VERSION_MAJOR;
const int plugin_want_minor = WIRESHARK_VERSION_MINOR;

void plugin_register() {
  static proto_plugin plugin;
  plugin.register_protoinfo = podshark::plugin::register_fields;
  plugin.register_handoff = nullptr;
  proto_register_plugin(&plugin);
}

std::uint32_t plugin_describe() {
  return podshark::plugin::kDescribeDissector;
}
