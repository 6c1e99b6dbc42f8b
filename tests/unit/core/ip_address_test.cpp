// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/core/ip_address.h"

#include <gtest/gtest.h>

namespace podshark {
namespace {

TEST(IpAddress, text_and_back) {
  for (const char* text : {"10.88.0.2", "255.255.255.255", "fd00::2", "::1", "::"}) {
    const auto a = IpAddress::parse(text);
    ASSERT_TRUE(a) << text;
    EXPECT_EQ(a->text(), text);
  }
  EXPECT_EQ(IpAddress::parse("10.88.0.2/16")->text(), "10.88.0.2");
  EXPECT_EQ(IpAddress::parse("::ffff:10.88.0.2"), IpAddress::parse("10.88.0.2"));
}

TEST(IpAddress, other_text_is_none) {
  for (const char* text : {"", "/16", "10.88.0", "10.88.0.2.3", "web", "fd00::2%eth0", "10.88.0.2 "}) {
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  }
}

TEST(IpAddress, loopback_of_both_families) {
  EXPECT_TRUE(IpAddress::parse("127.3.2.1")->loopback());
  EXPECT_TRUE(IpAddress::parse("::1")->loopback());
  EXPECT_FALSE(IpAddress::parse("10.0.0.1")->loopback());
  EXPECT_FALSE(IpAddress::parse("::7f00:1")->loopback());
  EXPECT_TRUE(IpAddress::parse("127.0.0.1")->is_v4());
  EXPECT_FALSE(IpAddress::parse("::1")->is_v4());
}

}  // namespace
}  // namespace podshark
