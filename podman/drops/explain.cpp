// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/drops/explain.h"

#include <algorithm>
#include <array>

namespace podshark::drops {
namespace {

struct Entry {
  std::string_view reason;
  std::string_view function;  // empty: any
  Explanation said;
};

constexpr std::string_view kSocketBuffer =
    "the program reads too slowly, or needs a larger SO_RCVBUF (sysctl net.core.rmem_max)";
constexpr std::string_view kTcpState =
    "compare sequence numbers in this capture; a middlebox, a reused port or a restarted peer may send such "
    "segments";
constexpr std::string_view kBadSum =
    "something on the way damaged the packet, or checksum offload is broken ('ethtool -K LINK tx off' tells)";
constexpr std::string_view kMtu =
    "compare MTUs along the way with 'ip link'; 'podshark probe ADDRESS/mtu' measures";

// The first that fits counts: entries of a function before those of any.
constexpr std::array kTable{
    Entry{"NETFILTER_DROP",
          "",
          {"a firewall rule dropped it",
           "'podshark trace TARGET' shows which rule; 'podshark check' judges all of them"}},
    Entry{"IP_INHDR",
          "ip_forward",
          {"its TTL ran out on the way",
           "look for a routing loop with 'ip route get ADDRESS' in each namespace"}},
    Entry{"IP_INHDR", "", {"its IP header is malformed", "look at who made the packet"}},
    Entry{"IP_INADDRERRORS",
          "ip_error",
          {"it would have to be forwarded, and forwarding is off here", "'sysctl -w net.ipv4.ip_forward=1'"}},
    Entry{"IP_INADDRERRORS",
          "",
          {"its address is not valid here", "'ip addr' and 'ip route' of that namespace"}},
    Entry{"IP_INNOROUTES",
          "",
          {"there is no route to its destination", "'ip route get ADDRESS' in that namespace"}},
    Entry{"IP_OUTNOROUTES",
          "",
          {"there is no route to its destination", "'ip route get ADDRESS' in that namespace"}},
    Entry{"NOT_SPECIFIED",
          "ip_error",
          {"a route forbids its destination (blackhole, unreachable or prohibit)",
           "'ip route show table all'"}},
    Entry{"IP_RPFILTER",
          "",
          {"its source would not be answered through the link it came from (rp_filter)",
           "add a route back, or 'sysctl -w net.ipv4.conf.LINK.rp_filter=2'"}},
    Entry{"IP_LOCALNET",
          "",
          {"it came from outside with an address of 127.0.0.0/8",
           "'sysctl net.ipv4.conf.LINK.route_localnet' allows it"}},
    Entry{"IP_LOCAL_SOURCE",
          "",
          {"its source is an address of the receiver itself",
           "two machines have one address, or a packet came back"}},
    Entry{"IP_INVALID_SOURCE", "", {"its source address is not valid", "look at who made the packet"}},
    Entry{"IP_INVALID_DEST", "", {"its destination address is not valid", "look at who made the packet"}},
    Entry{"PKT_TOO_BIG", "", {"it is larger than the next link's MTU and must not be split", kMtu}},
    Entry{"NOT_SPECIFIED",
          "__dev_forward_skb2",
          {"it is larger than the MTU of the link at the other end", kMtu}},
    Entry{
        "NOT_SPECIFIED", "br_dev_queue_push_xmit", {"it is larger than the MTU of the bridge's port", kMtu}},
    Entry{"NOT_SPECIFIED",
          "nf_queue",
          {"a firewall rule gave it to a program (NFQUEUE), and none listens",
           "start that program, or remove the rule"}},
    Entry{"NOT_SPECIFIED",
          "veth_xdp_rcv_skb",
          {"an XDP program on the receiving link dropped it", "'ip link show' names the program"}},
    Entry{"NOT_SPECIFIED",
          "do_xdp_generic",
          {"an XDP program on the receiving link dropped it", "'ip link show' names the program"}},
    Entry{"NOT_SPECIFIED",
          "__rtnl_unlock",
          {"the queue it waited in was removed", "'tc qdisc' of the link was changed just then"}},
    Entry{"XDP", "", {"an XDP program on the receiving link dropped it", "'ip link show' names the program"}},
    Entry{"NO_SOCKET",
          "tcp_v",
          {"nobody listens on that TCP port", "'podshark check' of the target says who listens where"}},
    Entry{"NO_SOCKET",
          "__udp",
          {"nobody listens on that UDP port", "'podshark check' of the target says who listens where"}},
    Entry{"NO_SOCKET", "", {"no socket takes it", "'ss -anp' in that namespace"}},
    Entry{"SOCKET_RCVBUFF", "", {"the socket's receive buffer is full", kSocketBuffer}},
    Entry{"SOCKET_BACKLOG", "", {"the socket's backlog is full", kSocketBuffer}},
    Entry{"PROTO_MEM",
          "",
          {"sockets of that protocol use too much memory", "sysctl net.ipv4.tcp_mem, udp_mem"}},
    Entry{"SOCKET_FILTER",
          "",
          {"a filter on the socket rejected it", "the program attached that filter itself"}},
    Entry{"SOCKET_CLOSE", "", {"its socket was closed meanwhile", ""}},
    Entry{"TCP_LISTEN_OVERFLOW",
          "",
          {"the accept queue of the listener is full",
           "the program accepts too slowly; 'ss -ltn' shows the queue"}},
    Entry{"IP_CSUM", "", {"the checksum of its IP header is wrong", kBadSum}},
    Entry{"TCP_CSUM", "", {"its TCP checksum is wrong", kBadSum}},
    Entry{"UDP_CSUM", "", {"its UDP checksum is wrong", kBadSum}},
    Entry{"ICMP_CSUM", "", {"its ICMP checksum is wrong", kBadSum}},
    Entry{"SKB_CSUM", "", {"its checksum is wrong or could not be made", kBadSum}},
    Entry{"PKT_TOO_SMALL", "", {"it is shorter than its headers say", "look at who made the packet"}},
    Entry{"TCP_RFC7323_PAWS", "", {"its TCP timestamp is older than one seen before (PAWS)", kTcpState}},
    Entry{"TCP_RFC7323_PAWS_ACK", "", {"its TCP timestamp is older than one seen before (PAWS)", kTcpState}},
    Entry{"TCP_RFC7323_TW_PAWS",
          "",
          {"its TCP timestamp is older than that of the last connection", kTcpState}},
    Entry{"TCP_OLD_DATA",
          "",
          {"it repeats data that was received already", "an acknowledgement was late or lost"}},
    Entry{"TCP_OLD_ACK", "", {"it acknowledges what was acknowledged before", kTcpState}},
    Entry{"TCP_TOO_OLD_ACK", "", {"it acknowledges what was acknowledged long before", kTcpState}},
    Entry{"TCP_ACK_UNSENT_DATA", "", {"it acknowledges data that was never sent", kTcpState}},
    Entry{"TCP_OVERWINDOW", "", {"its data is beyond the receiver's window", kTcpState}},
    Entry{"TCP_ZEROWINDOW", "", {"the receiver's window is closed", "the program reads too slowly"}},
    Entry{"TCP_INVALID_SEQUENCE", "", {"its sequence number is outside the window", kTcpState}},
    Entry{"TCP_INVALID_END_SEQUENCE", "", {"its data ends outside the window", kTcpState}},
    Entry{"TCP_INVALID_ACK_SEQUENCE", "", {"its acknowledgement fits no segment that was sent", kTcpState}},
    Entry{"TCP_INVALID_SYN", "", {"a SYN in the middle of a connection", kTcpState}},
    Entry{"TCP_FLAGS", "", {"its TCP flags make no sense", "look at who made the packet"}},
    Entry{"TCP_RESET", "", {"a reset that the connection did not take or that ended it", ""}},
    Entry{"TCP_OFOMERGE", "", {"it repeats out-of-order data that waits already", ""}},
    Entry{"TCP_OFO_QUEUE_PRUNE", "", {"out-of-order data was given up for lack of memory", kSocketBuffer}},
    Entry{"TCP_OFO_DROP", "", {"out-of-order data found no memory", kSocketBuffer}},
    Entry{"NEIGH_FAILED",
          "",
          {"nobody answers ARP or neighbour discovery for its next hop",
           "is the address in use? 'ip neigh' of that namespace"}},
    Entry{"NEIGH_CREATEFAIL",
          "",
          {"no neighbour entry could be made",
           "the neighbour table may be full: sysctl net.ipv4.neigh.default.gc_thresh3"}},
    Entry{"NEIGH_QUEUEFULL",
          "",
          {"too many packets wait for the address of its next hop",
           "is the next hop there? 'ip neigh' of that namespace"}},
    Entry{
        "QDISC_DROP",
        "",
        {"the queue of the link it leaves by is full (traffic control)", "'tc -s qdisc' of that namespace"}},
    Entry{"QDISC_OVERLIMIT",
          "",
          {"the queue of the link it leaves by is over its limit", "'tc -s qdisc' of that namespace"}},
    Entry{"QDISC_CONGESTED",
          "",
          {"the queue discipline dropped it because of congestion", "'tc -s qdisc' of that namespace"}},
    Entry{"TC_INGRESS",
          "",
          {"a traffic control filter dropped it on arrival", "'tc filter show dev LINK ingress'"}},
    Entry{"TC_EGRESS",
          "",
          {"a traffic control filter dropped it on its way out", "'tc filter show dev LINK egress'"}},
    Entry{"BPF_CGROUP_EGRESS", "", {"a BPF program of its cgroup forbids it", "'bpftool cgroup tree'"}},
    Entry{"SECURITY_HOOK", "", {"the security module (SELinux, AppArmor) forbids it", "the audit log"}},
    Entry{"XFRM_POLICY", "", {"an IPsec policy forbids it", "'ip xfrm policy'"}},
    Entry{"NO_TX_TARGET",
          "",
          {"the bridge has no port to send it to", "'bridge link'; is the container's link up?"}},
    Entry{"OTHERHOST",
          "",
          {"it is addressed to another machine's MAC address",
           "a stale neighbour entry, or two containers with one address"}},
    Entry{"UNHANDLED_PROTO", "", {"no protocol here takes its Ethertype", ""}},
    Entry{"IP_NOPROTO", "", {"no protocol here takes its IP protocol number", ""}},
    Entry{"IPV6DISABLED", "", {"IPv6 is off on that link", "'sysctl net.ipv6.conf.LINK.disable_ipv6'"}},
    Entry{"FRAG_REASM_TIMEOUT",
          "",
          {"its other fragments did not come in time", "something on the way drops fragments"}},
    Entry{"DUP_FRAG", "", {"a fragment that was there already", ""}},
    Entry{"FRAG_TOO_FAR",
          "",
          {"too many fragments lie between it and the last", "sysctl net.ipv4.ipfrag_max_dist"}},
    Entry{"CPU_BACKLOG", "", {"the processor's input queue is full", "sysctl net.core.netdev_max_backlog"}},
    Entry{"FULL_RING",
          "",
          {"the ring of a tap or tun device is full", "its program (pasta, slirp4netns) reads too slowly"}},
    Entry{"NOMEM", "", {"no memory", ""}},
    Entry{"DEV_READY", "", {"the device is not ready", "'ip link': is it up?"}},
    Entry{"MAC_INVALID_SOURCE", "", {"its source MAC address is not valid", ""}},
    Entry{"RECURSION_LIMIT",
          "",
          {"it went round through devices too often", "look for a loop of bridges or tunnels"}},
};

struct Hook {
  std::string_view caller;
  std::string_view name;
};
// Who calls nf_hook_slow. Some of these are inlined into what calls them.
constexpr std::array kHooks{
    Hook{"ip_rcv", "PREROUTING"},
    Hook{"ipv6_rcv", "PREROUTING"},
    Hook{"ip_sabotage_in", "PREROUTING"},
    Hook{"ip_forward", "FORWARD"},
    Hook{"ip6_forward", "FORWARD"},
    Hook{"ip_local_deliver", "INPUT"},
    Hook{"ip6_input", "INPUT"},
    Hook{"__ip_local_out", "OUTPUT"},
    Hook{"ip_local_out", "OUTPUT"},
    Hook{"__ip6_local_out", "OUTPUT"},
    Hook{"ip6_local_out", "OUTPUT"},
    Hook{"ip6_xmit", "OUTPUT"},
    Hook{"raw_send_hdrinc", "OUTPUT"},
    Hook{"ip_output", "POSTROUTING"},
    Hook{"ip_mc_output", "POSTROUTING"},
    Hook{"ip6_output", "POSTROUTING"},
    Hook{"__br_forward", "bridge FORWARD"},
    Hook{"br_handle_frame", "bridge PREROUTING"},
    Hook{"br_pass_frame_up", "bridge INPUT"},
    Hook{"br_forward_finish", "bridge POSTROUTING"},
    Hook{"br_nf_forward_ip", "FORWARD"},
    Hook{"br_nf_forward", "FORWARD"},
    Hook{"br_nf_pre_routing", "PREROUTING"},
    Hook{"br_nf_post_routing", "POSTROUTING"},
    Hook{"__netif_receive_skb_core", "netdev ingress"},
    Hook{"__dev_queue_xmit", "netdev egress"},
    Hook{"arp_rcv", "ARP input"},
    Hook{"arp_xmit", "ARP output"},
};

bool begins(std::string_view text, std::string_view with) {
  return text.substr(0, with.size()) == with;
}

// Compilers append ".constprop.0", ".isra.0", ".part.0".
std::string_view plain(std::string_view function) {
  return function.substr(0, function.find('.'));
}

}  // namespace

Explanation explain(std::string_view reason, std::string_view function) {
  for (const Entry& e : kTable) {
    if (e.reason == reason && begins(function, e.function)) return e.said;
  }
  return {};
}

std::string_view hook(const std::vector<std::string>& callers) {
  const auto slow = std::find_if(callers.begin(), callers.end(),
                                 [](const std::string& c) { return plain(c) == "nf_hook_slow"; });
  // iptables-legacy: nf_hook_slow itself gave the packet up, its callers are all there is.
  const auto from = slow == callers.end() ? callers.begin() : slow + 1;
  for (auto at = from; at != callers.end(); ++at) {
    for (const Hook& h : kHooks) {
      if (plain(*at) == h.caller) return h.name;
    }
  }
  return {};
}

bool is_noise(std::string_view reason, std::string_view function, Nature nature) {
  const std::string_view f = plain(function);
  if (reason == "QUEUE_PURGE" || reason == "SKB_CONSUMED") return true;
  // Raw sockets have their copies already when the kernel looks for one of the other kind.
  if (reason == "NO_SOCKET") return nature.reset || f == "ping_rcv";
  // A sniffer's ring was full: its copy is gone, the packet is not.
  if (reason == "PACKET_SOCK_ERROR") return true;
  // The last acknowledgement, which finds its socket closed already.
  if (reason == "TCP_CLOSE") return nature.empty;
  if (reason != "NOT_SPECIFIED") return false;
  if (f == "ip_rcv_finish_core") return nature.multicast;
  if (f == "ip6_mc_input" || f == "ip6_rcv_core" || begins(f, "netif_napi_add")) return true;
  return f == "tcp_v4_rcv" || f == "tcp_v6_rcv" || f == "tcp_rcv_state_process";
}

}  // namespace podshark::drops
