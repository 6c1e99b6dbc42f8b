// SPDX-License-Identifier: GPL-2.0-or-later
#include <array>

#include "extcap/json_object.h"
#include "extcap/top/render.h"
#include "podman/annotate/codec.h"

namespace podshark::extcap::top {
namespace {

using Object = JsonObject;

void add_traffic(Object& o, const Traffic& t) {
  o.number("rx_bytes", t.rx_bytes)
      .number("tx_bytes", t.tx_bytes)
      .number("rx_packets", t.rx_packets)
      .number("tx_packets", t.tx_packets);
}

void add_sums(Object& o, const Sums& s, bool protocols_known) {
  const auto known = [&](std::uint64_t n) { return protocols_known ? std::to_string(n) : "null"; };
  add_traffic(o, s.traffic);
  o.number("lo_bytes", s.lo_bytes)
      .number("lo_packets", s.lo_packets)
      .number("link_drops", s.link_drops)
      .number("link_errors", s.link_errors)
      .raw("socket_drops", known(s.socket_drops))
      .raw("retransmits", known(s.retransmits))
      .raw("segments", known(s.segments));
}

auto sums(const Sums& s, bool protocols_known = true) {
  return [&s, protocols_known](std::string& out) {
    Object o(out);
    add_sums(o, s, protocols_known);
  };
}

void write_link(std::string& out, const LinkRow& l) {
  Object o(out);
  o.text("name", l.name).flag("loopback", l.loopback);
  add_traffic(o, l.traffic);
  o.number("drops", l.drops).number("errors", l.errors);
}

void write_peer(std::string& out, const PeerRow& p) {
  static constexpr std::array<const char*, 3> kSides{"", "local", "remote"};
  Object o(out);
  o.text("address", p.key.ip ? p.key.peer.text() : "").text("name", p.name).flag("loopback", p.key.loopback);
  o.text("protocol", p.key.ip ? protocol_name(p.key.protocol) : "").number("port", p.key.port);
  o.text("side", kSides[static_cast<std::size_t>(p.key.side)]).number("published_port", p.published_port);
  add_traffic(o, p.traffic);
}

std::string connections(const std::optional<std::uint64_t>& count) {
  return count ? std::to_string(*count) : "null";
}

void write_entry(std::string& out, const Entry& e) {
  Object o(out);
  o.text("name", e.name).text("interface", e.interface).text("id", e.container_id).text("pod", e.pod);
  o.texts("members", e.members);
  o.decimal("seconds", e.seconds).flag("ended", e.ended);
  add_sums(o, e.now, e.protocols_known);
  o.raw("connections", connections(e.connections));
  o.value("since_start", sums(e.since_start, e.protocols_known));
  o.list("links", e.links, write_link).list("peers", e.peers, write_peer);
  o.value("others", [&](std::string& to) {
    Object others(to);
    add_traffic(others, e.others);
  });
  o.number("unseen_packets", e.unseen_packets);
}

void write_pod(std::string& out, const PodRow& p) {
  Object o(out);
  o.text("name", p.name).number("namespaces", p.namespaces);
  add_sums(o, p.now, true);
  o.raw("connections", connections(p.connections)).value("since_start", sums(p.since_start));
}

}  // namespace

std::string render_json(const Report& report) {
  std::string out;
  {
    Object o(out);
    o.number("podshark", annotate::kSchemaVersion).text("kind", "top");
    o.text("time", annotate::rfc3339(report.time_ns)).decimal("seconds", report.seconds);
    o.list("containers", report.entries, write_entry).list("pods", report.pods, write_pod);
    o.value("total", sums(report.total)).value("total_since_start", sums(report.total_since_start));
    o.texts("problems", report.problems);
  }
  return out;
}

}  // namespace podshark::extcap::top
