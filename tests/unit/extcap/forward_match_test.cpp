// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/forward_match.h"

#include <gtest/gtest.h>

#include <array>

#include "extcap/capture/forward_watch.h"

namespace podshark::extcap {
namespace {

using kernel::TcpSocket;

TcpSocket socket(const char* local, std::uint16_t local_port, const char* remote, std::uint16_t remote_port,
                 std::uint64_t inode, std::uint32_t over_ms = 0) {
  TcpSocket s;
  s.local = *IpAddress::parse(local);
  s.local_port = local_port;
  s.remote = *IpAddress::parse(remote);
  s.remote_port = remote_port;
  s.inode = inode;
  s.state = over_ms == 0 ? kernel::kTcpEstablished : kernel::kTcpTimeWait;
  s.timer_ms = over_ms;
  return s;
}

class ForwardMatch : public testing::Test {
 protected:
  ForwardMatch() {
    own_.id = "abc";
    own_.name = "own";
    own_.pid = 7;
    own_.rootless = true;
    own_.kind = model::NetworkKind::slirp4netns;
    own_.ports.push_back({"", 8080, 80, 1, "tcp"});
  }
  // -1: the first look; else the time since the one before.
  std::vector<annotate::Event> look(std::int64_t since_ms) {
    if (since_ms >= 0 && now_ms_ == 0) (void)matcher_.look(own_, {nothing_, nothing_, programs_}, ++now_ms_);
    now_ms_ += std::max<std::int64_t>(since_ms, 1);
    return matcher_.look(own_, {host_, inside_, programs_}, now_ms_);
  }
  void outer(std::uint16_t port, std::uint64_t inode, std::uint32_t over_ms = 0) {
    host_.push_back(socket("203.0.113.1", 8080, "203.0.113.2", port, inode, over_ms));
  }
  // As the forwarder makes it, to the container's own address.
  void inner(std::uint16_t port, std::uint64_t inode, std::uint32_t over_ms = 0) {
    if (inode != 0) inside_.push_back(socket("10.0.2.100", port, "10.0.2.100", 80, inode));
    inside_.push_back(socket("10.0.2.100", 80, "10.0.2.100", port, inode == 0 ? 0 : inode + 500, over_ms));
  }

  model::Container own_;
  std::vector<TcpSocket> host_, inside_;
  const std::vector<TcpSocket> nothing_;
  std::int64_t now_ms_ = 0;
  std::vector<Forwarder> programs_;
  ForwardMatcher matcher_;
};

TEST_F(ForwardMatch, one_process_holds_a_socket_of_both_sides) {
  outer(40000, 11);
  inner(50000, 12);
  programs_ = {{812, "rootlessport", std::set<std::uint64_t>{11, 12}}};
  const auto found = look(-1);
  ASSERT_EQ(found.size(), 1U);
  const annotate::Event& e = found[0];
  EXPECT_EQ(e.kind + " " + e.what, "nat seen");
  EXPECT_EQ(e.container, "own");
  EXPECT_EQ(e.via, "rootlessport");
  EXPECT_EQ(e.evidence, "both sockets are held by rootlessport, process 812");
  EXPECT_EQ(e.orig, (annotate::Event::Tuple{"203.0.113.2", "203.0.113.1", 40000, 8080}));
  EXPECT_EQ(e.reply, (annotate::Event::Tuple{"10.0.2.100", "10.0.2.100", 80, 50000}));
  EXPECT_TRUE(look(50).empty()) << "once";
  ASSERT_EQ(matcher_.open_ones().size(), 1U) << "again, for a new file";
  EXPECT_EQ(matcher_.open_ones()[0].reply, e.reply);
  host_.clear();
  EXPECT_TRUE(look(50).empty());
  EXPECT_TRUE(matcher_.open_ones().empty());
}

TEST_F(ForwardMatch, several_at_once_are_told_apart_by_their_order_and_it_says_so) {
  outer(40002, 21);
  outer(40001, 11);
  inner(50001, 12);
  inner(50002, 22);
  programs_ = {{812, "rootlessport", std::set<std::uint64_t>{11, 12, 21, 22}}};
  const auto found = look(50);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].orig.src_port, 40001);
  EXPECT_EQ(found[0].reply.dst_port, 50001);
  EXPECT_EQ(found[1].orig.src_port, 40002);
  EXPECT_EQ(found[1].reply.dst_port, 50002);
  EXPECT_EQ(found[0].evidence,
            "both sockets are held by rootlessport, process 812; which of its 2 by their order");
}

