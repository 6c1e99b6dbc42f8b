// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/probe/records.h"

#include <netinet/in.h>

#include "extcap/probe/render.h"
#include "podman/core/text.h"

namespace podshark::extcap::probing {
namespace {

const char* on_the_wire(probe::Protocol protocol) {
  switch (socket_kind(protocol)) {
    case SocketKind::tcp:
      return "tcp";
    case SocketKind::udp:
      return "udp";
    case SocketKind::icmp:
      break;
  }
  return "icmp";
}

// An echo's number is no port.
annotate::Event::Tuple tuple(const probe::Attempt& a) {
  if (a.local == probe::Endpoint{}) return {};
  const bool ports = socket_kind(a.protocol) != SocketKind::icmp;
  return {a.local.address.text(), a.remote.address.text(), ports ? a.local.port : std::uint16_t{0},
          ports ? a.remote.port : std::uint16_t{0}};
}

annotate::Event record(const ProbeResult& r, const char* what) {
  annotate::Event out;
  out.kind = "probe";
  out.what = what;
  out.time_ns = r.time_ns;
  out.id = r.id;
  out.container = r.aim.container_name;
  out.container_id = r.aim.container.id;
  out.protocol = on_the_wire(r.aim.protocol);
  out.orig = tuple(r.attempt);
  return out;
}

}  // namespace

annotate::Event started_record(const ProbeResult& r, const annotate::Event::Tuple& reply) {
  annotate::Event out = record(r, "started");
  out.reply = reply;
  out.detail = one_line("probing " + r.aim.target + " from " + r.from, 300);
  return out;
}

annotate::Event ended_record(const ProbeResult& r, std::int64_t now_ns) {
  annotate::Event out = record(r, "ended");
  out.time_ns = now_ns;
  out.verdict = r.ok() ? "ok" : r.measured() ? "failed" : "warning";
  out.reason = probe::to_string(r.conclusion.outcome);
  out.detail = render_line(r);
  out.fix = one_line(r.conclusion.hint, 300);
  return out;
}

annotate::Event::Tuple reply_tuple(const probe::Attempt& a, const std::vector<model::Conntrack>& entries) {
  const std::uint8_t protocol = socket_kind(a.protocol) == SocketKind::tcp ? IPPROTO_TCP : IPPROTO_UDP;
  if (socket_kind(a.protocol) == SocketKind::icmp) return {};
  const model::Conntrack::Tuple wanted{a.local.address, a.remote.address, a.local.port, a.remote.port};
  for (const model::Conntrack& c : entries) {
    if (c.protocol != protocol || !(c.orig == wanted)) continue;
    return {c.reply.source.text(), c.reply.destination.text(), c.reply.source_port, c.reply.destination_port};
  }
  return {};
}

}  // namespace podshark::extcap::probing
