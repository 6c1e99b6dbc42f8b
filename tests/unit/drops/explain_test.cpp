// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/drops/explain.h"

#include <gmock/gmock.h>

namespace podshark::drops {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

TEST(Explain, the_same_reason_means_other_things_in_other_functions) {
  EXPECT_THAT(explain("IP_INHDR", "ip_forward").why, HasSubstr("TTL"));
  EXPECT_THAT(explain("IP_INHDR", "ip_rcv_core").why, HasSubstr("malformed"));
  EXPECT_THAT(explain("NOT_SPECIFIED", "nf_queue").why, HasSubstr("NFQUEUE"));
  EXPECT_THAT(explain("NO_SOCKET", "tcp_v6_rcv").why, HasSubstr("TCP port"));
  EXPECT_THAT(explain("NO_SOCKET", "__udp4_lib_rcv").why, HasSubstr("UDP port"));
}

TEST(Explain, names_the_next_step) {
  EXPECT_THAT(explain("NETFILTER_DROP", "nft_do_chain").next, HasSubstr("podshark trace"));
  EXPECT_THAT(explain("IP_RPFILTER", "ip_rcv_finish_core").next, HasSubstr("rp_filter=2"));
  EXPECT_THAT(explain("PKT_TOO_BIG", "ip_forward").next, HasSubstr("'podshark probe ADDRESS/mtu'"));
}

TEST(Explain, says_nothing_of_what_it_does_not_know) {
  EXPECT_THAT(explain("NOT_SPECIFIED", "some_driver").why, IsEmpty());
  EXPECT_THAT(explain("A_REASON_OF_TOMORROW", "ip_rcv").why, IsEmpty());
}

TEST(Hook, is_the_caller_of_nf_hook_slow) {
  EXPECT_EQ("FORWARD", hook({"nft_do_chain_ipv4", "nf_hook_slow", "ip_forward", "ip_rcv"}));
  EXPECT_EQ("INPUT", hook({"nft_do_chain_inet", "nf_hook_slow", "ip_local_deliver", "ip_rcv"}));
  EXPECT_EQ("netdev ingress",
            hook({"nft_do_chain_netdev", "nf_hook_slow", "__netif_receive_skb_core.constprop.0"}));
}

TEST(Hook, is_found_where_nf_hook_slow_dropped_it_itself) {
  EXPECT_EQ("FORWARD", hook({"ip_forward", "ip_rcv", "__netif_receive_skb_one_core"}));
}

TEST(Hook, is_empty_without_netfilter) {
  EXPECT_EQ("", hook({}));
  EXPECT_EQ("", hook({"udp_queue_rcv_skb"}));
}

TEST(Noise, is_what_nobody_has_lost) {
  EXPECT_TRUE(is_noise("QUEUE_PURGE", "packet_release", {}));
  EXPECT_TRUE(is_noise("NOT_SPECIFIED", "ip6_mc_input", {}));
  EXPECT_TRUE(is_noise("NOT_SPECIFIED", "tcp_v4_rcv", {}));
  EXPECT_TRUE(is_noise("NOT_SPECIFIED", "ip_rcv_finish_core", {.multicast = true}));
  EXPECT_TRUE(is_noise("NO_SOCKET", "tcp_v4_rcv", {.reset = true}));
  EXPECT_TRUE(is_noise("PACKET_SOCK_ERROR", "tpacket_rcv", {}));
  EXPECT_TRUE(is_noise("TCP_CLOSE", "tcp_rcv_state_process", {.empty = true}));
}

TEST(Noise, is_no_packet_that_somebody_waits_for) {
  EXPECT_FALSE(is_noise("NO_SOCKET", "tcp_v4_rcv", {}));
  EXPECT_FALSE(is_noise("TCP_CLOSE", "tcp_rcv_state_process", {}));
  EXPECT_FALSE(is_noise("NOT_SPECIFIED", "nf_queue", {}));
  EXPECT_FALSE(is_noise("NETFILTER_DROP", "nft_do_chain", {}));
}

}  // namespace
}  // namespace podshark::drops
