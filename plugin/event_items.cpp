// SPDX-License-Identifier: GPL-2.0-or-later
#include "plugin/event_items.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "podman/annotate/codec.h"
#include "podman/core/text.h"

namespace podshark::plugin {
namespace {

using annotate::Event;

constexpr std::size_t kMostListed = 500;
constexpr std::size_t kMostText = 1000;

class Rows {
 public:
  void text(EventField field, const std::string& value, bool inner = false) {
    if (!value.empty()) rows_.push_back({field, inner, one_line(value, kMostText), 0});
  }
  void number(EventField field, std::uint64_t value, bool inner = false) {
    rows_.push_back({field, inner, {}, value});
  }
  void some(EventField field, std::uint64_t value) {
    if (value != 0) number(field, value);
  }

  [[nodiscard]] EventItems lay_out(Allocate allocate, void* scope) const {
    EventItems out;
    auto* items =
        static_cast<EventItem*>(allocate(scope, sizeof(EventItem) * std::max<std::size_t>(rows_.size(), 1)));
    for (const Row& r : rows_) {
      const char* copy = r.text.empty() ? nullptr : put(r.text, allocate, scope);
      new (&items[out.count++]) EventItem{r.field, r.inner, copy, r.number};
    }
    out.items = items;
    return out;
  }

  static const char* put(const std::string& text, Allocate allocate, void* scope) {
    auto* copy = static_cast<char*>(allocate(scope, text.size() + 1));
    std::memcpy(copy, text.c_str(), text.size() + 1);
    return copy;
  }

 private:
  struct Row {
    EventField field;
    bool inner;
    std::string text;
    std::uint64_t number;
  };
  std::vector<Row> rows_;
};

void add_tuple(Rows& rows, const Event::Tuple& t, EventField src) {
  const auto field = [&](int offset) { return static_cast<EventField>(static_cast<int>(src) + offset); };
  rows.text(src, t.src);
  rows.some(field(1), t.src_port);
  rows.text(field(2), t.dst);
  rows.some(field(3), t.dst_port);
}

void add_links(Rows& rows, const Event& e) {
  for (const auto& l : e.links) {
    rows.text(EventField::counted_link, l.container + "/" + l.link);
    rows.number(EventField::received, l.received, /* inner= */ true);
    rows.number(EventField::dropped, l.dropped, true);
    if (l.queue_dropped != 0) rows.number(EventField::queue_dropped, l.queue_dropped, true);
    if (l.memory_dropped != 0) rows.number(EventField::memory_dropped, l.memory_dropped, true);
    if (l.errors != 0) rows.number(EventField::errors, l.errors, true);
  }
}

Severity severity_of(const Event& e) {
  if (e.verdict == "failed" || e.what == "failed" || e.what == "join-failed") return Severity::error;
  if (e.what == "not-judged") return Severity::note;
  if (e.verdict == "warning" || e.kind == "one-sided" || e.kind == "gap" || e.kind == "drop")
    return Severity::warning;
  const bool lost = std::any_of(e.links.begin(), e.links.end(), [](const auto& l) { return l.dropped != 0; });
  if (lost) return Severity::warning;
  return e.what == "empty-capture" || e.what == "exited" ? Severity::note : Severity::none;
}

EventKind kind_of(const std::string& kind) {
  if (kind == "mark") return EventKind::mark;
  if (kind == "drop") return EventKind::drop;
  return kind == "probe" ? EventKind::probe : EventKind::other;
}

std::string summary_of(const Event& e) {
  std::string out = e.kind;
  for (const std::string& word : {e.what, e.container}) {
    if (!word.empty()) out += ", " + word;
  }
  return one_line(out, kMostText);
}

EventItems from_event(const Event& e, Allocate allocate, void* scope) {
  Rows rows;
  rows.text(EventField::kind, e.kind);
  rows.text(EventField::what, e.what);
  rows.text(EventField::event_host, e.host);
  rows.text(EventField::container, e.container);
  rows.text(EventField::container_id, e.container_id);
  rows.text(EventField::link, e.link);
  rows.text(EventField::verdict, e.verdict);
  rows.text(EventField::drop_function, e.function);
  rows.text(EventField::drop_hook, e.hook);
  const bool probe = e.kind == "probe";
  rows.text(probe ? EventField::probe_outcome : EventField::drop_reason, e.reason);
  rows.text(probe ? EventField::probe_id : EventField::id, e.id);
  rows.text(EventField::protocol, e.protocol);
  add_tuple(rows, e.orig, e.kind == "nat" ? EventField::nat_orig_src : EventField::src);
  if (e.kind == "nat") add_tuple(rows, e.reply, EventField::nat_reply_src);
  rows.text(EventField::nat_via, e.via);
  rows.text(EventField::nat_evidence, e.evidence);
  rows.some(EventField::count, e.count);
  rows.text(EventField::detail, e.detail);
  rows.text(EventField::fix, e.fix);
  add_links(rows, e);
  EventItems out = rows.lay_out(allocate, scope);
  out.summary = Rows::put(summary_of(e), allocate, scope);
  out.detail = Rows::put(one_line(e.detail, kMostText), allocate, scope);
  out.severity = severity_of(e);
  out.kind = kind_of(e.kind);
  return out;
}

std::string in_words(const model::Container& c) {
  std::string out = c.name;
  const auto add = [&](const std::string& text) {
    if (!text.empty()) out += " · " + text;
  };
  add(c.image);
  add(c.state);
  for (const auto& network : c.networks) {
    for (const std::string& address : network.addresses) add(address);
  }
  for (const auto& port : c.ports) add(to_string(port));
  return out;
}

EventItems from_inventory(const annotate::InventoryPart& part, Allocate allocate, void* scope) {
  const model::Inventory& inventory = part.inventory;
  Rows rows;
  rows.text(EventField::kind, "inventory");
  rows.text(EventField::host, inventory.host);
  if (part.parts > 1) {
    rows.number(EventField::part, part.part);
    rows.number(EventField::parts, part.parts);
  }
  rows.number(EventField::containers, inventory.containers.size());
  std::size_t listed = 0;
  for (const model::Container& c : inventory.containers) {
    if (listed++ == kMostListed) break;
    rows.text(EventField::listed, in_words(c), /* inner= */ true);
  }
  if (listed > kMostListed)
    rows.text(EventField::listed,
              "and " + std::to_string(inventory.containers.size() - kMostListed) + " more", true);
  rows.number(EventField::pods, inventory.pods.size());
  rows.number(EventField::networks, inventory.networks.size());
  EventItems out = rows.lay_out(allocate, scope);
  out.summary = Rows::put(annotate::inventory_info(inventory, part.part, part.parts), allocate, scope);
  return out;
}

}  // namespace

EventItems event_items(std::string_view json, Allocate allocate, void* scope) noexcept {
  try {
    const Result<annotate::Record> record = annotate::decode_record(json);
    if (!record) return {};
    if (const auto* part = std::get_if<annotate::InventoryPart>(&*record))
      return from_inventory(*part, allocate, scope);
    return from_event(std::get<Event>(*record), allocate, scope);
  } catch (const std::exception&) {
    return {};  // only memory can be missing here
  }
}

}  // namespace podshark::plugin
