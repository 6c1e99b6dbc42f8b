// SPDX-License-Identifier: GPL-2.0-or-later
// Registration and the postdissector. It runs for every packet of every capture, so it leaves at once unless
// the packet is an event record not seen before or somebody asked for a podman field. Its handle carries no
// protocol: that spares the layer bookkeeping of every packet, but nobody else checks then whether the user
// has disabled us.
#include "plugin/learn.h"
#include "plugin/ws_compat.h"

namespace podshark::plugin {
namespace {

int proto_podman = -1;
int hf_src_name = -1;
int hf_dst_name = -1;
int hf_name = -1;
int hf_point = -1;
int hf_copy_of = -1;
int ett_podman = -1;
const protocol_t* protocol = nullptr;

void add_name(proto_tree* tree, tvbuff_t* tvb, int field, const char* name) {
  if (name == nullptr) return;
  proto_item_set_generated(proto_tree_add_string(tree, field, tvb, 0, 0, name));
  // The same name once more as "either end", for filters only.
  proto_item* either = proto_tree_add_string(tree, hf_name, tvb, 0, 0, name);
  proto_item_set_generated(either);
  proto_item_set_hidden(either);
}

const char* to_string(Point point) {
  return point == Point::host ? "host" : "inside";
}

// No object with a destructor may live here: proto_tree_add_* may longjmp out.
void show(tvbuff_t* tvb, const Facts& facts, proto_tree* tree) {
  const Names& names = facts.names;
  proto_item* top = proto_tree_add_item(tree, proto_podman, tvb, 0, 0, ENC_NA);
  proto_item_set_generated(top);
  if (names.src != nullptr) proto_item_append_text(top, ", Src: %s", names.src);
  if (names.dst != nullptr) proto_item_append_text(top, ", Dst: %s", names.dst);
  proto_tree* branch = proto_item_add_subtree(top, ett_podman);
  add_name(branch, tvb, hf_src_name, names.src);
  add_name(branch, tvb, hf_dst_name, names.dst);
  if (facts.point != Point::unknown)
    proto_item_set_generated(proto_tree_add_string(branch, hf_point, tvb, 0, 0, to_string(facts.point)));
  if (facts.original != 0)
    proto_item_set_generated(proto_tree_add_uint(branch, hf_copy_of, tvb, 0, 0, facts.original));
}

void learn(tvbuff_t* tvb, packet_info* pinfo) {
  if (is_event_record(pinfo)) {
    learn_record(tvb, pinfo);
  } else {
    learn_packet(tvb, pinfo);
  }
}

int postdissect(tvbuff_t* tvb, packet_info* pinfo, proto_tree* tree, void* /*data*/) {
  if (!proto_is_protocol_enabled(protocol)) return 0;
  if (!PINFO_FD_VISITED(pinfo)) learn(tvb, pinfo);
  if (!proto_field_is_referenced(tree, proto_podman)) return 0;
  const Facts facts = packet_facts(pinfo);
  const bool any = facts.names.src != nullptr || facts.names.dst != nullptr || facts.point != Point::unknown;
  if (any) show(tvb, facts, tree);
  return 0;
}

void forget_file() {
  file_index().clear();
}

void register_fields() {
  static hf_register_info fields[] = {
      {&hf_src_name,
       {"Source container", "podman.src.name", FT_STRING, BASE_NONE, nullptr, 0,
        "Podman container (or pod) that sent the packet", HFILL}},
      {&hf_dst_name,
       {"Destination container", "podman.dst.name", FT_STRING, BASE_NONE, nullptr, 0,
        "Podman container (or pod) the packet goes to", HFILL}},
      {&hf_name,
       {"Container", "podman.name", FT_STRING, BASE_NONE, nullptr, 0,
        "Podman container (or pod) at either end", HFILL}},
      {&hf_point,
       {"Capture point", "podman.point", FT_STRING, BASE_NONE, nullptr, 0,
        "Where the packet was captured: inside the container, or at the host's side of its link", HFILL}},
      {&hf_copy_of,
       {"Copy of the packet in frame", "podman.copy_of", FT_FRAMENUM, BASE_NONE, nullptr, 0,
        "The same packet, captured earlier at another point of its way", HFILL}},
  };
  static int* subtrees[] = {&ett_podman};
  proto_podman = proto_register_protocol("Podman container networking", "Podman", "podman");
  proto_register_field_array(proto_podman, fields, array_length(fields));
  proto_register_subtree_array(subtrees, array_length(subtrees));
  protocol = find_protocol_by_id(proto_podman);
  register_init_routine(forget_file);
  register_cleanup_routine(forget_file);
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
