// SPDX-License-Identifier: GPL-2.0-or-later
#include "plugin/event_log.h"

#include <algorithm>
#include <utility>

#include "plugin/snapshot.h"
#include "podman/core/text.h"

namespace podshark::plugin {
namespace {

using annotate::Event;

constexpr std::size_t kMostText = 400;

Flow to_flow(const Event::Tuple& t, const std::string& protocol) {
  return {parse_ip(t.src), parse_ip(t.dst), t.src_port, t.dst_port, model::protocol_number(protocol)};
}

bool whole(const Flow& flow) {
  return flow.src.length != 0 && flow.dst.length != 0;
}

// What a record leaves out may be anything.
bool fits(std::uint16_t told, std::uint16_t sought) {
  return told == 0 || told == sought;
}
bool same_service(const Flow& told, const Flow& leg) {
  return told.src == leg.src && told.dst == leg.dst && fits(told.dst_port, leg.dst_port) &&
         fits(told.protocol, leg.protocol);
}
// … so that a packet from the service's port is one of it.
bool same_service_back(const Flow& told, const Flow& leg) {
  return same_service(told.reversed(), leg);
}

bool same_connection(const Flow& told, const Flow& leg) {
  return told == leg || told.reversed() == leg;
}

std::string text_of(const Event& e) {
  std::string out = e.kind;
  for (const std::string& word : {e.what, e.verdict, e.reason}) {
    if (!word.empty()) out += ", " + word;
  }
  if (e.count != 0) out += ", " + std::to_string(e.count) + " packets";
  if (!e.detail.empty()) out += ": " + e.detail;
  if (!e.fix.empty()) out += "; fix: " + e.fix;
  return one_line(out, kMostText);
}

std::string translation_text(const Event& e) {
  const auto end = [](const std::string& address, std::uint16_t port) {
    return address + (port == 0 ? "" : " port " + std::to_string(port));
  };
  if (!e.detail.empty()) return one_line("nat, " + e.detail, kMostText);
  return one_line("nat: " + end(e.orig.src, e.orig.src_port) + " → " + end(e.orig.dst, e.orig.dst_port) +
                      ", answered by " + end(e.reply.src, e.reply.src_port) + " → " +
                      end(e.reply.dst, e.reply.dst_port),
                  kMostText);
}

template <typename List>
bool has(const List& list, const std::string& text) {
  return !text.empty() && std::find(list.begin(), list.end(), text) != list.end();
}

}  // namespace

void EventLog::learn(std::uint32_t frame, const Event& event) {
  for (const char* course : {"stats", "mark", "lifecycle"}) {
    if (event.kind == course) return;
  }
  if (entries_.size() >= kMost) return;
  Entry entry;
  entry.frame = frame;
  entry.translation = event.kind == "nat";
  entry.flow = to_flow(event.orig, event.protocol);
  entry.reply = to_flow(event.reply, event.protocol);
  entry.id = event.container_id.substr(0, 12);
  entry.name = one_line(event.container, 255);
  entry.host = interface_host(event.host);
  entry.text = entry.translation ? translation_text(event) : text_of(event);
  if (!entry.host.empty()) entry.text = "on " + entry.host + ": " + entry.text;
  entries_.push_back(std::move(entry));
}

void EventLog::learn_dropped(std::uint32_t frame, const Flow& flow, const char* reason) {
  if (entries_.size() >= kMost || !whole(flow)) return;
  Entry entry;
  entry.frame = frame;
  entry.flow = flow;
  entry.text =
      one_line("a dropped packet" + (reason == nullptr ? "" : ", " + std::string(reason)), kMostText);
  entries_.push_back(std::move(entry));
}

bool EventLog::concerns(const Entry& entry, const FlowSought& sought) {
  if (!whole(entry.flow)) return entry.id.empty() ? has(sought.names, entry.name) : has(sought.ids, entry.id);
  return std::any_of(sought.legs.begin(), sought.legs.end(), [&](const Flow& leg) {
    if (entry.translation) return same_connection(entry.flow, leg) || same_connection(entry.reply, leg);
    return same_service(entry.flow, leg) || same_service_back(entry.flow, leg);
  });
}

std::vector<Told> EventLog::about(const FlowSought& sought) const {
  std::vector<Told> out;
  for (const Entry& entry : entries_) {
    if (concerns(entry, sought)) out.push_back({entry.frame, entry.text});
  }
  return out;
}

const EventLog::Entry* EventLog::at(std::uint32_t frame) const {
  const auto it = std::lower_bound(entries_.begin(), entries_.end(), frame,
                                   [](const Entry& e, std::uint32_t f) { return e.frame < f; });
  return it != entries_.end() && it->frame == frame ? &*it : nullptr;
}

const Flow* EventLog::flow_of(std::uint32_t frame) const {
  const Entry* entry = at(frame);
  return entry != nullptr && whole(entry->flow) ? &entry->flow : nullptr;
}

const char* EventLog::host_of(std::uint32_t frame) const {
  const Entry* entry = at(frame);
  return entry == nullptr || entry->host.empty() ? nullptr : entry->host.c_str();
}

}  // namespace podshark::plugin
