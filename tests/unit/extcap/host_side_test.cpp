// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/host_side.h"

#include <gtest/gtest.h>

#include <array>

#include "extcap/capture/captured_macs.h"

namespace podshark::extcap {
namespace {

TEST(HostSide, published_ports_are_a_filter) {
  model::Container c;
  EXPECT_EQ(published_port_filter(c), "");
  c.ports.push_back({"", 8080, 80, 1, "tcp"});
  c.ports.push_back({"127.0.0.1", 9000, 90, 10, "udp"});
  c.ports.push_back({"", 1, 1, 1, "tcp or host 1.2.3.4"});  // not podman's word: left out
  EXPECT_EQ(published_port_filter(c), "tcp port 8080 or udp portrange 9000-9009");
}

TEST(HostSide, addresses_are_a_filter) {
  model::Container c;
  EXPECT_EQ(address_filter(c), "");
  c.networks.push_back({"podman", "eth0", "", {"10.88.0.2/16", "fd00::2/64"}, ""});
  EXPECT_EQ(address_filter(c), "host 10.88.0.2 or host fd00::2");
}

TEST(CapturedMacs, a_frame_of_another_captured_link_is_known) {
  CapturedMacs macs;
  std::array<std::uint8_t, 14> frame{1, 2, 3, 4, 5, 6, 0x62, 0x14, 0xc4, 0xe5, 0xd3, 0x46};
  const std::uint64_t own = CapturedMacs::number("01:02:03:04:05:06");
  macs.add("62:14:c4:e5:d3:46");
  EXPECT_FALSE(macs.sent_by_captured(frame.data(), own)) << "alone there is nothing to copy";
  macs.add("01:02:03:04:05:06");
  EXPECT_TRUE(macs.sent_by_captured(frame.data(), own));
  EXPECT_FALSE(macs.sent_by_captured(frame.data(), CapturedMacs::number("62:14:c4:e5:d3:46")))
      << "ipvlan: of whom of those with this address is not known";
  frame[11] = 0x47;
  EXPECT_FALSE(macs.sent_by_captured(frame.data(), own));
  frame[11] = 0x46;
  macs.remove("62:14:c4:e5:d3:46");
  macs.add("aa:aa:aa:aa:aa:aa");
  EXPECT_FALSE(macs.sent_by_captured(frame.data(), own));
}

}  // namespace
}  // namespace podshark::extcap
