// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/kernel/conntrack_message.h"

#include <gtest/gtest.h>
#include <linux/netfilter/nf_conntrack_common.h>

#include "podman/kernel/netlink.h"
#include "tests/unit/kernel/conntrack_messages.h"

namespace podshark::kernel {
namespace {

using namespace test;
using Kind = ConntrackMessage::Kind;

std::string published() {
  return tuple(CTA_TUPLE_ORIG, "203.0.113.2", 40000, "203.0.113.1", 8080) +
         tuple(CTA_TUPLE_REPLY, "10.88.0.2", 80, "203.0.113.2", 40000) +
         attribute(CTA_STATUS, big(IPS_DST_NAT | IPS_SEEN_REPLY, 4)) + attribute(CTA_ID, big(0xCAFE, 4));
}

TEST(ConntrackMessage, a_new_connection_with_both_tuples) {
  const auto m = parse_conntrack(conntrack(IPCTNL_MSG_CT_NEW, 0, published()));
  ASSERT_TRUE(m);
  EXPECT_EQ(m->kind, Kind::entry);
  EXPECT_EQ(m->sequence, 0U);
  const model::Conntrack& c = m->entry;
  EXPECT_EQ(c.id, 0xCAFEU);
  EXPECT_EQ(c.protocol, 6);
  EXPECT_EQ(c.orig.source.text() + " " + c.orig.destination.text(), "203.0.113.2 203.0.113.1");
  EXPECT_EQ(c.reply.source.text() + " " + c.reply.destination.text(), "10.88.0.2 203.0.113.2");
  EXPECT_EQ(c.orig.destination_port, 8080);
  EXPECT_EQ(c.reply.source_port, 80);
  EXPECT_TRUE(c.seen_reply);
  EXPECT_FALSE(c.assured);
  EXPECT_TRUE(c.translated());
  EXPECT_EQ(c.began_ns, 0) << "the kernel did not say";
}

TEST(ConntrackMessage, ipv6_and_the_time_where_the_kernel_keeps_it) {
  const std::string body = tuple(CTA_TUPLE_ORIG, "2001:db8::2", 40000, "2001:db8::1", 8080) +
                           tuple(CTA_TUPLE_REPLY, "fd00::2", 80, "2001:db8::2", 40000) +
                           nested(CTA_TIMESTAMP, attribute(CTA_TIMESTAMP_START, big(1700000000123456789, 8)));
  const auto m = parse_conntrack(conntrack(IPCTNL_MSG_CT_DELETE, 0, body));
  ASSERT_TRUE(m);
  EXPECT_EQ(m->kind, Kind::destroyed);
  EXPECT_EQ(m->entry.reply.source.text(), "fd00::2");
  EXPECT_EQ(m->entry.began_ns, 1700000000123456789);
}

TEST(ConntrackMessage, a_ping_has_no_ports_and_may_be_untranslated) {
  const std::string body = tuple(CTA_TUPLE_ORIG, "10.88.0.2", 0, "192.0.2.7", 0, 1) +
                           tuple(CTA_TUPLE_REPLY, "192.0.2.7", 0, "10.88.0.2", 0, 1);
  const auto m = parse_conntrack(conntrack(IPCTNL_MSG_CT_NEW, 7, body));
  ASSERT_TRUE(m);
  EXPECT_EQ(m->sequence, 7U);
  EXPECT_EQ(m->entry.protocol, 1);
  EXPECT_FALSE(m->entry.translated());
}

TEST(ConntrackMessage, ends_and_errors_of_a_list) {
  EXPECT_EQ(parse_conntrack(message(NLMSG_DONE, 3, ""))->kind, Kind::done);
  std::string refused = message(NLMSG_ERROR, 3, "");
  const int code = -1;
  std::memcpy(refused.data() + sizeof(nlmsghdr), &code, sizeof(code));
  EXPECT_EQ(parse_conntrack(refused)->kind, Kind::failed);
  EXPECT_EQ(parse_conntrack(refused)->error, 1);
}

TEST(ConntrackMessage, others_are_nothing) {
  EXPECT_FALSE(parse_conntrack(""));
  EXPECT_FALSE(parse_conntrack(message(NFNL_SUBSYS_NFTABLES << 8U, 0, published())));
  EXPECT_FALSE(parse_conntrack(conntrack(IPCTNL_MSG_CT_GET, 0, published())));
}

TEST(ConntrackMessage, every_cut_is_survived) {
  const std::string whole = conntrack(IPCTNL_MSG_CT_NEW, 0, published());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::string cut = whole.substr(0, size);  // of its own, so that a sanitizer sees its end
    const auto m = parse_conntrack(cut);
    EXPECT_TRUE(!m || m->entry.id != 0xCAFE || m->entry.reply.source_port == 80);
  }
}

TEST(EachMessage, the_parts_of_one_datagram) {
  const std::string one = conntrack(IPCTNL_MSG_CT_NEW, 0, published());
  int count = 0;
  each_message(one + one + message(NLMSG_DONE, 0, ""), [&](std::string_view) { ++count; });
  EXPECT_EQ(count, 3);
}

}  // namespace
}  // namespace podshark::kernel