TEST_F(ForwardMatch, a_connection_that_waits_for_its_other_half_is_looked_at_again) {
  outer(40000, 11);
  programs_ = {{812, "rootlessport", std::set<std::uint64_t>{11}}};
  EXPECT_TRUE(look(50).empty());
  EXPECT_TRUE(matcher_.unsure());
  inner(50000, 12);
  programs_[0].sockets->insert(12);
  EXPECT_EQ(look(50).size(), 1U);
  EXPECT_FALSE(matcher_.unsure());
}

TEST_F(ForwardMatch, short_ones_that_are_over_are_matched_by_the_moment_of_their_end) {
  programs_ = {{812, "rootlessport", std::set<std::uint64_t>{}}};
  outer(40001, 0, 59'900);
  outer(40000, 0, 59'000);
  inner(50000, 0, 58'990);
  inner(50001, 0, 59'890);
  inner(50002, 0, 40'000);  // whose other half is gone
  const auto found = look(60);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].evidence, "both ended within 30 ms, and nothing else then");
  EXPECT_EQ(found[0].what, "started");
  EXPECT_EQ(found[0].orig.src_port, 40001);
  EXPECT_EQ(found[0].reply.dst_port, 50001);
  EXPECT_EQ(found[1].reply.dst_port, 50000);
  EXPECT_TRUE(look(60).empty());
}

TEST_F(ForwardMatch, of_several_that_ended_together_none_is_told) {
  outer(40000, 0, 59'000);
  outer(40001, 0, 59'010);
  inner(50000, 0, 59'000);
  inner(50001, 0, 59'000);
  EXPECT_TRUE(look(60).empty());
}

TEST_F(ForwardMatch, what_was_over_at_the_first_look_is_not_told) {
  outer(40000, 0, 59'000);
  inner(50000, 0, 59'000);
  EXPECT_TRUE(look(-1).empty());
  EXPECT_TRUE(look(50).empty());
}

TEST_F(ForwardMatch, pasta_keeps_the_clients_address_and_port) {
  own_.kind = model::NetworkKind::pasta;
  outer(40000, 11);
  outer(40001, 13);
  inside_.push_back(socket("203.0.113.1", 80, "203.0.113.2", 40000, 99));
  programs_ = {{812, "pasta.avx2", std::nullopt}};
  const auto found = look(50);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].via, "pasta");
  EXPECT_EQ(found[0].evidence, "same client address and port on both sides");
  EXPECT_EQ(found[0].orig, (annotate::Event::Tuple{"203.0.113.2", "203.0.113.1", 40000, 8080}));
  EXPECT_EQ(found[0].reply, (annotate::Event::Tuple{"203.0.113.1", "203.0.113.2", 80, 40000}));
}

TEST_F(ForwardMatch, what_the_container_opens_is_found_by_destination_and_process) {
  inside_.push_back(socket("10.0.2.100", 45000, "198.51.100.7", 443, 70));
  host_.push_back(socket("203.0.113.1", 46000, "198.51.100.7", 443, 31));
  host_.push_back(socket("203.0.113.1", 46001, "198.51.100.7", 443, 32));  // a browser's
  programs_ = {{900, "slirp4netns", std::set<std::uint64_t>{31}}};
  const auto found = look(50);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].via, "slirp4netns");
  EXPECT_EQ(found[0].evidence, "same destination; the host's socket is held by slirp4netns, process 900");
  EXPECT_EQ(found[0].orig, (annotate::Event::Tuple{"10.0.2.100", "198.51.100.7", 45000, 443}));
  EXPECT_EQ(found[0].reply, (annotate::Event::Tuple{"198.51.100.7", "203.0.113.1", 443, 46000}));
  EXPECT_EQ(
      found[0].detail,
      "started: tcp 10.0.2.100:45000 → 198.51.100.7:443 leaves as 203.0.113.1:46000, by slirp4netns (same "
      "destination; the host's socket is held by slirp4netns, process 900)");
}

TEST_F(ForwardMatch, of_two_programs_with_that_destination_neither_is_taken) {
  inside_.push_back(socket("10.0.2.100", 45000, "198.51.100.7", 443, 70));
  host_.push_back(socket("203.0.113.1", 46000, "198.51.100.7", 443, 31));
  host_.push_back(socket("203.0.113.1", 46001, "198.51.100.7", 443, 32));
  programs_ = {{900, "slirp4netns", std::set<std::uint64_t>{31}},
               {901, "slirp4netns", std::set<std::uint64_t>{32}}};
  EXPECT_TRUE(look(50).empty());
}

TEST_F(ForwardMatch, where_descriptors_may_not_be_read_the_only_two_that_appeared_belong_together) {
  own_.kind = model::NetworkKind::pasta;
  programs_ = {{812, "pasta", std::nullopt}};
  inside_.push_back(socket("127.0.0.1", 50000, "127.0.0.1", 80, 12));
  EXPECT_TRUE(look(60).empty());
  EXPECT_FALSE(matcher_.unsure()) << "the container's own affair, as far as one knows";
  host_.push_back(socket("127.0.0.1", 8080, "127.0.0.1", 40000, 11));
  EXPECT_TRUE(look(60).empty()) << "who opens comes first: that inside is another's";
  host_.push_back(socket("127.0.0.1", 8080, "127.0.0.1", 40001, 13));
  inside_.push_back(socket("127.0.0.1", 50001, "127.0.0.1", 80, 14));
  EXPECT_TRUE(look(60).empty()) << "which of them?";
  for (int i = 0; i < 5; ++i) (void)look(60);
  host_.push_back(socket("127.0.0.1", 8080, "127.0.0.1", 40002, 15));
  EXPECT_TRUE(look(60).empty());
  EXPECT_TRUE(matcher_.unsure());
  inside_.push_back(socket("127.0.0.1", 50002, "127.0.0.1", 80, 16));
  const auto found = look(100);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].evidence, "the only two that appeared within 160 ms; their process is not known");
  EXPECT_EQ(found[0].reply.dst_port, 50002);
}

TEST_F(ForwardMatch, anothers_socket_is_not_matched_by_time) {
  inside_.push_back(socket("10.0.2.100", 45000, "198.51.100.7", 443, 70));
  host_.push_back(socket("203.0.113.1", 46001, "198.51.100.7", 443, 32));
  programs_ = {{900, "slirp4netns", std::set<std::uint64_t>{}}};
  EXPECT_TRUE(look(50).empty());
  own_.kind = model::NetworkKind::pasta;  // whose descriptors nobody may read
  programs_ = {{901, "pasta", std::nullopt}};
  matcher_ = {};
  now_ms_ = 0;
  const auto found = look(50);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].evidence,
            "same destination; the only two that appeared within 50 ms; their process is not known");
}

TEST(Forwarded, is_who_has_no_link_or_only_rootlessport) {
  model::Container c;
  c.kind = model::NetworkKind::pasta;
  EXPECT_FALSE(forwarded(c)) << "it does not run";
  c.pid = 7;
  EXPECT_TRUE(forwarded(c));
  c.kind = model::NetworkKind::bridge;
  c.rootless = true;
  EXPECT_FALSE(forwarded(c)) << "no port is published";
  c.ports.push_back({"", 8080, 80, 1, "tcp"});
  EXPECT_TRUE(forwarded(c));
  c.rootless = false;
  EXPECT_FALSE(forwarded(c));
  EXPECT_EQ(forwarder_name("pasta.avx2"), "pasta");
  EXPECT_EQ(forwarder_name("pastafarian"), "");
}

TEST(OpensConnection, a_syn_alone) {
  std::array<std::uint8_t, 54> frame{};
  frame[12] = 0x08;
  frame[14] = 0x45;
  frame[23] = 6;
  frame[47] = 0x02;
  wire::Packet packet{};
  packet.data = frame.data();
  packet.captured = packet.length = frame.size();
  EXPECT_TRUE(opens_connection(packet));
  frame[47] = 0x12;
  EXPECT_FALSE(opens_connection(packet)) << "that is the answer";
  frame[47] = 0x0A;
  EXPECT_TRUE(opens_connection(packet)) << "pasta's has PSH set";
  frame[23] = 17;
  EXPECT_FALSE(opens_connection(packet));
  frame[23] = 6;
  for (std::uint32_t n = 0; n < 48; ++n) {
    packet.captured = n;
    EXPECT_FALSE(opens_connection(packet)) << n;
  }
}

}  // namespace
}  // namespace podshark::extcap
