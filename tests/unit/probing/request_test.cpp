// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/probe/request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "extcap/probe/names.h"
#include "tests/unit/temp_tree.h"

namespace podshark::extcap::probing {
namespace {

using probe::Protocol;
using std::chrono::milliseconds;
using testing::ElementsAre;

TEST(Target, host_port_and_protocol_are_told_apart) {
  const Result<TargetText> t = parse_target("web:8080/udp");
  ASSERT_TRUE(t);
  EXPECT_EQ(t->host, "web");
  EXPECT_EQ(t->port, 8080);
  EXPECT_EQ(t->protocol, Protocol::udp);
  const Result<TargetText> bare = parse_target("web");
  ASSERT_TRUE(bare);
  EXPECT_EQ(bare->host, "web");
  EXPECT_FALSE(bare->port || bare->protocol);
}

TEST(Target, pods_keep_their_slash) {
  const Result<TargetText> t = parse_target("pod/shop:80/tcp");
  ASSERT_TRUE(t);
  EXPECT_EQ(t->host, "pod/shop");
  EXPECT_EQ(t->port, 80);
  EXPECT_EQ(parse_target("pod/tcp")->host, "pod/tcp") << "a pod that is called like a protocol";
}

TEST(Target, ipv6_addresses_have_a_port_only_in_brackets) {
  EXPECT_EQ(parse_target("[fd00::2]:80")->host, "fd00::2");
  EXPECT_EQ(parse_target("[fd00::2]:80")->port, 80);
  EXPECT_EQ(parse_target("fd00::2/icmp")->host, "fd00::2");
  EXPECT_FALSE(parse_target("fd00::2")->port);
  EXPECT_EQ(parse_target("[fd00::2]/icmp")->protocol, Protocol::icmp);
}

TEST(Target, nonsense_is_refused_in_one_line) {
  for (const char* text : {"", ":80", "/tcp", "web:0", "web:65536", "web:http", "web:", "web:80/sctp",
                           "web/foo", "[fd00::2", "[fd00::2]80", "web:80/icmp", "web:-1", "web:+8"}) {
    const Result<TargetText> t = parse_target(text);
    ASSERT_FALSE(t) << text;
    EXPECT_EQ(t.error().kind, ErrorKind::usage) << text;
    EXPECT_EQ(t.error().line().find('\n'), std::string::npos);
  }
  EXPECT_EQ(parse_target("ssh://x/web").error().kind, ErrorKind::unsupported);
  EXPECT_NE(parse_target("ssh://x/web").error().hint.find("--host"), std::string::npos);
}

TEST(Seconds, are_strict_decimals_within_the_limits) {
  EXPECT_EQ(parse_seconds("2", milliseconds(0), milliseconds(5000)), milliseconds(2000));
  EXPECT_EQ(parse_seconds("0.25", milliseconds(0), milliseconds(5000)), milliseconds(250));
  for (const char* text : {"", ".", "1.", "-1", "1e3", "9", "0x1", "1.2345", "99999999999999999999"})
    EXPECT_FALSE(parse_seconds(text, milliseconds(0), milliseconds(5000))) << text;
}

TEST(HostName, has_letters_digits_dots_and_dashes) {
  EXPECT_TRUE(is_host_name("db-1.lan"));
  for (const char* text : {"", "a b", ".a", "a..b", "a/b", "\xc3\xa4", "a\n"})
    EXPECT_FALSE(is_host_name(text)) << text;
}

class Files : public testing::Test {
 protected:
  Files() { std::filesystem::create_directories(std::filesystem::path(tree_.path()) / "etc"); }
  test::TempTree tree_;
};

TEST_F(Files, are_read_below_their_root) {
  tree_.write("etc/resolv.conf", "nameserver 10.89.0.1\n");
  const Result<NameService> n = read_name_service_in(tree_.path());
  ASSERT_TRUE(n);
  EXPECT_EQ(n->servers.size(), 1U);
  EXPECT_TRUE(n->hosts.empty()) << "a missing file is an empty one";
}

TEST_F(Files, links_do_not_lead_out) {
  tree_.write("secret", "nameserver 10.89.0.1\n");
  tree_.write("below/x", "");
  std::filesystem::create_directories(std::filesystem::path(tree_.path()) / "below/etc");
  std::filesystem::create_symlink(std::filesystem::path(tree_.path()) / "secret",
                                  std::filesystem::path(tree_.path()) / "below/etc/resolv.conf");
  std::filesystem::create_symlink("../../secret", std::filesystem::path(tree_.path()) / "below/etc/hosts");
  const Result<NameService> n = read_name_service_in(std::filesystem::path(tree_.path()) / "below");
  ASSERT_TRUE(n);
  EXPECT_TRUE(n->servers.empty());
}

TEST_F(Files, a_pipe_does_not_hold_us_and_a_large_file_is_refused) {
  const std::string hosts = std::filesystem::path(tree_.path()) / "etc/hosts";
  ASSERT_EQ(::mkfifo(hosts.c_str(), 0600), 0);
  EXPECT_FALSE(read_name_service_in(tree_.path()));
  ASSERT_EQ(::unlink(hosts.c_str()), 0);
  tree_.write("etc/hosts", std::string(70'000, '#'));
  EXPECT_FALSE(read_name_service_in(tree_.path()));
}

TEST(ResolvConf, three_servers_and_the_last_search_line_count) {
  NameService n;
  parse_resolv_conf(
      "# x\nsearch old\nnameserver 10.89.0.1 # gateway\nnameserver ::1\nnameserver bad\n"
      "nameserver 1.1.1.1\nnameserver 9.9.9.9\nsearch dns.podman a;b\noptions ndots:5\n",
      n);
  EXPECT_THAT(n.servers, ElementsAre(*IpAddress::parse("10.89.0.1"), *IpAddress::parse("::1"),
                                     *IpAddress::parse("1.1.1.1")));
  EXPECT_THAT(n.search, ElementsAre("dns.podman", "a"));
}

TEST(ResolvConf, search_domains_come_first_for_names_without_dots) {
  NameService n;
  n.search = {"dns.podman", "."};
  EXPECT_THAT(with_search(n, "db"), ElementsAre("db.dns.podman", "db"));
  EXPECT_THAT(with_search(n, "db.lan"), ElementsAre("db.lan", "db.lan.dns.podman"));
  EXPECT_THAT(with_search(n, "db."), ElementsAre("db."));
}

TEST(Hosts, names_are_found_whatever_their_case) {
  NameService n;
  parse_hosts("127.0.0.1\tlocalhost\n10.89.0.2 Web web.lan # x\nnonsense\n::1 localhost\n", n);
  EXPECT_THAT(find_host(n, "WEB"), ElementsAre(*IpAddress::parse("10.89.0.2")));
  EXPECT_EQ(find_host(n, "localhost").size(), 2U);
  EXPECT_TRUE(find_host(n, "x").empty());
}

TEST(Hosts, their_number_is_bounded) {
  NameService n;
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "10.0.0.1 a b\n";
  parse_hosts(text, n);
  EXPECT_EQ(n.hosts.size(), kMaxHosts);
}

}  // namespace
}  // namespace podshark::extcap::probing
