// SPDX-License-Identifier: GPL-2.0-or-later
#include "plugin/flow_question.h"

#include <netinet/in.h>

#include <algorithm>
#include <string_view>

#include "podman/core/text.h"

namespace podshark::plugin {
namespace {

constexpr std::uint8_t kEchoReply4 = 0;
constexpr std::uint8_t kEchoReply6 = 129;

bool is_ip(const Address& a) {
  return a.length == 4 || a.length == 16;
}

// Multicast or broadcast.
bool is_group(const Address& a) {
  return a.length == 4 ? a.bytes[0] >= 224 : a.bytes[0] == 0xFF;
}

bool letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// Podman's own rule for names; a forged record may hold any. The words listed mean something else.
bool plain(std::string_view name) {
  if (name.empty() || name.size() >= NamePool::kMaxName || !letter_or_digit(name.front())) return false;
  for (const std::string_view taken : {"host", "all", "pod", "net"}) {
    if (name == taken) return false;
  }
  for (const char c : name) {
    if (!letter_or_digit(c) && c != '_' && c != '.' && c != '-') return false;
  }
  return !is_ip(parse_ip(std::string(name)));
}

bool is_id(std::string_view id) {
  return id.size() == 12 && id.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Error choose_another(const char* why) {
  return {ErrorKind::usage, why, {}};
}

Error not_translated() {
  return choose_another(
      "no record of this file tells that the selected packet's connection is translated: choose a packet "
      "with "
      "podman.nat.orig.src");
}

std::string target_of(const Who& who, bool sole, const Address& address, std::uint16_t port) {
  // A loopback address is not what the name stands for; a name of the name server's may be an alias.
  const std::string word = who.id == nullptr || address.loopback() ? "" : word_for(who, sole);
  if (word.empty()) return endpoint(address, port);
  return port == 0 ? word : word + ":" + std::to_string(port);
}

std::string conversation(const Flow& flow, const std::string& protocol) {
  const std::string ip = flow.src.length == 4 ? "ip.addr == " : "ipv6.addr == ";
  std::string out = ip + to_text(flow.src) + " && " + ip + to_text(flow.dst);
  if (protocol == "icmp") return out + (flow.src.length == 4 ? " && icmp" : " && icmpv6");
  if (flow.protocol == 0) return out;
  for (const std::uint16_t port : {flow.src_port, flow.dst_port})
    out += " && " + protocol + ".port == " + std::to_string(port);
  return out;
}

// The file names it, and it is to be pasted into a shell.
bool plain_host(std::string_view host) {
  if (host.empty() || !letter_or_digit(host.front())) return false;
  return std::all_of(host.begin(), host.end(), [](char c) {
    return letter_or_digit(c) || std::string_view("@._-:/").find(c) != std::string_view::npos;
  });
}

Argv command(const std::string& program, const char* verb, const Question& question) {
  Argv out{program, verb};
  if (!question.host.empty())
    out.insert(out.end(), {"--host", plain_host(question.host) ? question.host : "HOST"});
  if (!question.from.empty()) out.insert(out.end(), {"--from", question.from});
  out.push_back(question.target);
  return out;
}

}  // namespace

Server server_of(const Flow& flow, const Signs& signs) {
  if (signs.icmp) {
    const bool reply = signs.icmp_type == (flow.src.length == 16 ? kEchoReply6 : kEchoReply4);
    return reply ? Server{Side::src, "it answers the ping"} : Server{Side::dst, "the packet goes to it"};
  }
  if (signs.syn)
    return signs.ack ? Server{Side::src, "it accepts the connection"}
                     : Server{Side::dst, "the connection is opened to it"};
  if (signs.heading == Heading::forth) return {Side::dst, "a record tells who began"};
  if (signs.heading == Heading::back) return {Side::src, "a record tells who began"};
  if (signs.serving.src != signs.serving.dst)
    return {signs.serving.src ? Side::src : Side::dst, "its port is published"};
  if (flow.src_port != flow.dst_port)
    return {flow.src_port < flow.dst_port ? Side::src : Side::dst, "it has the lower port"};
  return {Side::dst, "the packet goes to it"};
}

std::string word_for(const Who& who, bool sole) {
  const bool named = who.name != nullptr && plain(who.name);
  if (named && (sole || who.id == nullptr)) return who.name;
  return who.id != nullptr && is_id(who.id) ? who.id : "";
}

bool maybe_forwarder(const SelectedPacket& p) {
  const Who& src = p.facts.ends.src;
  const Who& dst = p.facts.ends.dst;
  return p.facts.ends.published != 0 && p.flow.src == p.flow.dst && !p.flow.dst.loopback() &&
         src.id != nullptr && dst.id != nullptr && std::string_view(src.id) == dst.id;
}

Result<Question> question(const SelectedPacket& p) {
  const Flow& flow = p.flow;
  if (!is_ip(flow.src) || !is_ip(flow.dst))
    return choose_another("the selected packet has no IP addresses: choose one of TCP, UDP or ICMP");
  if (flow.protocol == IPPROTO_SCTP)
    return choose_another("SCTP can be neither checked nor probed: choose a packet of TCP, UDP or ICMP");
  if (!p.signs.icmp && (flow.src_port == 0 || flow.dst_port == 0))
    return choose_another("the selected packet has no port: choose one of TCP, UDP or ICMP");
  const Ends& ends = p.facts.ends;
  if (ends.src.name == nullptr && ends.dst.name == nullptr && ends.published == 0)
    return choose_another(
        "neither end of the selected packet is a container: choose a packet with a podman.name");
  const bool to_dst = server_of(flow, p.signs).side == Side::dst;
  const Address& address = to_dst ? flow.dst : flow.src;
  if (is_group(address))
    return choose_another(
        "the selected packet goes to a group of receivers: choose one that goes to a single address");
  const std::uint16_t port = p.signs.icmp ? 0 : to_dst ? flow.dst_port : flow.src_port;
  Question out;
  if (p.facts.host != nullptr) out.host = p.facts.host;
  if (!maybe_forwarder(p))
    out.from = to_dst ? word_for(ends.src, p.src_sole) : word_for(ends.dst, p.dst_sole);
  out.target = to_dst ? target_of(ends.dst, p.dst_sole, address, port)
                      : target_of(ends.src, p.src_sole, address, port);
  out.target += "/" + protocol_word(p);
  return out;
}

Argv check_command(const std::string& program, const Question& question) {
  return command(program, "check", question);
}

Argv probe_command(const std::string& program, const Question& question) {
  return command(program, "probe", question);
}

std::string ask_there(const char* verb, const Question& question) {
  return "Not asked from here: the selected packet was captured on " + one_line(question.host, 120) +
         ", and what this machine says would be about its own containers. In a terminal:\n\n" +
         shown(command("podshark", verb, question)) + "\n" +
         (plain_host(question.host) ? "" : "\nHOST is how ssh reaches that machine.\n");
}

std::optional<Action> flow_action(const SelectedPacket& p) {
  if (!is_ip(p.flow.src) || !is_ip(p.flow.dst)) return std::nullopt;
  const std::string protocol = protocol_word(p);
  std::string filter = conversation(p.flow, protocol);
  if (p.facts.ends.nat != nullptr) {
    for (const Tuple* t : {&p.facts.ends.nat->orig, &p.facts.ends.nat->reply}) {
      const Flow leg{parse_ip(t->src == nullptr ? "" : t->src), parse_ip(t->dst == nullptr ? "" : t->dst),
                     t->src_port, t->dst_port, p.flow.protocol};
      if (!is_ip(leg.src) || leg.dst.length != leg.src.length || leg == p.flow || leg.reversed() == p.flow)
        continue;
      filter = "(" + filter + ") || (" + conversation(leg, protocol) + ")";
    }
  }
  return Action{"Filter on this flow", filter, 0, {}};
}

Result<Action> both_legs_action(const SelectedPacket& p) {
  const std::optional<Action> action = flow_action(p);
  if (!action || p.facts.ends.nat == nullptr) return not_translated();
  return *action;
}

Result<Action> other_leg_action(const SelectedPacket& p) {
  if (p.facts.ends.nat == nullptr) return not_translated();
  if (p.other_leg == 0)
    return choose_another(
        "the other side of this connection is not in the file: capture both (podshark capture --point both)");
  return Action{"Go to the other leg: packet " + std::to_string(p.other_leg), {}, p.other_leg, {}};
}

std::string endpoint(const Address& address, std::uint16_t port) {
  const std::string text = to_text(address);
  if (port == 0) return text;
  return (address.length == 16 ? "[" + text + "]" : text) + ":" + std::to_string(port);
}

std::string protocol_word(const SelectedPacket& p) {
  if (p.signs.icmp) return "icmp";
  const char* word = annotate::protocol_word(p.flow.protocol);
  return word != nullptr ? word : "";
}

}  // namespace podshark::plugin
