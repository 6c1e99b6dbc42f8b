// SPDX-License-Identifier: GPL-2.0-or-later
#include <netinet/in.h>

#include "podman/annotate/record.h"
#include "podman/core/text.h"

namespace podshark::annotate {
namespace {

json to_json(const Event::Tuple& t) {
  json j = json::object();
  put(j, "src", t.src);
  put(j, "dst", t.dst);
  put_number(j, "src_port", std::uint64_t{t.src_port});
  put_number(j, "dst_port", std::uint64_t{t.dst_port});
  return j;
}

void put_tuple(json& j, const char* key, const Event::Tuple& t) {
  if (t != Event::Tuple()) j[key] = to_json(t);
}

Event::Tuple tuple_from(const json& j, const char* key) {
  Event::Tuple out;
  const auto it = j.find(key);
  if (it == j.end()) return out;
  if (!it->is_object()) throw std::out_of_range(std::string("'") + key + "' is not an object");
  get(*it, "src", out.src);
  get(*it, "dst", out.dst);
  get_unsigned(*it, "src_port", out.src_port);
  get_unsigned(*it, "dst_port", out.dst_port);
  return out;
}

Event::LinkStats stats_from(const json& j) {
  Event::LinkStats out;
  get(j, "container", out.container);
  get(j, "link", out.link);
  get_unsigned(j, "received", out.received);
  get_unsigned(j, "dropped", out.dropped);
  get_unsigned(j, "queue_dropped", out.queue_dropped);
  get_unsigned(j, "errors", out.errors);
  get_unsigned(j, "memory_dropped", out.memory_dropped);
  return out;
}

// The last half of its links as one.
Event with_fewer_links(Event event) {
  const std::size_t keep = event.links.size() / 2;
  Event::LinkStats others;
  others.container = others.link = kOthers;
  for (std::size_t i = keep; i < event.links.size(); ++i) others.add(event.links[i]);
  event.links.resize(keep);
  event.links.push_back(std::move(others));
  return event;
}

}  // namespace

void Event::LinkStats::add(const LinkStats& other) {
  received += other.received;
  dropped += other.dropped;
  queue_dropped += other.queue_dropped;
  errors += other.errors;
  memory_dropped += other.memory_dropped;
}

const char* protocol_word(std::uint8_t protocol) {
  switch (protocol) {
    case IPPROTO_TCP:
      return "tcp";
    case IPPROTO_UDP:
      return "udp";
    case IPPROTO_SCTP:
      return "sctp";
    case IPPROTO_ICMP:
    case IPPROTO_ICMPV6:
      return "icmp";
    default:
      return nullptr;
  }
}

std::string encode_event(const Event& event) {
  json j = record(event.kind.c_str(), event.time_ns);
  put(j, "what", event.what);
  put(j, "container_id", event.container_id);
  put(j, "container", event.container);
  put(j, "link", event.link);
  put(j, "detail", event.detail);
  put(j, "id", event.id);
  put(j, "protocol", event.protocol);
  put_tuple(j, "orig", event.orig);
  put_tuple(j, "reply", event.reply);
  put(j, "via", event.via);
  put(j, "evidence", event.evidence);
  put(j, "verdict", event.verdict);
  put(j, "reason", event.reason);
  put(j, "function", event.function);
  put(j, "hook", event.hook);
  put_number(j, "netns", event.netns);
  put_number(j, "ifindex", std::uint64_t{event.ifindex});
  put(j, "fix", event.fix);
  put_number(j, "count", event.count);
  if (event.packet_ns != 0) j["packet"] = rfc3339(event.packet_ns);
  put(j, "host", event.host);
  put_number(j, "clock_offset_ns", event.clock_offset_ns);
  put_number(j, "clock_error_ns", event.clock_error_ns);
  for (const Event::LinkStats& l : event.links) {
    j["links"].push_back(
        json{{"container", l.container}, {"link", l.link}, {"received", l.received}, {"dropped", l.dropped}});
    if (l.queue_dropped != 0) j["links"].back()["queue_dropped"] = l.queue_dropped;
    if (l.memory_dropped != 0) j["links"].back()["memory_dropped"] = l.memory_dropped;
    if (l.errors != 0) j["links"].back()["errors"] = l.errors;
  }
  std::string text = dump(j);
  return text.size() > kMaxPayload && event.links.size() > 2 ? encode_event(with_fewer_links(event)) : text;
}

Event event_from(const json& j) {
  Event out;
  get(j, "kind", out.kind);
  if (out.kind.empty()) throw std::out_of_range("no kind");
  out.time_ns = time_from(j.value("time", std::string()));
  get(j, "what", out.what);
  get(j, "container_id", out.container_id);
  get(j, "container", out.container);
  get(j, "link", out.link);
  get(j, "detail", out.detail);
  get(j, "id", out.id);
  get(j, "protocol", out.protocol);
  out.orig = tuple_from(j, "orig");
  out.reply = tuple_from(j, "reply");
  get(j, "via", out.via);
  get(j, "evidence", out.evidence);
  get(j, "verdict", out.verdict);
  get(j, "reason", out.reason);
  get(j, "function", out.function);
  get(j, "hook", out.hook);
  get_unsigned(j, "netns", out.netns);
  get_unsigned(j, "ifindex", out.ifindex);
  get(j, "fix", out.fix);
  get_unsigned(j, "count", out.count);
  out.packet_ns = time_from(j.value("packet", std::string()));
  get(j, "host", out.host);
  get_signed(j, "clock_offset_ns", out.clock_offset_ns);
  get_signed(j, "clock_error_ns", out.clock_error_ns);
  list_from(j, "links", out.links, stats_from);
  return out;
}

Result<Event> decode_event(std::string_view text) {
  try {
    const json j = parse_record(text);
    if (is_inventory(j)) throw std::out_of_range("kind is 'inventory'");
    return event_from(j);
  } catch (const std::exception& e) {  // nlohmann::json throws; it ends here
    return Error{ErrorKind::internal, "not an event record of podshark: " + one_line(e.what(), 200), {}};
  }
}

}  // namespace podshark::annotate
