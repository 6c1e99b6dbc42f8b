// SPDX-License-Identifier: GPL-2.0-or-later
#include "plugin/event_tree.h"

#include <array>

namespace podshark::plugin {
namespace {

int proto_podman = -1;
std::array<int, kEventFields> hf{};
int hf_packet = -1;
int ett_event = -1;
int ett_inner = -1;
expert_field ei_error = EI_INIT;
expert_field ei_warning = EI_INIT;
expert_field ei_note = EI_INIT;
expert_field ei_mark = EI_INIT;

proto_item* add(proto_tree* tree, tvbuff_t* tvb, const EventItem& item) {
  const int field = hf[static_cast<std::size_t>(item.field)];
  proto_item* added = nullptr;
  if (item.text != nullptr) {
    added = proto_tree_add_string(tree, field, tvb, 0, 0, item.text);
  } else {
    added = proto_tree_add_uint64(tree, field, tvb, 0, 0, item.number);
  }
  proto_item_set_generated(added);
  return added;
}

void add_expert(packet_info* pinfo, proto_item* item, const EventItems& event) {
  const char* text = event.detail[0] != '\0' ? event.detail : event.summary;
  expert_field* field = event.kind == EventKind::mark         ? &ei_mark
                        : event.severity == Severity::error   ? &ei_error
                        : event.severity == Severity::warning ? &ei_warning
                        : event.severity == Severity::note    ? &ei_note
                                                              : nullptr;
  if (field != nullptr) expert_add_info_format(pinfo, item, field, "%s", text);
}

}  // namespace

int event_field(EventField field) {
  return hf[static_cast<std::size_t>(field)];
}

// No object with a destructor may live here: epan calls may longjmp out.
void show_event(tvbuff_t* tvb, packet_info* pinfo, proto_tree* tree, const EventItems& event,
                std::uint32_t packet) {
  // Dissectors of the payload have left theirs.
  col_set_str(pinfo->cinfo, COL_PROTOCOL, "Podman");
  col_clear(pinfo->cinfo, COL_INFO);
  col_add_str(pinfo->cinfo, COL_INFO, event.detail[0] != '\0' ? event.detail : event.summary);
  proto_item* top =
      proto_tree_add_protocol_format(tree, proto_podman, tvb, 0, -1, "Podman event: %s", event.summary);
  proto_tree* branch = proto_item_add_subtree(top, ett_event);
  proto_tree* inner = nullptr;
  proto_item* last = nullptr;
  for (std::size_t i = 0; i < event.count; ++i) {
    const EventItem& item = event.items[i];
    if (!item.inner) {
      last = add(branch, tvb, item);
      inner = nullptr;
      continue;
    }
    if (inner == nullptr) inner = proto_item_add_subtree(last, ett_inner);
    (void)add(inner, tvb, item);
  }
  if (packet != 0) proto_item_set_generated(proto_tree_add_uint(branch, hf_packet, tvb, 0, 0, packet));
  add_expert(pinfo, top, event);
}

void register_event_fields(int proto) {
  proto_podman = proto;
  struct Row {
    EventField field;
    const char* name;
    const char* abbreviation;
    const char* blurb;
    bool number = false;
  };
  // In the order of EventField.
  static constexpr std::array<Row, kEventFields> rows{{
      {EventField::kind, "Kind", "podman.event.kind", "lifecycle, gap, stats, drop, nat, …"},
      {EventField::what, "What", "podman.event.what", "What happened"},
      {EventField::event_host, "Host", "podman.event.host", "On which machine, in a capture of several"},
      {EventField::container, "Container", "podman.event.container", "To which container"},
      {EventField::container_id, "Container ID", "podman.event.container_id", "To which container"},
      {EventField::link, "Link", "podman.event.link", "On which of its links"},
      {EventField::detail, "Detail", "podman.event.detail", "The same as a sentence"},
      {EventField::id, "ID", "podman.event.id", "The same in all records of one run, or of one connection"},
      {EventField::probe_id, "Probe", "podman.probe.id", "The probe that this belongs to"},
      {EventField::probe_outcome, "Outcome", "podman.probe.outcome", "ok, refused, filtered, unreachable, …"},
      {EventField::protocol, "Protocol", "podman.event.protocol", "Of the packets meant"},
      {EventField::src, "Source", "podman.event.src", "Source address of the packets meant"},
      {EventField::src_port, "Source port", "podman.event.src_port", "Source port of the packets meant",
       true},
      {EventField::dst, "Destination", "podman.event.dst", "Destination address of the packets meant"},
      {EventField::dst_port, "Destination port", "podman.event.dst_port",
       "Destination port of the packets meant", true},
      {EventField::nat_orig_src, "Original source", "podman.nat.orig.src", "Before the translation"},
      {EventField::nat_orig_src_port, "Original source port", "podman.nat.orig.src_port",
       "Before the translation", true},
      {EventField::nat_orig_dst, "Original destination", "podman.nat.orig.dst", "Before the translation"},
      {EventField::nat_orig_dst_port, "Original destination port", "podman.nat.orig.dst_port",
       "Before the translation", true},
      {EventField::nat_reply_src, "Reply source", "podman.nat.reply.src", "Who answers"},
      {EventField::nat_reply_src_port, "Reply source port", "podman.nat.reply.src_port", "Who answers", true},
      {EventField::nat_reply_dst, "Reply destination", "podman.nat.reply.dst", "Whom it answers"},
      {EventField::nat_reply_dst_port, "Reply destination port", "podman.nat.reply.dst_port",
       "Whom it answers", true},
      {EventField::nat_via, "Forwarded by", "podman.nat.via",
       "The program that forwards; where there is none, the kernel translates"},
      {EventField::nat_evidence, "Evidence", "podman.nat.evidence",
       "Why both sides are thought to be one connection"},
      {EventField::verdict, "Verdict", "podman.event.verdict", "ok, warning or failed"},
      {EventField::drop_reason, "Drop reason", "podman.drop.reason", "Why the kernel dropped the packet"},
      {EventField::drop_function, "Dropped by", "podman.drop.function",
       "Function of the kernel that gave it up"},
      {EventField::drop_hook, "Drop hook", "podman.drop.hook", "Where in netfilter it was dropped"},
      {EventField::fix, "Fix", "podman.event.fix", "What to do about it"},
      {EventField::count, "Packets", "podman.event.count", "How many packets are meant", true},
      {EventField::counted_link, "Counted link", "podman.stats.link", "The counts below are of this link"},
      {EventField::received, "Received", "podman.stats.received", "Packets captured since the start", true},
      {EventField::dropped, "Dropped", "podman.stats.dropped", "Packets the capture lost since the start",
       true},
      {EventField::queue_dropped, "Of these, by the reader", "podman.stats.queue_dropped",
       "Lost while the reader was too slow", true},
      {EventField::memory_dropped, "Of these, for lack of memory", "podman.stats.memory_dropped",
       "Lost because podshark had no memory for them", true},
      {EventField::errors, "Link errors", "podman.stats.errors",
       "Packets the link itself counted as faulty or lost", true},
      {EventField::host, "Host", "podman.inventory.host", "Host of the containers"},
      {EventField::containers, "Containers", "podman.inventory.containers", "Number of containers", true},
      {EventField::pods, "Pods", "podman.inventory.pods", "Number of pods", true},
      {EventField::networks, "Networks", "podman.inventory.networks", "Number of podman networks", true},
      {EventField::part, "Part", "podman.inventory.part", "Large inventories come in parts", true},
      {EventField::parts, "Parts", "podman.inventory.parts", "Large inventories come in parts", true},
      {EventField::listed, "Container", "podman.inventory.container", "A container of the inventory"},
  }};
  static std::array<hf_register_info, kEventFields> fields{};
  for (std::size_t i = 0; i < kEventFields; ++i) {
    const Row& r = rows[i];
    hf[i] = -1;
    fields[i] = {
        &hf[i],
        {r.name, r.abbreviation, r.number ? FT_UINT64 : FT_STRING,
         r.number ? static_cast<int>(BASE_DEC) : static_cast<int>(BASE_NONE), nullptr, 0, r.blurb, HFILL}};
  }
  static hf_register_info links[] = {
      {&hf_packet,
       {"Packet", "podman.event.packet", FT_FRAMENUM, BASE_NONE, nullptr, 0, "The packet that this is about",
        HFILL}},
  };
  static int* subtrees[] = {&ett_event, &ett_inner};
  static ei_register_info infos[] = {
      {&ei_error, {"podman.event.error", PI_SEQUENCE, PI_ERROR, "Failure", EXPFILL}},
      {&ei_warning, {"podman.event.warning", PI_SEQUENCE, PI_WARN, "Loss, gap or warning", EXPFILL}},
      {&ei_note, {"podman.event.note", PI_SEQUENCE, PI_NOTE, "Note", EXPFILL}},
      {&ei_mark, {"podman.event.mark", PI_COMMENTS_GROUP, PI_COMMENT, "Mark", EXPFILL}},
  };
  proto_register_field_array(proto, links, array_length(links));
  proto_register_field_array(proto, fields.data(), static_cast<int>(fields.size()));
  proto_register_subtree_array(subtrees, array_length(subtrees));
  expert_register_field_array(expert_register_protocol(proto), infos, array_length(infos));
}

}  // namespace podshark::plugin
