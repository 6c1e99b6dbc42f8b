// SPDX-License-Identifier: GPL-2.0-or-later
#include "plugin/explain.h"

#include <algorithm>
#include <utility>

#include "podman/core/text.h"

namespace podshark::plugin {
namespace {

constexpr std::size_t kMostTold = 30;    // lines
constexpr std::size_t kMostButtons = 3;  // "Go to packet"; more do not fit beside each other
constexpr std::size_t kMostText = 500;

bool text(const char* s) {
  return s != nullptr && *s != '\0';
}

struct End {
  const Who& who;
  const Address& address;
  std::uint16_t port;
};

// Client and server of the packet.
std::pair<End, End> roles(const SelectedPacket& p, const Server& server) {
  const End src{p.facts.ends.src, p.flow.src, p.flow.src_port};
  const End dst{p.facts.ends.dst, p.flow.dst, p.flow.dst_port};
  return server.side == Side::dst ? std::pair{src, dst} : std::pair{dst, src};
}

std::string line(const char* head, const std::string& body) {
  std::string out = head;
  out.resize(10, ' ');
  return out + one_line(body, kMostText) + '\n';
}

std::string in_words(const Who& who) {
  if (!text(who.name)) return "no container that this file knows";
  const bool pod = text(who.pod) && std::string_view(who.name) == who.pod;
  std::string out = (pod ? "pod " : "container ") + std::string(who.name);
  const auto add = [&](const char* what, const char* value) {
    if (text(value)) out += std::string(" · ") + what + " " + value;
  };
  add("image", who.image);
  if (!pod) add("pod", who.pod);
  add("network", who.network);
  add("id", who.id);
  return out;
}

std::string tuple(const Tuple& t) {
  const auto end = [](const char* address, std::uint16_t port) {
    return std::string(text(address) ? address : "?") + (port == 0 ? "" : " port " + std::to_string(port));
  };
  return end(t.src, t.src_port) + " → " + end(t.dst, t.dst_port);
}

std::string way(const SelectedPacket& p) {
  std::string out;
  const auto add = [&](const std::string& body) { out += line(out.empty() ? "Way" : "", body); };
  const Facts& f = p.facts;
  if (f.point == Point::inside) add("captured inside the container's network namespace");
  if (f.point == Point::host) add("captured at the host's side of the container's link");
  if (f.ends.published != 0)
    add("published: port " + std::to_string(f.ends.published) + " of the host leads to it");
  if (maybe_forwarder(p))
    add("from the container to itself: mostly podman's port forwarder, for a client outside");
  if (f.ends.nat != nullptr) {
    const bool program = text(f.ends.nat->via);
    add((program ? "forwarded by " + std::string(f.ends.nat->via) : std::string("translated")) +
        ": the client sends " + tuple(f.ends.nat->orig));
    add("            the server answers " + tuple(f.ends.nat->reply));
  }
  if (f.ends.nat != nullptr && text(f.ends.nat->evidence))
    add("both are one connection because: " + std::string(f.ends.nat->evidence));
  if (p.other_leg != 0) add("the other side of it is in frame " + std::to_string(p.other_leg));
  if (text(f.ends.probe)) add("sent or answered by probe " + std::string(f.ends.probe));
  if (f.original != 0)
    add("the same packet is frame " + std::to_string(f.original) +
        (f.dropped ? ", captured before it was dropped" : ", captured at another point"));
  if (f.dropped)
    add("the kernel dropped this packet: " +
        std::string(text(f.drop.reason) ? f.drop.reason : "no reason known") +
        (text(f.drop.function) ? " at " + std::string(f.drop.function) : "") +
        (text(f.drop.hook) ? ", " + std::string(f.drop.hook) : ""));
  return out.empty() ? line("Way", "nothing is known of it") : out;
}

// Those nearest to the packet, in frame order.
std::vector<Told> nearest(std::vector<Told> told, std::uint32_t frame, std::size_t most) {
  const auto distance = [&](const Told& t) { return t.frame > frame ? t.frame - frame : frame - t.frame; };
  std::stable_sort(told.begin(), told.end(),
                   [&](const Told& a, const Told& b) { return distance(a) < distance(b); });
  if (told.size() > most) told.resize(most);
  std::stable_sort(told.begin(), told.end(), [](const Told& a, const Told& b) { return a.frame < b.frame; });
  return told;
}

std::string records(const std::vector<Told>& told, std::uint32_t frame) {
  if (told.empty()) return line("Records", "this file has none about it");
  std::string out;
  for (const Told& t : nearest(told, frame, kMostTold))
    out += line(out.empty() ? "Records" : "", "frame " + std::to_string(t.frame) + "  " + t.text);
  if (told.size() > kMostTold)
    out += line("", "and " + std::to_string(told.size() - kMostTold) + " more, further away");
  return out;
}

std::string subject(const SelectedPacket& p) {
  const std::string protocol = protocol_word(p);
  return "Frame " + std::to_string(p.frame) +
         (p.quoted   ? ", an ICMP error about: "
          : p.record ? ", a record about: "
                     : ": ") +
         (protocol.empty() ? "" : protocol + ", ") + endpoint(p.flow.src, p.flow.src_port) + " → " +
         endpoint(p.flow.dst, p.flow.dst_port);
}

Action go_to(std::uint32_t frame) {
  return {"Go to packet " + std::to_string(frame), {}, frame, {}};
}

std::vector<Action> actions(const SelectedPacket& p, const std::vector<Told>& told) {
  std::vector<Action> out;
  if (const auto flow = flow_action(p)) out.push_back(*flow);
  const Ends& ends = p.facts.ends;
  for (const char* name : {ends.src.name, ends.dst.name}) {
    const auto action = container_action({name, nullptr}, {});
    if (action && (out.empty() || out.back().filter != action->filter)) out.push_back(*action);
  }
  if (p.other_leg != 0) out.push_back(go_to(p.other_leg));
  if (p.facts.original != 0) out.push_back(go_to(p.facts.original));
  for (const Told& t : nearest(told, p.frame, kMostButtons)) out.push_back(go_to(t.frame));
  return out;
}

Flow leg(const Tuple& t, std::uint8_t protocol) {
  return {parse_ip(text(t.src) ? t.src : ""), parse_ip(text(t.dst) ? t.dst : ""), t.src_port, t.dst_port,
          protocol};
}

}  // namespace

FlowSought sought(const SelectedPacket& p) {
  const bool to_dst = server_of(p.flow, p.signs).side == Side::dst;
  FlowSought out;
  out.legs.push_back(to_dst ? p.flow : p.flow.reversed());
  if (const Translation* nat = p.facts.ends.nat; nat != nullptr) {
    out.legs.push_back(leg(nat->orig, p.flow.protocol));
    out.legs.push_back(leg(nat->reply, p.flow.protocol).reversed());
  }
  for (const Who* who : {&p.facts.ends.src, &p.facts.ends.dst}) {
    if (text(who->id)) out.ids.emplace_back(who->id);
    if (text(who->name)) out.names.emplace_back(who->name);
  }
  return out;
}

Explanation explain(const SelectedPacket& p, const std::vector<Told>& all) {
  std::vector<Told> told = all;
  std::erase_if(told, [&](const Told& t) { return t.frame == p.frame; });
  const Server server = server_of(p.flow, p.signs);
  const auto [client, target] = roles(p, server);
  Explanation out;
  out.text = one_line(subject(p), kMostText) + "\n\n";
  out.text += line("Client", endpoint(client.address, client.port) + "  " + in_words(client.who));
  out.text += line("Server", endpoint(target.address, target.port) + "  " + in_words(target.who));
  out.text += line("", std::string("taken for the server because ") + server.why);
  out.text += way(p) + records(told, p.frame);
  out.actions = actions(p, told);
  return out;
}

}  // namespace podshark::plugin
