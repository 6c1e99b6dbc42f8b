// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/host_ports.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "extcap/capture/filter.h"
#include "podman/wire/ring.h"

namespace podshark::extcap {
namespace {

using testing::HasSubstr;

model::Container host_container() {
  model::Container c;
  c.name = "web";
  c.kind = model::NetworkKind::host;
  return c;
}

TEST(HostPorts, held_and_published_ports_make_the_filter) {
  model::Container c = host_container();
  c.ports.push_back({"", 8000, 80, 2, "tcp"});
  c.ports.push_back({"", 53, 53, 1, "udp"});
  const auto limit =
      limit_to_ports(c, {{{8000, false, true}, {53, true, true}, {40000, false, false}}, true});
  ASSERT_TRUE(limit);
  EXPECT_EQ(limit->filter, "tcp port 8000 or udp port 53 or tcp port 40000 or tcp port 8001");
  EXPECT_EQ(limit->words, "to tcp 8000, udp 53, tcp 40000, tcp 8001");
}

TEST(HostPorts, none_is_an_error_that_says_what_is_missing) {
  const auto none = limit_to_ports(host_container(), {{}, true});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, ErrorKind::unsupported);
  EXPECT_THAT(none.error().line(), HasSubstr("--all-host"));
  const auto hidden = limit_to_ports(host_container(), {{}, false});
  ASSERT_FALSE(hidden);
  EXPECT_EQ(hidden.error().kind, ErrorKind::permission);
  EXPECT_THAT(hidden.error().line(), HasSubstr("as root"));
}

TEST(HostPorts, the_most_that_is_allowed_compiles_with_the_users_filter) {
  discover::HeldPorts held{{}, true};
  for (unsigned i = 0; i < 1000; ++i)
    held.ports.push_back({static_cast<std::uint16_t>(1000 + 2 * i), i % 2 == 0, true});
  const auto limit = limit_to_ports(host_container(), held);
  ASSERT_TRUE(limit);
  EXPECT_THAT(limit->words, HasSubstr("(128 of 1000)"));
  const std::string filter = both_filters(limit->filter, "host 192.0.2.1 or ip6");
  for (const std::uint16_t linktype : {wire::kLinktypeEthernet, wire::kLinktypeSll2}) {
    const auto compiled = Filter::compile(filter, linktype, 262144);
    ASSERT_TRUE(compiled);
    EXPECT_LE(compiled->kernel_program().size(), 4096U);  // BPF_MAXINSNS
  }
}

TEST(HostPorts, the_users_filter_is_a_condition_more) {
  EXPECT_EQ(both_filters("tcp port 80", ""), "tcp port 80");
  EXPECT_EQ(both_filters("", "host a"), "host a");
  EXPECT_EQ(both_filters("tcp port 80 or udp port 53", "host a or host b"),
            "(tcp port 80 or udp port 53) and (host a or host b)");
}

}  // namespace
}  // namespace podshark::extcap
